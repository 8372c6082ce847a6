"""Nix text -> tokens; strings with the file's line of each of their own lines.

Grammar: Nix reference manual, "String literal", "Path literal", "Comments".
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort
from bot.detect.lines import Text

_MOST_TOKENS = 400_000
_TOKEN = re.compile(
    r"(?P<blank>\s+|\#[^\n]*|/\*[\s\S]*?(?:\*/|\Z))"
    r"|(?P<open>''|\")"
    r"|(?P<path>(?:~|\.{1,2})?(?:/[\w.+-]+)+/?|<[\w./+-]+>)"
    r"|(?P<word>[A-Za-z_][\w'-]*(?:\.[A-Za-z_][\w'-]*)*)"
    r"|(?P<dynamic>\$\{)"
    r"|(?P<sign>\+\+|==|!=|<=|>=|->|//|&&|\|\||[^\s])"
)
_PLAIN = re.compile(r"[^\"\\$]+")
_PLAIN_BLOCK = re.compile(r"[^'$]+")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True, slots=True)
class String:
    """A string, or a path that stands for itself. `${…}` in it stays as it is written."""

    text: str
    lines: tuple[int, ...]  # one for each line of `text`
    block: bool  # written between two pairs of single quotes

    @property
    def line(self) -> int:
        """The line on which it starts."""
        return self.lines[0]


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `string` is set where it is one."""

    kind: str  # "string", "word", "sign"
    text: str
    at: int
    string: String | None = None


class Scanner:
    """Splits a file into tokens."""

    def __init__(self, text: Text) -> None:
        self._source = text
        self._content = text.content

    def tokens(self) -> Iterator[Token]:
        """Yield what a file is made of, without blanks and comments."""
        at = 0
        for _ in range(_MOST_TOKENS):
            found = _TOKEN.match(self._content, at)
            if found is None:
                return
            kind, start = str(found.lastgroup), at
            at = found.end()
            if kind == "open":
                string, at = self._string(at, block=found[0] == "''")
                yield Token("string", "", start, string)
            elif kind == "path" and "/" in found[0] and found[0][0] != "<":
                string = String(found[0], (self._source.line_of(start),), block=False)
                yield Token("string", "", start, string)
            elif kind == "dynamic":
                at = self._interpolation(start)
                string = String(
                    self._content[start:at], (self._source.line_of(start),), block=False
                )
                yield Token("string", "", start, string)
            elif kind != "blank":
                yield Token("word" if kind == "word" else "sign", found[0], start)
        effort.skip()

    def _string(self, at: int, *, block: bool) -> tuple[String, int]:
        pieces: list[tuple[str, int]] = []
        plain = _PLAIN_BLOCK if block else _PLAIN
        content = self._content
        while at < len(content):
            if content.startswith("''" if block else '"', at):
                end = at + (2 if block else 1)
                escaped = content[end : end + 1] if block else ""
                if escaped and escaped in "$'\\":
                    taken = 2 if escaped == "\\" else 1
                    pieces.append((content[end + taken - 1 : end + taken], at))
                    at = end + taken
                    continue
                return self._placed(pieces, at, block=block), end
            if found := plain.match(content, at):
                pieces.append((found[0], at))
                at = found.end()
            elif content.startswith("${", at):
                end = self._interpolation(at)
                pieces.append((content[at:end], at))
                at = end
            elif content[at] == "\\" and not block:
                letter = content[at + 1 : at + 2]
                pieces.append((_ESCAPES.get(letter, letter), at))
                at += 2
            else:
                pieces.append((content[at], at))
                at += 1
        return self._placed(pieces, at, block=block), at

    def _placed(self, pieces: list[tuple[str, int]], end: int, *, block: bool) -> String:
        """Return a string of pieces of the file; each piece starts at its offset."""
        text = "".join(piece for piece, _ in pieces)
        offsets: list[int] = []
        length = 0
        for piece, _ in pieces:
            offsets.append(length)
            length += len(piece)
        lines, start = [], 0
        while True:
            index = bisect_right(offsets, start) - 1
            if index < 0:
                lines.append(self._source.line_of(end))
            else:
                piece, at = pieces[index]
                inside = start - offsets[index] if piece != "\n" else 0
                lines.append(self._source.line_of(at + inside))
            newline = text.find("\n", start)
            if newline < 0:
                return String(text, tuple(lines), block)
            start = newline + 1

    def _interpolation(self, at: int) -> int:
        """Return the offset after the `}` that closes `${` at `at`; quotes inside are passed."""
        depth, content = 0, self._content
        quoted = False
        while at < len(content):
            char = content[at]
            if char == "\\":
                at += 1
            elif char == '"':
                quoted = not quoted
            elif not quoted and char == "{":
                depth += 1
            elif not quoted and char == "}":
                depth -= 1
                if not depth:
                    return at + 1
            elif char == "\n" and quoted:
                break
            at += 1
        return min(at, len(content))
