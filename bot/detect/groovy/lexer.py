"""Groovy text -> tokens with their places.

Source: the Groovy language documentation, "Syntax" (strings, comments, identifiers). Strings keep
their pieces, one a line of the file, so that shell text inside them knows its lines.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["word", "string", "number", "sign", "newline"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a string literal that stands on one line of the file."""

    text: str  # escapes resolved; the source text of an expression if `code`
    start: int  # offset in the file
    code: bool = False  # `${…}` or `$name`


@dataclass(frozen=True, slots=True)
class Token:
    """One word, string, number or sign."""

    kind: Kind
    text: str
    start: int
    end: int
    pieces: tuple[Piece, ...] = ()
    spaced: bool = False  # whether a blank stands before it


_SKIP = re.compile(
    r"(?:[ \t\r\f\v]+|\\\r?\n|//[^\n]*|/\*.*?(?:\*/|\Z)|(?<![^\n])#![^\n]*)+", re.DOTALL
)
_WORD = re.compile(r"[^\W\d][\w$]*|\$[^\W\d]\w*")
_NUMBER = re.compile(r"\d[\w.]*")
_SIGN = re.compile(r"\?\.|\*\.|\.&|->|\?:|\+=|-=|<<=|<<|==~|=~|===?|!==?|<=>?|>=|&&|\|\||\+\+|--|.")
_SLASHY = re.compile(r"/(?P<body>(?:\\/|[^/\n])+)/")
_STOPS = {
    quote: re.compile(r"\\.|\$\{|" + quote + ("" if len(quote) == 3 else r"|\n"), re.DOTALL)
    for quote in ("'", '"', "'''", '"""')
}
_IN_HOLE = re.compile(r"[{}\n\"']")
_NAME_HOLE = re.compile(r"\$(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)")
_SPECIAL = re.compile(r"[\\$\n]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "s": " "}
_UNICODE = re.compile(r"u+([0-9a-fA-F]{4})")
_CLOSERS = frozenset({")", "]", "}"})
_LONGEST_HOLE = 2_000
_MOST_BROKEN_HOLES = 500


class Lexer:
    """Reads one text once, from front to back, in linear time."""

    def __init__(self, content: str) -> None:
        self._content = content
        self._broken_holes = 0
        self._dollar_slashy = True

    def tokens(self) -> Iterator[Token]:
        """Yield the tokens; comments and blanks are left out, line ends are not."""
        content, end, at = self._content, len(self._content), 0
        previous: Token | None = None
        while at < end:
            blank = _SKIP.match(content, at)
            if blank:
                at = blank.end()
            if at >= end:
                return
            token = self._token(at, previous, spaced=blank is not None)
            yield token
            at = token.end
            previous = token

    def _token(self, at: int, previous: Token | None, *, spaced: bool) -> Token:
        content = self._content
        first = content[at]
        if first == "\n":
            return Token("newline", "\n", at, at + 1)
        if first in "'\"":
            return self._quoted(at, spaced=spaced)
        if first == "$" and content.startswith("$/", at) and self._dollar_slashy:
            close = content.find("/$", at + 2)
            if close >= 0:
                return self._string(at, close + 2, 2, "$/", spaced=spaced)
            self._dollar_slashy = False
        if first == "/" and _operand_may_start(previous) and (found := _SLASHY.match(content, at)):
            return self._string(at, found.end(), 1, "/", spaced=spaced)
        if word := _WORD.match(content, at):
            return Token("word", word[0], at, word.end(), (), spaced)
        if number := _NUMBER.match(content, at):
            return Token("number", number[0], at, number.end(), (), spaced)
        sign = _SIGN.match(content, at)
        text = sign[0] if sign else first
        return Token("sign", text, at, at + len(text), (), spaced)

    def _quoted(self, at: int, *, spaced: bool) -> Token:
        content = self._content
        quote = content[at] * 3 if content.startswith(content[at] * 3, at) else content[at]
        close = self._closing(at + len(quote), quote)
        closed = content.startswith(quote, close)
        pieces = tuple(self._pieces(at + len(quote), close, holes=quote[0] == '"', escapes=""))
        end = close + len(quote) if closed else close
        return Token("string", quote, at, end, pieces, spaced)

    def _string(self, at: int, end: int, width: int, escapes: str, *, spaced: bool) -> Token:
        pieces = tuple(self._pieces(at + width, end - width, holes=True, escapes=escapes))
        return Token("string", escapes, at, end, pieces, spaced)

    def _closing(self, at: int, quote: str) -> int:
        """Return where a string ends: at its quote, else at the end of the line or of the text."""
        content, stop = self._content, _STOPS[quote]
        while found := stop.search(content, at):
            if found[0] == "${":
                at = found.end()
                if quote[0] == '"':
                    at = self._hole_end(at, quote) or at
            elif found[0][0] == "\\":
                at = found.end()
            else:
                return found.start()
        return len(content)

    def _hole_end(self, at: int, quote: str) -> int | None:
        """Return the offset after the brace that closes `${`, None where none does."""
        content = self._content
        depth, limit = 1, min(len(content), at + _LONGEST_HOLE)
        if self._broken_holes > _MOST_BROKEN_HOLES:
            return None
        while found := _IN_HOLE.search(content, at, limit):
            at = found.end()
            char = found[0]
            if char == "{":
                depth += 1
            elif char == "}":
                depth -= 1
                if not depth:
                    return at
            elif char == "\n":
                if len(quote) == 1:
                    break
            elif len(quote) == 3 and content.startswith(quote, at - 1):
                break
            else:
                close = content.find(char, at, limit)
                newline = content.find("\n", at, limit)
                if close >= 0 and (newline < 0 or close < newline):
                    at = close + 1
        self._broken_holes += 1
        return None

    def _pieces(self, at: int, end: int, *, holes: bool, escapes: str) -> Iterator[Piece]:
        r"""Yield the parts of a string's inside.

        `escapes` is "" for all backslash escapes, "/" for `\/` only, "$/" for `$$` and `$/`.
        A backslash at the end of a line joins it with the next one: two pieces, no line end.
        """
        content = self._content
        text: list[str] = []
        start = at
        while at < end:
            found = _SPECIAL.search(content, at, end)
            if found is None:
                text.append(content[at:end])
                break
            text.append(content[at : found.start()])
            at, char = found.end(), found[0]
            if char == "\n":
                yield Piece("".join(text) + "\n", start)
                text, start = [], at
            elif char == "\\" and not escapes and at < end:
                resolved, after = _escape(content, at)
                if content[at] in "\r\n":
                    yield Piece("".join(text), start)
                    text, start = [], after
                else:
                    text.append(resolved)
                at = after
            elif char == "\\" and escapes == "/" and content.startswith("/", at):
                text.append("/")
                at += 1
            elif char == "$" and escapes == "$/" and content[at : at + 1] in {"$", "/"}:
                text.append(content[at])
                at += 1
            elif char == "$" and holes and (hole := self._hole(at - 1)):
                source, after = hole
                yield Piece("".join(text), start)
                yield Piece(source, at - 1, code=True)
                text, start, at = [], after, after
            else:
                text.append(char)
        yield Piece("".join(text), start)

    def _hole(self, at: int) -> tuple[str, int] | None:
        if self._content.startswith("${", at):
            end = self._hole_end(at + 2, '"""')
            return (self._content[at + 2 : end - 1], end) if end else None
        name = _NAME_HOLE.match(self._content, at)
        return (name["name"], name.end()) if name else None


def _operand_may_start(previous: Token | None) -> bool:
    if previous is None or previous.kind == "newline":
        return True
    return previous.kind == "sign" and previous.text not in _CLOSERS


def _escape(content: str, at: int) -> tuple[str, int]:
    char = content[at]
    if char == "\r" and content.startswith("\n", at + 1):
        return "", at + 2
    if char == "\n":
        return "", at + 1
    if char == "u" and (code := _UNICODE.match(content, at)):
        return chr(int(code[1], 16)), code.end()
    return _ESCAPES.get(char, char), at + 1
