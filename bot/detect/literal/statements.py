"""Tokens of Starlark -> statements. Source: the Starlark specification ("Statements")."""

from bot.detect.literal.lexer import Token
from bot.detect.literal.reader import DEEPEST, Reader
from bot.detect.literal.tree import (
    Assign,
    Call,
    Function,
    Member,
    Name,
    Return,
    Statement,
    Suite,
)


class StatementReader(Reader):
    """One Starlark text."""

    def __init__(self, content: str) -> None:
        super().__init__(content, "starlark")
        self._margin = 0  # the indentation of the line that is being read

    def starlark(self) -> tuple[Statement, ...]:
        """Read the statements of a Starlark file."""
        found: list[Statement] = []
        while self._at < len(self._tokens):
            found.extend(self._suite(-1))
            self._at += 1
        return tuple(found)

    def _suite(self, above: int) -> tuple[Statement, ...]:
        """Read the lines that are indented deeper than `above`."""
        found: list[Statement] = []
        while self._at < len(self._tokens):
            token = self._peek()
            if token.kind == "line":
                following = self._peek(1)
                if following.kind != "line" and len(token.text) <= above:
                    break
                self._margin = len(token.text)
                self._at += 1
                continue
            before = self._at
            found.extend(self._statement(self._margin))
            if self._at == before:
                self._at += 1
        return tuple(found)

    def _statement(self, indent: int) -> tuple[Statement, ...]:
        token = self._peek()
        if self._depth >= DEEPEST:
            return ()
        if self._take("def"):
            name = self._peek()
            self._at += 1
            parameters = self._arguments(")") if self._take("(") else ()
            body = self._body(indent)
            function = Function(parameters, body, token.start, self._last())
            return (Assign(name.text, function, token.start),)
        if self._take("for"):
            names = self._names()
            over = self._expression() if self._take("in") else None
            return (Suite(self._body(indent), names, over),)
        if self._take("if", "elif", "else"):
            self._expression()
            return (Suite(self._body(indent)),)
        if self._take("return"):
            value = self._expression()
            return (Return(value, token.start),) if value is not None else ()
        if self._take("load", "pass", "break", "continue"):
            self._skip_line()
            return ()
        return self._simple(token)

    def _body(self, indent: int) -> tuple[Statement, ...]:
        while self._at < len(self._tokens) and not self._is(":") and self._peek().kind != "line":
            self._at += 1
        self._take(":")
        self._depth += 1
        on_lines = self._peek().kind == "line"
        found = self._suite(indent) if on_lines else self._statement(indent)
        self._depth -= 1
        return found

    def _simple(self, token: Token) -> tuple[Statement, ...]:
        target = self._expression()
        if target is None:
            return ()
        if self._is("=", "+="):
            how = self._peek().text
            self._at += 1
            value = self._expression()
            if value is None:
                return ()
            if isinstance(target, Name):
                return (Assign(target.text, value, token.start, how),)
            if isinstance(target, Member) and isinstance(target.of, Name):
                return (Assign(target.of.text, value, token.start, target.name),)
            return ()
        if isinstance(target, Call) and isinstance(target.callee, Member):
            of, name = target.callee.of, target.callee.name
            first = target.arguments[0].value if target.arguments else None
            if isinstance(of, Name) and first is not None and name in {"append", "extend"}:
                how = "append" if name == "append" else "+="
                return (Assign(of.text, first, token.start, how),)
        return (Return(target, token.start, bare=True),)

    def _skip_line(self) -> None:
        while self._at < len(self._tokens) and self._peek().kind != "line":
            self._at += 1
