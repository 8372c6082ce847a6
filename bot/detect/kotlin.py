"""Kotlin configuration scripts as blocks with assignments and calls, each string with its lines.

Source: Kotlin documentation, "Strings" (escaped and raw strings, templates) and "Comments". Only
what a configuration language needs is read: `name = "…"`, `name("…", "…")`, `name { … }`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from bot.detect import effort
from bot.detect.lines import Text

_TOKEN = re.compile(
    r"(?P<space>[ \t\r]+|/\*[\s\S]*?\*/|//[^\n]*)"
    r"|(?P<raw>\"\"\"[\s\S]*?(?:\"{3,}|\Z))"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"?)"
    r"|(?P<char>'(?:\\.|[^'\\\n])*'?)"
    r"|(?P<word>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r"|(?P<line>\n)"
    r"|(?P<sign>[\s\S])"
)
_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<one>.))", re.DOTALL)
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r"}
_DEEPEST = 200
_MOST_TOKENS = 500_000
_MODIFIERS = frozenset({"val", "var", "const", "private", "internal", "override", "return"})


@dataclass(frozen=True, slots=True)
class Literal:
    """A string, or several that are added, with the file line of each line of its text."""

    text: str
    lines: tuple[int, ...]


@dataclass(slots=True)
class Block:
    """What stands in braces: `head { … }`."""

    head: str  # "script", "object Build"
    first: int
    last: int = 0
    number: int = 1  # among the blocks around it
    values: dict[str, Literal] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  # name = OTHER_NAME
    calls: list[tuple[str, tuple[Literal, ...]]] = field(default_factory=list)
    blocks: list["Block"] = field(default_factory=list)

    def walk(
        self, above: tuple["Block", ...] = ()
    ) -> Iterator[tuple["Block", tuple["Block", ...]]]:
        """Yield this block and all below it, each with the blocks around it."""
        stack = [(self, above)]
        while stack:
            block, outer = stack.pop()
            yield block, outer
            stack.extend((below, (*outer, block)) for below in reversed(block.blocks))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A token of a statement."""

    kind: str
    text: str
    start: int


def read_kotlin(text: Text) -> Block:
    """Read a script into the block that is the file. Never raises."""
    root = Block("", 1, len(text))
    stack = [root]
    statement: list[_Piece] = []
    opened = 0
    for count, match in enumerate(_TOKEN.finditer(text.content)):
        if count > _MOST_TOKENS:
            effort.skip()
            break
        piece = _Piece(match.lastgroup or "sign", match[0], match.start())
        if piece.kind == "space":
            continue
        sign = piece.text if piece.kind == "sign" else ""
        if piece.kind == "line" or sign == ";":
            if not _continues(statement, opened, text.content, match.end()):
                _close(statement, stack[-1], text)
                statement, opened = [], 0
        elif sign == "{":
            head = _head(statement)
            _close(statement, stack[-1], text)
            block = Block(head, text.line_of(match.start()))
            if len(stack) < _DEEPEST:
                stack[-1].blocks.append(block)
                block.number = len(stack[-1].blocks)
            stack.append(block)
            statement, opened = [], 0
        elif sign == "}":
            _close(statement, stack[-1], text)
            statement, opened = [], 0
            if len(stack) > 1:
                stack.pop().last = text.line_of(match.start())
        else:
            opened += (sign == "(") - (sign == ")")
            statement.append(piece)
    _close(statement, stack[-1], text)
    for block in stack[1:]:
        block.last = len(text)
    return root


def _continues(statement: list[_Piece], opened: int, content: str, at: int) -> bool:
    """Tell whether a statement goes on after a line end: an open bracket, an operator, `.trim…`."""
    if not statement:
        return False
    if opened > 0 or statement[-1].text in {"=", "+", ","}:
        return True
    return content[at : at + 200].lstrip().startswith((".", "+"))


def _head(statement: list[_Piece]) -> str:
    words = [piece.text for piece in statement if piece.kind == "word"]
    if "object" in words[:-1]:
        return f"object {words[words.index('object') + 1]}"
    at = next((i for i, piece in enumerate(statement) if piece.text == "="), -1)
    after = (piece.text for piece in statement[at + 1 :] if piece.kind == "word")
    return next((word for word in after if word not in _MODIFIERS), "")


def _close(statement: list[_Piece], block: Block, text: Text) -> None:
    """Take a finished statement into the block."""
    signs = [piece.text for piece in statement if piece.kind == "sign"]
    words = [piece.text for piece in statement if piece.kind == "word"]
    literals = [_literal(piece, text) for piece in statement if piece.kind in {"raw", "string"}]
    if not words:
        return
    if "=" in signs:
        at = next(i for i, piece in enumerate(statement) if piece.text == "=")
        names = [
            piece.text
            for piece in statement[:at]
            if piece.kind == "word" and piece.text not in _MODIFIERS
        ]
        after = [piece.text for piece in statement[at:] if piece.kind == "word"]
        if names and literals:
            several = any("joinToString" in word for word in after)
            block.values[names[0]] = _added(literals, " " if several else "")
        elif names and after:
            block.names[names[0]] = after[0]
    elif "(" in signs and literals:
        block.calls.append((words[0], tuple(literals)))


def _added(literals: list[Literal], separator: str) -> Literal:
    """Return strings that are added or joined as one; each keeps its own line where it can."""
    pieces = [one.text for one in literals]
    apart = separator or all(p.endswith(" ") or q.startswith(" ") for p, q in pairwise(pieces))
    if len(literals) > 1 and apart and not any("\n" in piece for piece in pieces):
        return Literal(" \\\n".join(pieces), tuple(one.lines[0] for one in literals))
    lines = list(literals[0].lines)
    for literal in literals[1:]:
        lines.extend(literal.lines[1:])
    return Literal(separator.join(pieces), tuple(lines))


def _literal(piece: _Piece, text: Text) -> Literal:
    first = text.line_of(piece.start)
    if piece.kind == "raw":
        inner = piece.text[3:].rstrip('"')
        return Literal(inner, tuple(range(first, first + inner.count("\n") + 1)))
    inner = _unescaped(piece.text[1:].removesuffix('"'))
    return Literal(inner, (first,) * (inner.count("\n") + 1))


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match["code"]:
            return chr(int(match["code"], 16))
        return _ESCAPES.get(match["one"], match["one"])

    return _ESCAPE.sub(one, text)
