"""Trees of YAML, JSON or TOML whose nodes know their lines.

Built by `yaml_tree.py`, `outline.py` and `toml.py`; an alias is the very node that it names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from bot.detect import effort

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.detect.lines import Text

Kind = Literal["scalar", "list", "map"]

DEEPEST = 200
_MOST_MERGES = 64
_TRUE = frozenset({"true", "yes", "on", "y", "1"})


# libyaml makes a line feed of these; git counts line feeds only.
_BREAK = re.compile("\r\n|[\n\r\x85]")
_ODD_BREAK = re.compile("\r(?!\n)|\x85")


@dataclass(slots=True, eq=False)
class Node:
    """One value of a document. Never changed once it is built."""

    kind: Kind
    text: str  # a scalar's value; "" for the others
    items: tuple[Node, ...]  # a list's members
    pairs: tuple[tuple[Node, Node], ...]  # a mapping's keys and values, as written
    start: int  # offset of the first character
    end: int  # offset after the last one
    document: Text = field(repr=False)
    tag: str = ""  # "!reset", "!reference", …; "" for YAML's own
    style: str = ""  # "'", '"', "|", ">" or "" for plain
    via: tuple[int, ...] = ()  # lines of the aliases and merge keys that led here

    @property
    def line(self) -> int:
        """The 1-based line on which it starts."""
        return self.document.line_of(self.start)

    @property
    def last_line(self) -> int:
        """The 1-based line on which it ends."""
        last = self.end - 1
        content = self.document.content
        while last > self.start and content[last] in " \t\r\n":
            last -= 1
        return self.document.line_of(max(self.start, last))

    @property
    def true(self) -> bool:
        """Whether it is a scalar that means yes."""
        return self.kind == "scalar" and self.text.strip().lower() in _TRUE

    @property
    def null(self) -> bool:
        """Whether it is an empty plain scalar, `null` or `~`."""
        return self.kind == "scalar" and not self.style and self.text in {"", "~", "null", "Null"}

    def led(self, via: tuple[int, ...]) -> Node:
        """Return the same node, reached through `via`."""
        if not via:
            return self
        effort.spend(effort.ALIASED)
        return Node(
            self.kind, self.text, self.items, self.pairs, self.start, self.end, self.document,
            self.tag, self.style, (*via[:_MOST_MERGES], *self.via)[:_MOST_MERGES],
        )  # fmt: skip

    def entries(self) -> dict[str, tuple[Node, Node]]:
        """Return a mapping's keys and values, merge keys (`<<`) resolved; {} for the others.

        Own keys win over merged ones, earlier merges over later ones (YAML merge type). A repeated
        key keeps its last value, as YAML readers do.
        """
        found = {key.text: (key, value) for key, value in self.pairs}
        if self.via or "<<" in found:
            found = {}
            self._collect(found, self.via, set())
        return found

    def _collect(
        self, found: dict[str, tuple[Node, Node]], via: tuple[int, ...], seen: set[int]
    ) -> None:
        if id(self.pairs) in seen or len(seen) > _MOST_MERGES:  # a second visit adds nothing
            return
        seen.add(id(self.pairs))
        merges: list[tuple[Node, Node]] = []
        own: dict[str, tuple[Node, Node]] = {}
        for key, value in self.pairs:
            if key.text == "<<" and not key.style:
                merges.append((key, value))
            else:
                own[key.text] = (key.led(via), value.led(via))
        for name, pair in own.items():
            found.setdefault(name, pair)
        for key, value in merges:
            sources = value.items if value.kind == "list" else (value,)
            for source in sources[:_MOST_MERGES]:
                here = (
                    *via,
                    *(value.via or (key.line,)),
                    *(source.via if source is not value else ()),
                )
                source._collect(found, here, seen)  # noqa: SLF001 - the same class

    def get(self, *names: str) -> Node | None:
        """Return the value at a chain of keys, merge keys resolved, or None."""
        node: Node | None = self
        for name in names:
            if node is None or node.kind != "map":
                return None
            node = node.value(name)
        return node

    def value(self, name: str) -> Node | None:
        """Return the value at one key, merge keys resolved, or None."""
        merged = False
        for key, value in reversed(self.pairs):
            if key.text == name:
                return value.led(self.via)
            merged = merged or key.text == "<<"
        if not merged:
            return None
        pair = self.entries().get(name)
        return pair[1] if pair else None

    def key(self, name: str) -> Node | None:
        """Return the key node called `name`, or None."""
        for key, _ in reversed(self.pairs):
            if key.text == name:
                return key.led(self.via)
        pair = self.entries().get(name)
        return pair[0] if pair else None

    def members(self) -> tuple[Node, ...]:
        """Return a list's members; () for the others."""
        return tuple(item.led(self.via) for item in self.items) if self.via else self.items

    def listed(self) -> tuple[Node, ...]:
        """Return a list's members, or the scalar or mapping itself as the only one."""
        if self.kind == "list":
            return self.members()
        return () if self.null else (self,)

    def scalars(self) -> Iterator[Node]:
        """Yield every scalar below, each underlying node once, in document order."""
        seen: set[int] = set()
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            effort.spend(1)
            if node.kind == "scalar":
                yield node
                continue
            content: Any = node.items or node.pairs
            if id(content) in seen:
                continue
            seen.add(id(content))
            if node.kind == "list":
                stack.extend(reversed(node.members()))
            else:
                for key, value in reversed(node.pairs):
                    stack.append(value.led(node.via))
                    stack.append(key.led(node.via))

    def maps(self) -> Iterator[Node]:
        """Yield every mapping at and below this node, each underlying node once."""
        seen: set[int] = set()
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            effort.spend(1)
            content: Any = node.items or node.pairs
            if node.kind == "scalar" or id(content) in seen:
                continue
            seen.add(id(content))
            if node.kind == "map":
                yield node
                stack.extend(value.led(node.via) for _, value in reversed(node.pairs))
            else:
                stack.extend(reversed(node.members()))

    def digest(self, skip: frozenset[str] = frozenset()) -> str:
        """Return a digest of the meaning: no place, no style, no order of keys.

        `skip` names keys of this very mapping that do not count. Linear also where aliases nest.
        """
        memo: dict[int, str] = {}
        own = {n: v for n, (_, v) in self.entries().items() if n not in skip}
        if self.kind == "map":
            parts = [f"{name}={_digest(value, memo)}" for name, value in sorted(own.items())]
            return _hash("m", *parts)
        return _digest(self, memo)

    def _block_lines(self, first: int) -> tuple[int, ...]:
        """Return the file line of each line of a literal block.

        libyaml breaks lines at a lone CR and U+0085, too, which it replaces; git does not.
        """
        count = self.text.count("\n") + 1
        content = self.document.content[self.start : self.end]
        if _ODD_BREAK.search(content) is None or _ODD_BREAK.search(self.text):
            return tuple(range(first + 1, first + 1 + count))
        starts = [self.start + found.end() for found in _BREAK.finditer(content)]
        lines = [self.document.line_of(start) for start in starts[:count]]
        return (*lines, *((lines[-1] if lines else first,) * (count - len(lines))))

    def script(self) -> tuple[str, tuple[int, ...]]:
        """Return a scalar as shell text and the file line of each of its lines.

        Lines that YAML folds into one are joined with a backslash instead, so that each keeps its
        own line of the file.
        """
        first, last = self.line, self.last_line
        if self.style == "|":
            return self.text, self._block_lines(first)
        if first == last:
            count = self.text.count("\n") + 1
            return self.text, (first,) * count
        raw = [self.document.line(number) for number in range(first, last + 1)]
        if self.style == ">":
            raw, first = raw[1:], first + 1
        else:
            column = self.start - self.document.starts[first - 1]
            raw[0] = raw[0][column:]
            quote = self.style if self.style in {"'", '"'} else ""
            if quote:
                raw[0] = raw[0].removeprefix(quote)
                raw[-1] = raw[-1].rstrip().removesuffix(quote)
            if quote == '"':
                raw = [re.sub(r'\\(["\\/])', r"\1", line) for line in raw]
        return "\n".join(_unfolded(raw)), tuple(range(first, first + len(raw)))


def _unfolded(raw: list[str]) -> list[str]:
    stripped = [line.strip() for line in raw]
    return [
        line if index + 1 == len(stripped) or not line or not stripped[index + 1]
        else line.removesuffix("\\") + " \\"
        for index, line in enumerate(stripped)
    ]  # fmt: skip


def _hash(*parts: str) -> str:
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _digest(node: Node, memo: dict[int, str]) -> str:
    if node.kind == "scalar":
        return _hash("s", node.tag, node.text.strip())
    content: Any = node.items or node.pairs
    known = memo.get(id(content))
    if known is None:
        memo[id(content)] = ""  # what contains itself
        effort.spend(len(content))
        if node.kind == "list":
            known = _hash("l", node.tag, *(_digest(item, memo) for item in node.items))
        else:
            parts = sorted(f"{name}={_digest(v, memo)}" for name, (_, v) in node.entries().items())
            known = _hash("m", node.tag, *parts)
        memo[id(content)] = known
    return known


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is not what it claims to be."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The documents of a file. `problem` is set where they were read by indentation only."""

    documents: tuple[Node, ...]
    text: Text
    problem: Problem | None = None
