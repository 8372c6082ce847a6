"""Well-formed YAML as nodes, from libyaml's events; size, depth and number of nodes are bounded."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.detect.garbage import uncollected
from bot.detect.lines import Text
from bot.detect.positioned import DEEPEST, Kind, Node

_MOST_NODES = 2_000_000


class RefusedError(ValueError):
    """The text is no YAML, or beyond a bound."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset


def read_documents(text: Text) -> tuple[Node, ...]:
    """Read the documents of a whole file.

    Raises RefusedError beyond a bound, and where it is not YAML.
    """
    with uncollected():  # nodes are never garbage before their tree is done, and are bounded
        return _Builder(text).documents()


def read_flow(snippet: str, start: int, text: Text, anchors: Mapping[str, Node]) -> Node | None:
    """Read one value that stands at offset `start` of `text`, after `anchors` were named.

    Raises RefusedError where it is not YAML by itself.
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
        self._left = _MOST_NODES

    def documents(self) -> tuple[Node, ...]:
        import yaml  # noqa: PLC0415 - start-up

        try:
            parser = yaml.CSafeLoader(_FORBIDDEN.sub(" ", self._snippet))
            try:
                return tuple(self._read(parser))
            finally:
                parser.dispose()
        except RefusedError:
            raise
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise RefusedError(mark.index if mark else 0, error.problem or "not YAML") from error
        except (yaml.YAMLError, ValueError) as error:
            at = getattr(error, "position", 0) or 0
            raise RefusedError(at, "a character that YAML does not allow") from error

    def _read(self, parser: Any) -> Iterator[Node]:
        import yaml  # noqa: PLC0415 - start-up

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
