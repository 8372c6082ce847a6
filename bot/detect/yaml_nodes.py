"""Well-formed YAML as nodes, from libyaml's events; size, depth and number of nodes are bounded."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.detect.garbage import uncollected
from bot.detect.lines import Text
from bot.detect.positioned import DEEPEST, Node

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
        from yaml import events  # noqa: PLC0415 - start-up

        next_event, text, shift = parser.get_event, self._text, self._shift
        above: list[tuple[Any, list[Node]]] = []  # what is open, and the values before it
        values: list[Node] = []
        left = _MOST_NODES
        while (event := next_event()) is not None:
            kind = type(event)
            opened: Any = event
            if kind is events.ScalarEvent:
                start, end = event.start_mark.index + shift, event.end_mark.index + shift
                style = event.style or ""
                node = Node("scalar", event.value, (), (), start, end, text, _tag(event), style)
            elif kind is events.MappingStartEvent or kind is events.SequenceStartEvent:
                if len(above) >= DEEPEST:
                    raise RefusedError(event.start_mark.index, "nested too deeply to be read")
                above.append((event, values))
                values = []
                continue
            elif kind is events.MappingEndEvent or kind is events.SequenceEndEvent:
                opened, before = above.pop()
                start, end = opened.start_mark.index + shift, event.end_mark.index + shift
                if kind is events.MappingEndEvent:
                    pairs = tuple(zip(values[::2], values[1::2], strict=True))
                    node = Node("map", "", (), pairs, start, end, text, _tag(opened))
                else:
                    node = Node("list", "", tuple(values), (), start, end, text, _tag(opened))
                values = before
            else:
                if kind is events.AliasEvent:
                    values.append(self._alias(event))
                elif kind is events.DocumentStartEvent:
                    self._anchors, values = dict(self._known), []
                elif kind is events.DocumentEndEvent:
                    yield from values
                continue
            values.append(node)
            if opened.anchor:
                self._anchors[opened.anchor] = node
            left -= 1
            if left < 0:
                raise RefusedError(opened.start_mark.index, "too many values to be read")

    def _alias(self, event: Any) -> Node:
        index = event.start_mark.index + self._shift
        named = self._anchors.get(event.anchor)
        if named is None:
            return Node("scalar", f"*{event.anchor}", (), (), index, index, self._text)
        return named.led((self._text.line_of(index),))


def _tag(event: Any) -> str:
    tag: str | None = event.tag
    return tag if tag and tag.startswith("!") else ""
