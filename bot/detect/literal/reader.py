"""Tokens of Jsonnet or Starlark -> expressions. Never raises; what is not understood is skipped.

Sources: the Jsonnet specification ("Abstract Syntax"), the Starlark specification ("Expressions").
"""

from bot.detect import effort
from bot.detect.literal.lexer import Dialect, Token, tokens
from bot.detect.literal.tree import (
    Binding,
    Call,
    Either,
    Expression,
    Field,
    Function,
    Joined,
    Let,
    Member,
    Name,
    Scalar,
    Several,
    Table,
)

DEEPEST = 60
_MOST_TOKENS = 120_000
_LONGEST = 600_000  # characters; no configuration is that long
_INFIX = frozenset(
    {"-", "*", "/", "==", "!=", "<", ">", "<=", ">=", "&&", "||", "&", "|", "^", "//",
     "<<", ">>", "and", "or", "in", "not"}
)  # fmt: skip
_PREFIX = frozenset({"!", "-", "+", "~", "not", "assert", "error", "import", "importstr", "lambda"})
_FIELD_SIGNS = frozenset({":", "::", ":::", "+:", "="})
_END = Token("sign", "", 0, 0)


class Reader:
    """One text."""

    def __init__(self, content: str, dialect: Dialect) -> None:
        if len(content) > _LONGEST:
            effort.skip()
        self._tokens = tuple(effort.first(tokens(content[:_LONGEST], dialect), _MOST_TOKENS))
        self._dialect = dialect
        self._at = 0
        self._depth = 0

    def jsonnet(self) -> Expression | None:
        """Read the one expression that a Jsonnet file is."""
        found = self._expression()
        while found is None and self._at < len(self._tokens):
            self._at += 1
            found = self._expression()
        return found

    def _peek(self, ahead: int = 0) -> Token:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else _END

    def _is(self, *texts: str) -> bool:
        token = self._peek()
        return token.kind in {"sign", "word"} and token.text in texts

    def _take(self, *texts: str) -> bool:
        taken = self._is(*texts)
        self._at += taken
        return taken

    def _last(self) -> int:
        return self._tokens[self._at - 1].end if 0 < self._at <= len(self._tokens) else 0

    def _names(self) -> tuple[str, ...]:
        found: list[str] = []
        while self._peek().kind == "word" and not self._is("in"):
            found.append(self._peek().text)
            self._at += 1
            self._take(",")
        return tuple(found)

    def _expression(self) -> Expression | None:
        if self._depth > DEEPEST:
            return None
        self._depth += 1
        try:
            return self._infix()
        finally:
            self._depth -= 1

    def _infix(self) -> Expression | None:
        first = self._operand()
        if first is None:
            return None
        parts = [first]
        while self._depth < DEEPEST:
            if self._take("+"):
                operand = self._operand()
                if operand is not None:
                    parts.append(operand)
            elif self._is("{") and self._dialect == "jsonnet":
                operand = self._operand()  # `base { … }` is `base + { … }`
                if operand is not None:
                    parts.append(operand)
            elif self._dialect == "starlark" and self._take("if"):
                return self._conditional(self._joined(parts))
            elif self._take("%"):
                parts[-1] = self._formatted(parts[-1])
            elif self._peek().text in _INFIX and self._peek().kind in {"sign", "word"}:
                self._at += 1
                self._operand()
            else:
                break
        return self._joined(parts)

    def _formatted(self, template: Expression) -> Expression:
        """Return `template % value` as the call of a method that is called `%`."""
        operand = self._operand()
        values = operand.items if isinstance(operand, Several) else (operand,)
        arguments = tuple(Binding("", value) for value in values if value is not None)
        method = Member(template, "%", template.start, template.end)
        return Call(method, arguments, template.start, self._last())

    @staticmethod
    def _joined(parts: list[Expression]) -> Expression:
        if len(parts) == 1:
            return parts[0]
        return Joined(tuple(parts), parts[0].start, parts[-1].end)

    def _conditional(self, one: Expression) -> Expression:
        self._expression()
        other = self._expression() if self._take("else") else None
        parts = (one, other) if other is not None else (one,)
        return Either(parts, one.start, self._last())

    def _operand(self) -> Expression | None:
        while self._peek().text in _PREFIX and self._peek().kind in {"sign", "word"}:
            if self._is("lambda"):
                return self._lambda()
            self._at += 1
        found = self._primary()
        return self._after(found) if found is not None else None

    def _lambda(self) -> Expression | None:
        start = self._peek().start
        self._at += 1
        names: list[Binding] = []
        while self._peek().kind == "word":
            names.append(Binding(self._peek().text, None))
            self._at += 1
            self._take(",")
        self._take(":")
        body = self._expression()
        return Function(tuple(names), body, start, self._last()) if body is not None else None

    def _after(self, found: Expression) -> Expression:
        while self._depth < DEEPEST:
            start = found.start
            if self._take("("):
                arguments = self._arguments(")")
                found = Call(found, arguments, start, self._last())
            elif self._take("["):
                inside = self._arguments("]")
                key = inside[0].value if inside else None
                name = key.text if isinstance(key, Scalar) else ""
                found = Member(found, name, start, self._last())
            elif self._is(".") and self._peek(1).kind == "word":
                name = self._peek(1).text
                self._at += 2
                found = Member(found, name, start, self._last())
            else:
                break
        return found

    def _primary(self) -> Expression | None:
        token = self._peek()
        if token is _END or token.kind == "line":
            return None
        if token.kind in {"text", "number"}:
            return self._texts()
        if token.kind == "word":
            if self._dialect == "jsonnet":
                if self._take("local"):
                    return self._let(token)
                if self._take("if"):
                    return self._if(token)
                if self._take("function"):
                    parameters = self._arguments(")") if self._take("(") else ()
                    body = self._expression()
                    if body is None:
                        return None
                    return Function(parameters, body, token.start, self._last())
            self._at += 1
            return Name(token.text, token.start, token.end)
        if token.text not in {"(", "[", "{"}:
            return None
        self._at += 1
        if self._depth >= DEEPEST:
            return Name("", token.start, token.end)
        if token.text == "{":
            return self._table(token)
        closing = ")" if token.text == "(" else "]"
        return self._list(token, closing)

    def _texts(self) -> Expression:
        """Read a string, with those that follow it right away (Starlark joins them)."""
        first = self._peek()
        texts = [first.text]
        self._at += 1
        while self._dialect == "starlark" and first.kind == "text" and self._peek().kind == "text":
            texts.append(self._peek().text)
            self._at += 1
        return Scalar("".join(texts), first.start, self._last())

    def _if(self, token: Token) -> Expression | None:
        self._expression()
        self._take("then")
        parts = [self._expression()]
        if self._take("else"):
            parts.append(self._expression())
        known = tuple(part for part in parts if part is not None)
        return Either(known, token.start, self._last()) if known else None

    def _let(self, token: Token) -> Expression | None:
        bindings: list[Binding] = []
        while True:
            bindings.append(self._binding())
            if self._take(","):
                continue
            self._take(";")
            if not self._take("local"):
                break
        body = self._expression()
        if body is None:
            body = Name("", self._last(), self._last())
        return Let(tuple(bindings), body, token.start, self._last())

    def _binding(self) -> Binding:
        name = self._peek()
        self._at += name.kind == "word"
        parameters = self._arguments(")") if self._take("(") else None
        self._take("=")
        value = self._expression()
        if parameters is not None and value is not None:
            value = Function(parameters, value, name.start, self._last())
        return Binding(name.text if name.kind == "word" else "", value)

    def _list(self, token: Token, closing: str) -> Expression:
        loop: list[tuple[tuple[str, ...], Expression]] = []
        items = self._arguments(closing, loop)
        values = tuple(one.value for one in items if one.value is not None)
        if loop:
            return Several(values, token.start, self._last(), loop[0])
        if closing == ")" and len(values) == 1:
            return values[0]
        return Several(values, token.start, self._last())

    def _arguments(
        self, closing: str, loop: list[tuple[tuple[str, ...], Expression]] | None = None
    ) -> tuple[Binding, ...]:
        """Read values, each maybe with a name, up to `closing`."""
        found: list[Binding] = []
        self._depth += 1
        while self._at < len(self._tokens):
            if self._take(closing):
                break
            if self._is(")", "]", "}"):
                break
            if self._take(",", ";", "*", "**") or self._peek().kind == "line":
                self._at += self._peek().kind == "line"
                continue
            if self._take("for"):
                names = self._names()
                over = self._expression() if self._take("in") else None
                if loop is not None and over is not None and not loop:
                    loop.append((names, over))
                continue
            if loop and self._take("if"):
                self._expression()
                continue
            before = self._at
            named = self._peek().kind == "word" and self._peek(1).text == "="
            if named and self._peek(1).kind == "sign":
                name = self._peek().text
                self._at += 2
                found.append(Binding(name, self._expression()))
            else:
                value = self._expression()
                if value is not None:
                    found.append(Binding("", value))
            if self._at == before:
                self._at += 1
        self._depth -= 1
        return tuple(found)

    def _table(self, token: Token) -> Expression:
        fields: list[Field] = []
        bindings: list[Binding] = []
        while self._at < len(self._tokens):
            if self._take("}"):
                break
            if self._is(")", "]"):
                break
            before = self._at
            if self._take(",", ";") or self._peek().kind == "line":
                self._at += self._peek().kind == "line"
                continue
            if self._dialect == "jsonnet" and self._take("local"):
                bindings.append(self._binding())
            elif self._take("for", "if"):
                self._expression()
            elif self._take("assert"):
                self._expression()
                if self._take(":"):
                    self._expression()
            elif (field := self._field()) is not None:
                fields.append(field)
            if self._at == before:
                self._at += 1
        return Table(tuple(fields), tuple(bindings), token.start, self._last())

    def _field(self) -> Field | None:
        token = self._peek()
        key: Expression | None
        if token.kind == "word" and self._peek(1).text in {*_FIELD_SIGNS, "("}:
            self._at += 1
            kind = Name if self._dialect == "starlark" else Scalar
            key = kind(token.text, token.start, token.end)
        elif self._dialect == "jsonnet" and self._take("["):
            inside = self._arguments("]")
            key = inside[0].value if inside else None
        else:
            key = self._expression()
        parameters = self._arguments(")") if self._take("(") else None
        added = self._is("+:") or (self._is("+") and self._peek(1).text.startswith(":"))
        self._take("+")
        if key is None or not self._take(":", "::", ":::", "+:"):
            return None
        added = self._take(":") or added  # `+::`
        value = self._expression()
        if value is None:
            return None
        if parameters is not None:
            value = Function(parameters, value, token.start, self._last())
        return Field(key, value, added)
