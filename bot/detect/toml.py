"""TOML as trees whose nodes know their lines, also where it stands inside another file.

Source: TOML v1.0.0. Tolerant: a line that is neither a header nor `key = value` is skipped, so a
template, a broken file, and a config.toml inside Helm values or a heredoc are read alike.
"""

import re
from dataclasses import dataclass, field

from bot.detect.lines import Text
from bot.detect.positioned import DEEPEST, Node

_NAME = r"""(?:[A-Za-z0-9_-]+|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
_DOTTED = rf"{_NAME}(?:[ \t]*\.[ \t]*{_NAME})*"
_HEADER = re.compile(
    rf"[ \t]*(?P<open>\[\[?)[ \t]*(?P<name>{_DOTTED})[ \t]*\]\]?[ \t]*(?:#[^\n]*)?\r?(?=\n|\Z)"
)
_KEY = re.compile(rf"[ \t]*(?P<name>{_DOTTED})[ \t]*=[ \t]*")
_SPLIT = re.compile(_NAME)
_STRING = re.compile(
    r'"""(?P<long>(?:\\.|[^\\])*?)"""'
    r"|'''(?P<raw>.*?)'''"
    r'|"(?P<basic>(?:\\.|[^"\\\n])*)"'
    r"|'(?P<literal>[^'\n]*)'",
    re.DOTALL,
)
_BARE = re.compile(r"[^\s,\]}#][^,\]}#\n]*")
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r"}
_ESCAPE = re.compile(r"\\(?:u(?P<four>[0-9a-fA-F]{4})|(?P<one>.))", re.DOTALL)
_MOST_NAMES = 32
_MOST_WASTED = 1_000_000


@dataclass(slots=True)
class _Table:
    """A table that is still being read."""

    start: int
    end: int
    pairs: list[tuple[Node, "Node | _Table | list[_Table]"]] = field(default_factory=list)
    known: dict[str, "Node | _Table | list[_Table]"] = field(default_factory=dict)

    def put(self, key: Node, value: "Node | _Table | list[_Table]") -> None:
        self.pairs.append((key, value))
        self.known[key.text] = value


def read_toml(text: Text) -> Node:
    """Read TOML into a mapping. Never raises."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._content = text.content
        self._root = _Table(0, len(text.content))
        self._wasted = 0  # characters of lists and tables that turned out not to end

    def read(self) -> Node:
        at, table = 0, self._root
        content = self._content
        while at < len(content):
            header = _HEADER.match(content, at)
            key = None if header else _KEY.match(content, at)
            if header is not None:
                table = self._table(header)
                at = header.end()
            elif key is not None:
                value, end = self._value(key.end(), 0)
                if value is not None:
                    self._put(table, key, value)
                    table.end = max(table.end, value.end)
                    at = end
            line_end = content.find("\n", at)
            at = line_end + 1 if line_end >= 0 else len(content)
        return self._node(self._root, 0)

    def _names(self, match: re.Match[str]) -> list[Node]:
        found = []
        for part in _SPLIT.finditer(match["name"]):
            start = match.start("name") + part.start()
            name = part[0].strip("\"'")
            found.append(Node("scalar", name, (), (), start, start + len(part[0]), self._text))
        return found[:_MOST_NAMES]

    def _table(self, header: re.Match[str]) -> _Table:
        *parents, last = self._names(header)
        table = self._descend(self._root, parents)
        new = _Table(header.start("open"), header.end("name"))
        known = table.known.get(last.text)
        if header["open"] == "[[":
            if isinstance(known, list):
                known.append(new)
            else:
                table.put(last, [new])
            return new
        if isinstance(known, _Table):
            return known
        table.put(last, new)
        return new

    def _descend(self, table: _Table, names: list[Node]) -> _Table:
        for name in names:
            known = table.known.get(name.text)
            if isinstance(known, list):
                table = known[-1]
            elif isinstance(known, _Table):
                table = known
            else:
                below = _Table(name.start, name.end)
                table.put(name, below)
                table = below
        return table

    def _put(self, table: _Table, key: re.Match[str], value: Node) -> None:
        *parents, last = self._names(key)
        self._descend(table, parents).put(last, value)

    def _value(self, at: int, depth: int) -> tuple[Node | None, int]:
        """Return the value that starts at `at`, and where it ends."""
        content = self._content
        if (string := _STRING.match(content, at)) is not None:
            return self._string(string), string.end()
        opening = content[at : at + 1]
        if opening in {"[", "{"} and depth < DEEPEST:
            if self._wasted > _MOST_WASTED:
                return None, at
            read = self._array if opening == "[" else self._inline
            return read(at, depth)
        bare = _BARE.match(content, at)
        if bare is None:
            return None, at
        text = bare[0].rstrip()
        return Node("scalar", text, (), (), at, at + len(text), self._text), bare.end()

    def _string(self, match: re.Match[str]) -> Node:
        raw = match["raw"] if match["raw"] is not None else match["literal"]
        text = raw if raw is not None else _unescaped(match["long"] or match["basic"] or "")
        several = match["long"] is not None or match["raw"] is not None
        start = match.start()
        if several and text.startswith(("\n", "\r\n")):
            text = text.split("\n", 1)[1]
            return Node("scalar", text, (), (), start, match.end(), self._text, style="|")
        quote = match[0][0]
        return Node("scalar", text, (), (), start, match.end(), self._text, style=quote)

    def _endless(self, start: int, at: int) -> tuple[None, int]:
        self._wasted += at - start + 1
        return None, start

    def _array(self, start: int, depth: int) -> tuple[Node | None, int]:
        items: list[Node] = []
        at = start + 1
        while True:
            at = self._blank(at)
            if at >= len(self._content):
                return self._endless(start, at)
            if self._content[at] == "]":
                node = Node("list", "", tuple(items), (), start, at + 1, self._text)
                return node, at + 1
            if self._content[at] == ",":
                at += 1
                continue
            value, end = self._value(at, depth + 1)
            if value is None or end <= at:
                return self._endless(start, at)
            items.append(value)
            at = end

    def _inline(self, start: int, depth: int) -> tuple[Node | None, int]:
        table = _Table(start, start)
        at = start + 1
        while True:
            at = self._blank(at)
            if at >= len(self._content):
                return self._endless(start, at)
            if self._content[at] == "}":
                table.end = at + 1
                return self._node(table, 0), at + 1
            if self._content[at] == ",":
                at += 1
                continue
            key = _KEY.match(self._content, at)
            if key is None:
                return self._endless(start, at)
            value, end = self._value(key.end(), depth + 1)
            if value is None:
                return self._endless(start, at)
            self._put(table, key, value)
            at = end

    def _blank(self, at: int) -> int:
        match = _BLANK.match(self._content, at)
        return match.end() if match else at

    def _node(self, value: Node | _Table | list[_Table], depth: int) -> Node:
        if isinstance(value, Node):
            return value
        if isinstance(value, list):
            items = tuple(self._node(item, depth + 1) for item in value)
            first, last = items[0], items[-1]
            return Node("list", "", items, (), first.start, last.end, self._text)
        pairs = tuple((key, self._node(below, depth + 1)) for key, below in value.pairs)
        end = max([value.end, *(below.end for _, below in pairs)])
        return Node("map", "", (), pairs, value.start, end, self._text)


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        if match["four"]:
            return chr(int(match["four"], 16))
        return _ESCAPES.get(match["one"], match["one"])

    return _ESCAPE.sub(one, text)
