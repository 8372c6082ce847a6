"""Nix text -> attribute sets, lists and strings, with the lines of each.

Grammar: Nix reference manual, "Nix Language" (string literals, attribute sets, lists, `let`,
`with`, `inherit`). Functions, conditions and operators are not evaluated: what stands in an
expression stands in it, whichever way it is chosen or put together.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect.lines import Text
from bot.detect.nix.scanner import Scanner, String

_DEEPEST = 80
_ENDS = frozenset({";", ")", "]", "}", "in", ","})


@dataclass(frozen=True, slots=True)
class Word:
    """A name, dots and all: `lib.mkIf`, `pkgs`, `socket`."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    parts: tuple["Part", ...]


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between `=` and `;`, or in parentheses: its parts in their order."""

    parts: tuple["Part", ...]

    def strings(self) -> Iterator[String]:
        """Yield the strings in it, in lists and parentheses too, not those in sets."""
        stack: list[Part] = list(reversed(self.parts))
        while stack:
            part = stack.pop()
            if isinstance(part, String):
                yield part
            elif isinstance(part, Items | Expression):
                stack.extend(reversed(part.parts))


@dataclass(frozen=True, slots=True)
class Binding:
    """`a.b = value;`."""

    names: tuple[str, ...]
    value: Expression
    first: int
    last: int
    text: str  # as written, its blanks and comments gone


@dataclass(frozen=True, slots=True)
class Attributes:
    """An attribute set, or what `let` binds."""

    bindings: tuple[Binding, ...]
    first: int
    last: int
    local: bool = False  # bound by `let`


Part = String | Word | Items | Expression | Attributes


def read_nix(text: Text) -> Expression:
    """Return the expression that a file is; never raises."""
    return _Parser(text).whole()


class _Parser:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._tokens = list(Scanner(text).tokens())
        self._at = 0
        self._depth = 0

    def whole(self) -> Expression:
        """Return everything, also behind what closes something that never opened."""
        parts: list[Part] = []
        while self._at < len(self._tokens):
            parts.extend(self._expression().parts)
            self._at += 1
        return Expression(tuple(parts))

    def _peek(self) -> str:
        if self._at >= len(self._tokens):
            return ""
        token = self._tokens[self._at]
        return token.text if token.kind != "string" else "\0"

    def _line(self, index: int) -> int:
        index = min(index, len(self._tokens) - 1)
        return self._text.line_of(self._tokens[index].at) if index >= 0 else 1

    def _expression(self) -> Expression:
        parts: list[Part] = []
        while self._at < len(self._tokens) and self._peek() not in _ENDS:
            word = self._peek()
            if word in {"let", "with", "assert"}:
                self._at += 1
                if self._depth < _DEEPEST:
                    self._depth += 1
                    parts.extend(self._opened(word))
                    self._depth -= 1
            elif (part := self._atom()) is not None:
                parts.append(part)
        return Expression(tuple(parts))

    def _opened(self, word: str) -> Iterator[Part]:
        """Yield what stands between a word that opens an expression and its body."""
        if word == "let":
            yield self._bindings("in", local=True)
            return
        yield from self._expression().parts
        if self._peek() == ";":
            self._at += 1

    def _atom(self) -> Part | None:
        token = self._tokens[self._at]
        self._at += 1
        if token.string is not None:
            return token.string
        if token.kind == "word":
            return Word(token.text, self._line(self._at - 1))
        if token.text not in {"{", "[", "("}:
            return None
        if self._depth >= _DEEPEST:
            self._skip()
            return None
        self._depth += 1
        try:
            if token.text == "{":
                return self._bindings("}")
            return self._items() if token.text == "[" else self._parentheses()
        finally:
            self._depth -= 1

    def _skip(self) -> None:
        """Pass what is nested too deep."""
        depth = 1
        while self._at < len(self._tokens) and depth:
            sign = self._peek()
            depth += (sign in {"{", "[", "("}) - (sign in {"}", "]", ")"})
            self._at += 1

    def _items(self) -> Items:
        parts: list[Part] = []
        while self._at < len(self._tokens) and self._peek() not in {"]", ";", "}"}:
            part = self._atom()
            if part is not None:
                parts.append(part)
        if self._peek() == "]":
            self._at += 1
        return Items(tuple(parts))

    def _parentheses(self) -> Expression:
        parts: list[Part] = []
        while self._at < len(self._tokens):
            parts.extend(self._expression().parts)
            end = self._peek()
            if end in {"]", "}", "in"}:
                break
            self._at += 1
            if end == ")":
                break
        return Expression(tuple(parts))

    def _bindings(self, close: str, *, local: bool = False) -> Attributes:
        first = self._line(self._at - 1)
        found: list[Binding] = []
        while self._at < len(self._tokens) and self._peek() != close:
            start = self._at
            if self._peek() == "inherit":
                while self._at < len(self._tokens) and self._peek() not in {";", close}:
                    self._at += 1
                self._at += self._peek() == ";"
                continue
            names = self._names()
            if names and self._peek() == "=":
                self._at += 1
                value = self._expression()
                last = self._line(self._at)
                self._at += self._peek() == ";"
                said = self._written(start, self._at)
                found.append(Binding(names, value, self._line(start), last, said))
            elif self._at == start or self._peek() not in {close, ""}:
                self._atom()
        last = self._line(self._at)
        self._at += 1
        return Attributes(tuple(found), first, last, local)

    def _names(self) -> tuple[str, ...]:
        names: list[str] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.string is not None:
                names.append(token.string.text)
            elif token.kind == "word" and token.text != "in":
                names.extend(token.text.split("."))
            else:
                break
            self._at += 1
            if self._peek() != ".":
                break
            self._at += 1
        return tuple(names)

    def _written(self, start: int, end: int) -> str:
        return " ".join(
            repr(token.string.text) if token.string is not None else token.text
            for token in self._tokens[start:end]
        )
