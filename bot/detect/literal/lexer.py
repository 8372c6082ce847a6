"""Jsonnet or Starlark text -> tokens with their places.

Sources: the Jsonnet specification ("Lexing"), the Starlark specification ("Lexical elements").
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["jsonnet", "starlark"]
Kind = Literal["word", "text", "number", "sign", "line"]


@dataclass(frozen=True, slots=True)
class Token:
    """One word, string, number, sign, or (Starlark) start of a line outside brackets."""

    kind: Kind
    text: str  # a string's value; the indentation of a line
    start: int
    end: int


_BLANK = {
    "jsonnet": re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|/\*.*?(?:\*/|\Z))+", re.DOTALL),
    "starlark": re.compile(r"(?:[ \t\r\f]+|\\\r?\n|#[^\n]*)+"),
}
_WORD = re.compile(r"[^\W\d]\w*")
_NUMBER = re.compile(r"\d[\w.]*")
_SIGN = re.compile(r":::|::|\+:|==|!=|<=|>=|&&|\|\||\+=|-=|\*\*|//|<<|>>|.", re.DOTALL)
_STRING = re.compile(
    r"""(?P<verbatim>@"(?:[^"]|"")*"|@'(?:[^']|'')*')"""
    r"""|(?P<prefix>[rbRB]{0,2})(?:(?P<triple>\"\"\"|''')(?P<long>.*?)(?:(?P=triple)|\Z)"""
    r"""|"(?P<double>(?:\\.|[^"\\])*)"|'(?P<single>(?:\\.|[^'\\])*)')""",
    re.DOTALL,
)
_BLOCK = re.compile(r"\|\|\|-?[ \t]*\n")
_BLOCK_END = re.compile(r"\n[ \t]*\|\|\|")
_REST_OF_LINE = re.compile(r"[^\n]*")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}
_LINE = re.compile(r"\n(?P<indent>[ \t]*)")
_OPEN, _CLOSE = frozenset("([{"), frozenset(")]}")


def tokens(content: str, dialect: Dialect) -> Iterator[Token]:
    """Yield the tokens of a text; comments and blanks are left out."""
    at, end, depth = 0, len(content), 0
    blank = _BLANK[dialect]
    while at < end:
        if skipped := blank.match(content, at):
            at = skipped.end()
            continue
        char = content[at]
        if char == "\n":
            line = _LINE.match(content, at)
            after = line.end() if line else at + 1
            if not depth and line:
                yield Token("line", line["indent"].expandtabs(8), at, after)
            at = after
            continue
        token = _token(content, at, dialect)
        if token.kind == "sign":
            depth += (token.text in _OPEN) - (token.text in _CLOSE)
            depth = max(depth, 0)
        yield token
        at = token.end


def _token(content: str, at: int, dialect: Dialect) -> Token:
    if content[at] in "\"'@rbRB" and (found := _string(content, at, dialect)):
        return found
    if dialect == "jsonnet" and (block := _BLOCK.match(content, at)):
        close = _BLOCK_END.search(content, block.end() - 1)
        end = close.start() if close else len(content)
        body = _unindented(content[block.end() : end])
        return Token("text", body, at, close.end() if close else end)
    if word := _WORD.match(content, at):
        return Token("word", word[0], at, word.end())
    if number := _NUMBER.match(content, at):
        return Token("number", number[0], at, number.end())
    sign = _SIGN.match(content, at)
    text = sign[0] if sign else content[at]
    return Token("sign", text, at, at + len(text))


def _string(content: str, at: int, dialect: Dialect) -> Token | None:
    found = _STRING.match(content, at)
    if found is None:
        if content[at] not in "\"'":
            return None
        rest = _REST_OF_LINE.match(content, at)  # it is never closed: not more than its line
        end = rest.end() if rest else at + 1
        return Token("text", content[at + 1 : end], at, end)
    if found["verbatim"] is not None:
        quote = found[0][1]
        return Token("text", found[0][2:-1].replace(quote * 2, quote), at, found.end())
    prefix = found["prefix"].lower()
    if prefix and dialect == "jsonnet":
        return None
    if found["triple"] and dialect == "jsonnet":
        return Token("text", "", at, at + 2)
    raw = next(found[name] for name in ("long", "double", "single") if found[name] is not None)
    value = raw if "r" in prefix else _ESCAPE.sub(_unescaped, raw)
    return Token("text", value, at, found.end())


def _unescaped(escape: re.Match[str]) -> str:
    if escape[1]:
        return chr(int(escape[1], 16))
    return _ESCAPED.get(escape[2], escape[2])


def _unindented(body: str) -> str:
    lines = body.split("\n")
    width = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[width:] if line[:width].isspace() else line for line in lines)
