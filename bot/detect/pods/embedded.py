"""YAML that stands as text inside another file -> its documents, with lines of that file."""

from collections.abc import Iterator

from bot.detect.lines import Text
from bot.detect.outline import read_outline
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.yaml_nodes import RefusedError, read_flow

_MOST = 64
_NOT_LINE_END = pattern(r"[^\n]")


def block(node: Node) -> Iterator[Node]:
    """Yield the YAML documents that a literal block scalar (`|`) holds."""
    if node.style == "|":
        starts = node.document.starts
        first = node.line  # the line after the one with the `|`, counted from 0
        if first < len(starts):
            yield from embedded(node.document, starts[first], node.end)


def embedded(text: Text, start: int, end: int) -> Iterator[Node]:
    """Yield the YAML documents between two offsets of a text, as they stand there.

    Common indentation is no matter. What is not YAML is read by indentation.
    """
    content = text.content
    blanks = content.find("\n", start, end)
    while 0 <= blanks < end and not content[start:blanks].strip():
        start, blanks = blanks + 1, content.find("\n", blanks + 1, end)
    at = start
    for _ in range(_MOST):
        stop = _separator(content, at, end)
        try:
            node = read_flow(content[at : stop or end], at, text, {})
        except RefusedError:
            blank = _NOT_LINE_END.sub(" ", content[:at])
            yield from read_outline(Text(blank + content[at : stop or end]))
        else:
            if node is not None and node.kind != "scalar":
                yield node
        if stop is None:
            return
        at = content.find("\n", stop, end) + 1
        if not at:
            return


def _separator(content: str, start: int, end: int) -> int | None:
    """Return where the line that separates two documents starts, or None."""
    at = start
    while at < end:
        stop = content.find("\n", at, end)
        line = content[at : stop if stop >= 0 else end]
        if line.lstrip().startswith("---"):
            return at
        if stop < 0:
            return None
        at = stop + 1
    return None
