"""Groovy tokens -> expressions.

A reader of what a pipeline says, not a compiler: types, operators and control flow are kept only
as far as values and calls stand in them. Source: the Groovy language documentation, "Syntax",
"Program structure", "Command chains"; Jenkins' "Pipeline Syntax".
"""

from collections.abc import Iterator
from itertools import islice

from bot.detect import effort
from bot.detect.groovy.lexer import Lexer, Piece, Token
from bot.detect.groovy.tree import (
    Argument,
    Assignment,
    Block,
    Call,
    Choice,
    Expression,
    Joined,
    Listing,
    Literal,
    Mapping,
    Member,
    Name,
    dotted,
)

_DEEPEST = 60
_LONGEST_TARGET = 24
_MOST_TOKENS = 120_000
_LONGEST = 600_000  # characters
_PREFIXES = frozenset(
    {"new", "return", "throw", "def", "final", "static", "private", "public", "protected",
     "assert", "await", "abstract", "var"}
)  # fmt: skip
_PREFIX_SIGNS = frozenset({"!", "-", "~", "++", "--", "*", "+"})
_INFIX_WORDS = frozenset({"in", "as", "instanceof"})
_ASSIGNING = frozenset({"=", "+=", "<<=", "<<"})
_TYPE_SIGNS = frozenset({".", "<", ">", ",", "?", "@", "[", "]"})
_INFIX_SIGNS = frozenset(
    {"-", "*", "/", "%", "==", "!=", "===", "!==", "<", ">", "<=", ">=", "<=>", "=~", "==~",
     "&&", "||", "|", "&", "^"}
)  # fmt: skip
_MEMBER_SIGNS = frozenset({".", "?.", "*.", ".&"})
_END = Token("newline", "", 0, 0)


def read(content: str) -> tuple[Block, int]:
    """Return the statements of a Groovy text, and how much of it they are. Never raises.

    What comes after the first _MOST_TOKENS tokens is not read: no pipeline is that long.
    """
    if len(content) > _LONGEST:
        effort.skip()
    content = content[:_LONGEST]
    tokens = tuple(islice(Lexer(content).tokens(), _MOST_TOKENS))
    end = len(content)
    if len(tokens) == _MOST_TOKENS:
        effort.skip()
        end = tokens[-1].end
    return _Reader(tokens, end).everything(), end


class _Reader:
    def __init__(self, tokens: tuple[Token, ...], length: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._length = length

    def everything(self) -> Block:
        found: list[Expression] = []
        while self._at < len(self._tokens):
            found.extend(self._statements())
            self._at += 1  # a closing sign that nothing opened
        return Block(tuple(found), 0, self._length)

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def _sign(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind == "sign" and token.text in texts

    def _last_end(self) -> int:
        return self._tokens[self._at - 1].end if self._at else 0

    def _skip_lines(self) -> None:
        while self._at < len(self._tokens) and self._peek().kind == "newline":
            self._at += 1

    def _statements(self) -> Iterator[Expression]:
        """Read up to a closing sign, which stays, or the end."""
        while self._at < len(self._tokens) and not self._sign("}", ")", "]"):
            before = self._at
            statement = self._assignment() or self._expression(command=True)
            if statement is not None:
                yield statement
            if self._at == before:
                self._at += 1

    def _assignment(self) -> Assignment | None:
        """Read `[type] target = value` where that stands here."""
        ahead = 0
        while ahead < _LONGEST_TARGET:
            token = self._peek(ahead)
            if token.kind == "sign" and token.text in _ASSIGNING:
                break
            if token.kind != "word" and not (token.kind == "sign" and token.text in _TYPE_SIGNS):
                return None
            ahead += 1
        if not 0 < ahead < _LONGEST_TARGET or self._peek(ahead - 1).kind != "word":
            return None
        first, added = self._peek(), self._peek(ahead).text != "="
        names = [self._peek(ahead - 1).text]
        back = ahead - 2
        while back > 0 and self._peek(back).text == "." and self._peek(back - 1).kind == "word":
            names.append(self._peek(back - 1).text)
            back -= 2
        self._at += ahead + 1
        self._skip_lines()
        value = self._expression(command=True) or Name("", first.start, first.end)
        return Assignment(".".join(reversed(names)), value, first.start, self._last_end(), added)

    def _expression(self, *, command: bool = False) -> Expression | None:
        self._depth += 1
        try:
            return self._infix(command=command)
        finally:
            self._depth -= 1

    def _infix(self, *, command: bool) -> Expression | None:
        first = self._operand(command=command)
        if first is None:
            return None
        joined: list[Expression] = [first]
        others: list[Expression] = []
        while self._depth < _DEEPEST:
            token = self._peek()
            if token.kind == "sign" and token.text == "+":
                parts = joined
            elif token.kind == "sign" and token.text in {"?", "?:"}:
                return self._choice(_together(joined, others))
            elif token.kind == "sign" and token.text in _ASSIGNING:
                return self._assigned(_together(joined, others), added=token.text != "=")
            elif (token.kind == "sign" and token.text in _INFIX_SIGNS) or (
                token.kind == "word" and token.text in _INFIX_WORDS
            ):
                parts = others
            else:
                break
            self._at += 1
            self._skip_lines()
            operand = self._operand(command=False)
            if operand is None:
                break
            if token.text != "as":
                parts.append(operand)
        return _together(joined, others)

    def _choice(self, condition: Expression) -> Expression:
        elvis = self._peek().text == "?:"
        self._at += 1
        self._skip_lines()
        one = self._expression()
        either = [condition, one] if elvis else [one]
        if not elvis:
            mark = self._at
            self._skip_lines()
            if self._sign(":"):
                self._at += 1
                self._skip_lines()
                either.append(self._expression())
            else:
                self._at = mark
        known = tuple(one for one in either if one is not None)
        return Choice(known, condition.start, self._last_end())

    def _assigned(self, target: Expression, *, added: bool) -> Expression:
        self._at += 1
        self._skip_lines()
        value = self._expression(command=True)
        if value is None:
            return target
        return Assignment(dotted(target), value, target.start, self._last_end(), added)

    def _operand(self, *, command: bool) -> Expression | None:
        while self._at < len(self._tokens):
            token = self._peek()
            if (token.kind == "word" and token.text in _PREFIXES) or (
                token.kind == "sign" and (token.text in _PREFIX_SIGNS or token.text == "@")
            ):
                self._at += 1
            else:
                break
        start = self._at
        found = self._primary()
        return None if found is None else self._after(found, start, command=command)

    def _primary(self) -> Expression | None:
        token = self._peek()
        if self._at >= len(self._tokens) or token.kind == "newline":
            return None
        if token.kind == "string":
            self._at += 1
            return Literal(token.pieces, token.start, token.end)
        if token.kind in {"word", "number"}:
            self._at += 1
            return Name(token.text, token.start, token.end)
        if token.text not in {"(", "[", "{"}:
            return None
        self._at += 1
        if self._depth >= _DEEPEST:
            return Name("", token.start, token.end)
        if token.text == "{":
            return self._block(token)
        found = self._arguments(")" if token.text == "(" else "]")
        if any(argument.name for argument in found):
            return Mapping(found, token.start, self._last_end())
        if token.text == "(" and len(found) == 1:
            return found[0].value
        return Listing(tuple(one.value for one in found), token.start, self._last_end())

    def _block(self, opening: Token) -> Block:
        self._depth += 1
        self._skip_parameters()
        statements = tuple(self._statements())
        self._depth -= 1
        if self._sign("}"):
            self._at += 1
        return Block(statements, opening.start, self._last_end())

    def _skip_parameters(self) -> None:
        """Pass over a closure's parameters: `{ String image, args -> … }`."""
        for ahead in range(_LONGEST_TARGET):
            token = self._peek(ahead)
            if token.kind == "sign" and token.text == "->":
                self._at += ahead + 1
                return
            if token.kind not in {"word", "newline"} and token.text not in _TYPE_SIGNS:
                return

    def _after(self, found: Expression, first: int, *, command: bool) -> Expression:
        """Read members, calls and closures that follow an operand."""
        start = found.start
        while self._depth < _DEEPEST:
            token = self._peek()
            if token.kind == "newline":
                ahead = 1
                while self._peek(ahead).kind == "newline" and self._at + ahead < len(self._tokens):
                    ahead += 1
                following = self._peek(ahead)
                if following.kind != "sign" or following.text not in {".", "?."}:
                    break
                self._at += ahead
                continue
            if token.kind == "sign" and token.text in _MEMBER_SIGNS:
                self._at += 1
                self._skip_lines()
                name = self._peek()
                if name.kind not in {"word", "string"}:
                    break
                self._at += 1
                text = name.text if name.kind == "word" else _plain(name.pieces)
                found = Member(found, text, start, name.end)
            elif token.kind == "sign" and token.text == "(":
                self._at += 1
                arguments = self._arguments(")")
                found = Call(found, arguments, (), start, self._last_end())
            elif token.kind == "sign" and token.text == "[" and not (token.spaced and command):
                self._at += 1
                inside = self._arguments("]")
                name_of = inside[0].value if len(inside) == 1 else None
                text = _plain(name_of.pieces) if isinstance(name_of, Literal) else ""
                found = Member(found, text, start, self._last_end())
            elif token.kind == "sign" and token.text == "{" and not isinstance(found, Literal):
                self._at += 1
                block = self._block(token)
                if isinstance(found, Call):
                    blocks = (*found.blocks, block)
                    found = Call(found.callee, found.arguments, blocks, start, block.end)
                else:
                    found = Call(found, (), (block,), start, block.end)
            elif command and isinstance(found, Name | Member) and self._starts_argument(token):
                arguments = self._arguments("")
                found = Call(found, arguments, (), start, self._last_end())
                command = False
            else:
                break
            if self._at == first:
                break
        return found

    def _starts_argument(self, token: Token) -> bool:
        if not token.spaced or self._at >= len(self._tokens):
            return False
        if token.kind == "word":
            return token.text not in _INFIX_WORDS
        return token.kind in {"string", "number"} or (token.kind == "sign" and token.text == "[")

    def _arguments(self, closing: str) -> tuple[Argument, ...]:
        """Read arguments up to `closing`, or up to the end of the line where that is ""."""
        found: list[Argument] = []
        self._depth += 1
        while self._at < len(self._tokens):
            token = self._peek()
            if token.kind == "newline":
                if not closing:
                    break
                self._at += 1
                continue
            if token.kind == "sign" and token.text in {")", "]", "}"}:
                self._at += token.text == closing
                break
            if token.kind == "sign" and token.text == ";":
                if not closing:
                    break
                self._at += 1
                continue
            before = self._at
            found.extend(self._argument())
            comma = self._sign(",")
            if comma:
                self._at += 1
                self._skip_lines()
            elif not closing:
                break
            elif self._at == before:
                self._at += 1
        self._depth -= 1
        return tuple(found)

    def _argument(self) -> Iterator[Argument]:
        token, after = self._peek(), self._peek(1)
        name = ""
        if after.kind == "sign" and after.text == ":" and token.kind in {"word", "string"}:
            name = token.text if token.kind == "word" else _plain(token.pieces)
            self._at += 2
            self._skip_lines()
        elif token.kind == "sign" and token.text == ":":
            self._at += 1  # an empty map, or a key that is an expression
            return
        value = self._expression()
        if value is not None:
            yield Argument(name, value)


def _together(joined: list[Expression], others: list[Expression]) -> Expression:
    whole = joined[0]
    if len(joined) > 1:
        whole = Joined(tuple(joined), joined[0].start, joined[-1].end)
    if others:
        return Listing((whole, *others), whole.start, others[-1].end)
    return whole


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"${{{piece.text}}}" if piece.code else piece.text for piece in pieces)
