"""YAML (and so JSON, also with comments) as trees whose nodes know their lines.

`read_yaml` takes libyaml's events, so that an alias is the very node it names and nothing is
expanded; size, depth and number of nodes are bounded. What libyaml refuses is read by indentation
(`outline.py`), so that a broken file still shows what it says.
"""

from __future__ import annotations

import gc
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

import yaml

from bot.detect.lines import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["scalar", "list", "map"]

DEEPEST = 200
MOST_NODES = 2_000_000
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
        return Node(
            self.kind, self.text, self.items, self.pairs, self.start, self.end, self.document,
            self.tag, self.style, (*via[:_MOST_MERGES], *self.via)[:_MOST_MERGES],
        )  # fmt: skip

    def entries(self) -> dict[str, tuple[Node, Node]]:
        """Return a mapping's keys and values, merge keys (`<<`) resolved; {} for the others.

        Own keys win over merged ones, earlier merges over later ones (YAML merge type). A repeated
        key keeps its last value, as YAML readers do.
        """
        found: dict[str, tuple[Node, Node]] = {}
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

    def scalars(self, limit: int = 100_000) -> Iterator[Node]:
        """Yield every scalar below, each underlying node once, in document order."""
        seen: set[int] = set()
        stack: list[Node] = [self]
        while stack and limit:
            node = stack.pop()
            limit -= 1
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

    def maps(self, limit: int = 100_000) -> Iterator[Node]:
        """Yield every mapping at and below this node, each underlying node once."""
        seen: set[int] = set()
        stack: list[Node] = [self]
        while stack and limit:
            node = stack.pop()
            limit -= 1
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


class RefusedError(ValueError):
    """The text is beyond a bound."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


@contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: it would be looked for among all nodes, again and again.

    Nodes are never garbage before their tree is done, and their number is bounded.
    """
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def read_yaml(text: Text) -> Tree:
    """Read YAML or JSON. Never raises: what libyaml refuses is read by indentation."""
    try:
        with _uncollected():
            return Tree(_Builder(text).documents(), text)
    except RefusedError as refused:
        offset, message = refused.offset, str(refused)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        offset, message = (mark.index if mark else 0), error.problem or "not YAML"
    except (yaml.YAMLError, ValueError) as error:
        offset, message = getattr(error, "position", 0) or 0, "a character that YAML does not allow"
    from bot.detect.outline import read_outline  # noqa: PLC0415 - only for broken files

    problem = Problem(text.line_of(min(offset, len(text.content))), message)
    return Tree(read_outline(text), text, problem)


_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?:[ \t][^\n]*)?$", re.MULTILINE)
_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)


def read_json(text: Text) -> Tree:
    """Read JSON, also with comments and trailing commas (JSONC)."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found[0] == '"' else re.sub(r"[^\n]", " ", found)

    bare = Text(_COMMENT.sub(blank, text.content))
    tree = read_yaml(bare)
    if tree.problem is None or text.content.lstrip()[:1] != "{":
        return Tree(tree.documents, text, tree.problem)
    from bot.detect.hcl.reader import read_object  # noqa: PLC0415 - only for broken files

    # A comma that lacks, a merge conflict: its reader skips what is no entry.
    merged = Text(_CONFLICT.sub(blank, bare.content))
    return Tree((read_object(merged),), text, tree.problem)


def read_flow(snippet: str, start: int, text: Text, anchors: Mapping[str, Node]) -> Node | None:
    """Read one value that stands at offset `start` of `text`, after `anchors` were named.

    Raises yaml.YAMLError or ValueError where it is not YAML by itself.
    """
    documents = _Builder(text, snippet, start, anchors).documents()
    return documents[0] if documents else None


# Characters that YAML refuses; a blank of the same width keeps every offset.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)


class _Builder:
    """Builds nodes from libyaml's events, with a stack of its own."""

    def __init__(
        self,
        text: Text,
        snippet: str | None = None,
        shift: int = 0,
        anchors: Mapping[str, Node] | None = None,
    ) -> None:
        self._text = text
        self._snippet = text.content if snippet is None else snippet
        self._shift = shift
        self._known = anchors or {}
        self._anchors: dict[str, Node] = {}
        self._left = MOST_NODES

    def documents(self) -> tuple[Node, ...]:
        parser = yaml.CSafeLoader(_FORBIDDEN.sub(" ", self._snippet))
        try:
            return tuple(self._read(parser))
        finally:
            parser.dispose()

    def _read(self, parser: yaml.CSafeLoader) -> Iterator[Node]:
        next_event = parser.get_event
        frames: list[tuple[Any, list[Node]]] = []
        root: Node | None = None
        while True:
            event: Any = next_event()
            if event is None:
                return
            kind = type(event)
            node: Node | None = None
            if kind is yaml.ScalarEvent:
                node = self._node(event, "scalar", event.value, (), (), event.style or "")
            elif kind is yaml.AliasEvent:
                node = self._alias(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(frames) >= DEEPEST:
                    raise RefusedError(event.start_mark.index, "nested too deeply to be read")
                frames.append((event, []))
            elif kind is yaml.MappingEndEvent:
                start, below = frames.pop()
                pairs = tuple(zip(below[::2], below[1::2], strict=True))
                node = self._node(start, "map", "", (), pairs, "", event.end_mark.index)
            elif kind is yaml.SequenceEndEvent:
                start, below = frames.pop()
                node = self._node(start, "list", "", tuple(below), (), "", event.end_mark.index)
            elif kind is yaml.DocumentStartEvent:
                self._anchors, root = dict(self._known), None
            elif kind is yaml.DocumentEndEvent and root is not None:
                yield root
            if node is not None:
                if frames:
                    frames[-1][1].append(node)
                else:
                    root = node

    def _node(
        self, event: Any, kind: Kind, value: str, items: tuple[Node, ...],
        pairs: tuple[tuple[Node, Node], ...], style: str, end: int | None = None,
    ) -> Node:  # fmt: skip
        self._left -= 1
        if self._left < 0:
            raise RefusedError(event.start_mark.index, "too many values to be read")
        tag = event.tag if event.tag and event.tag.startswith("!") else ""
        start = event.start_mark.index + self._shift
        until = (event.end_mark.index if end is None else end) + self._shift
        node = Node(kind, value, items, pairs, start, until, self._text, tag, style)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> Node:
        index = event.start_mark.index + self._shift
        named = self._anchors.get(event.anchor)
        if named is None:
            return Node("scalar", f"*{event.anchor}", (), (), index, index, self._text)
        return named.led((self._text.line_of(index),))
