"""The tolerant reader: YAML-like text by indentation, for what a YAML parser refuses.

Templates, tabs, merge-conflict markers, a stray line: every line that looks like `key: value` or
`- item` keeps its place in the tree, everything else is dropped. Flow values are read by the YAML
parser, one at a time.
"""

import re
from dataclasses import dataclass, field

from bot.detect import effort
from bot.detect.lines import Text
from bot.detect.patterns import pattern
from bot.detect.positioned import DEEPEST, Node
from bot.detect.yaml_nodes import RefusedError, read_flow

_KEY = pattern(
    r"""(?P<key>"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|<<|[^\s#:'"\[\]{},&*!|>%@`-](?:[^:#]|(?<=\S)\#)*?"""
    r"""|-[^\s:][^:#]*?)"""
    r"""\s*:(?=\s|$)"""
)
_TAGS = pattern(r"(?:&(?P<anchor>[\w.-]+)|(?P<tag>![\w!./:-]*))(?=\s|$)\s*")
_ALIAS = pattern(r"\*(?P<name>[\w.-]+)\s*(?:#.*)?\Z")
_BLOCK = pattern(r"(?P<style>[|>])[-+\d]*\s*(?:#.*)?\Z")
_TEMPLATE_LINE = pattern(
    r"\s*(?:\{\{[-~]?.*?[-~]?\}\}|\{%.*?%\}|\{\{[!#/^>].*?\}\}|<%(?!=).*?%>)\s*(?:#.*)?\Z"
)
# What steers a template within a line: `app:{% if shared %} &app{% endif %}`.
_STEERING = pattern(r"\{%[^{}\n]*%\}|<%[^=%\n][^%\n]*%>|%\{[^{}\n]*\}")
_CONFLICT = pattern(r"(?:<{7}|={7}|>{7}|\|{7})(?:\s|\Z)")
_BARE_ITEM = pattern(r"-\s+(?![\w\"'.-]+:(?:\s|\Z))[^\s\[{&*!|>]")
_COMMENT = pattern(r"\s#.*\Z")
_TAB = "  "
_MOST_LINES = 400_000


@dataclass(slots=True)
class _Open:
    """A mapping or list that is still being read."""

    indent: int
    start: int
    end: int
    tag: str
    anchor: str
    item: bool  # opened by a dash: the next dash in its column ends it
    kind: str = ""  # "map", "list" or "" while nothing says which
    members: list[Node] = field(default_factory=list)  # keys and values in turn, or items
    scalar: Node | None = None


def _without_steering(line: str) -> str:
    """Return a line with blanks for what only steers a template, unless that is all of it."""
    if _TEMPLATE_LINE.match(line):
        return line
    return _STEERING.sub(lambda found: " " * len(found[0]), line)


def read_outline(text: Text) -> tuple[Node, ...]:
    """Read text by indentation into documents. Never raises."""
    return _Outline(text).documents()


class _Outline:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._anchors: dict[str, Node] = {}
        self._stack: list[_Open] = []
        self._done: list[Node] = []
        self._aside: _Open | None = None  # the document that entries of another kind interrupted
        # Of the line before: its indent, the width of its blanks, whether a tab is among them.
        self._before = (0, 0, False)

    def documents(self) -> tuple[Node, ...]:
        lines = self._text.content.split("\n")
        if len(lines) > _MOST_LINES:
            effort.skip()
            lines = lines[:_MOST_LINES]
        lines = [_without_steering(line) if "%" in line else line for line in lines]
        self._open(-1, 0)
        number, offset = 0, 0
        while number < len(lines):
            line = lines[number]
            body = line.strip()
            if body.startswith(("---", "...")) and not line[:1].isspace():
                self._finish()
                self._open(-1, offset)
            elif (
                body
                and body[0] not in "#%"
                and not _TEMPLATE_LINE.match(line)
                and not _CONFLICT.match(line)
            ):
                taken = self._line(lines, number, offset)
                for skipped in lines[number : number + taken]:
                    offset += len(skipped) + 1
                number += taken
                continue
            offset += len(line) + 1
            number += 1
        self._finish()
        return tuple(self._done)

    def _open(self, indent: int, start: int, *, item: bool = False) -> None:
        self._stack.append(_Open(indent, start, start, "", "", item))

    def _finish(self) -> None:
        while self._stack:
            self._close()
        if self._aside is not None:
            self._stack.append(self._aside)
            self._aside = None
            self._close()

    def _close(self) -> None:
        frame = self._stack.pop()
        node = self._built(frame)
        if frame.anchor:
            self._anchors[frame.anchor] = node
        if not self._stack:
            if node.kind != "scalar":
                self._done.append(node)
            return
        above = self._stack[-1]
        above.members.append(node)
        above.end = max(above.end, frame.end)

    def _built(self, frame: _Open) -> Node:
        if frame.scalar is not None and not frame.kind:
            return frame.scalar
        text = self._text
        if frame.kind == "map":
            keys, values = frame.members[::2], frame.members[1::2]
            pairs = tuple(zip(keys, values, strict=False))
            return Node("map", "", (), pairs, frame.start, frame.end, text, frame.tag)
        if frame.kind == "list":
            items = tuple(frame.members)
            return Node("list", "", items, (), frame.start, frame.end, text, frame.tag)
        return Node("scalar", "", (), (), frame.start, frame.end, text, frame.tag)

    def _line(self, lines: list[str], number: int, offset: int) -> int:
        """Read one line, with the block scalar or continuation it opens; return lines taken."""
        line = lines[number]
        expanded = line[: len(line) - len(line.lstrip())].replace("\t", _TAB)
        indent, at = len(expanded), len(line) - len(line.lstrip())
        if not indent and self._stray(line):
            return 1
        indent = self._placed(indent, tabbed="\t" in line[:at])
        while True:
            item = re.match(r"-(?:\s+|\Z)", line[at:])
            if item is None or len(self._stack) >= DEEPEST:
                break
            self._settle(indent, "list")
            self._open(indent, offset + at, item=True)
            at += item.end()
            indent += item.end()
        rest = line[at:]
        if not rest.strip() or rest.lstrip().startswith("#"):
            return 1
        key = _KEY.match(rest)
        if key is None or len(self._stack) >= DEEPEST:
            return self._value(lines, number, offset, at, indent)
        self._settle(indent, "map")
        name = _unquoted(key["key"])
        above = self._stack[-1]
        start = offset + at
        above.members.append(
            Node("scalar", name, (), (), start, start + len(key["key"]), self._text)
        )
        above.end = max(above.end, start + len(key["key"]))
        self._open(indent, start)
        at += key.end()
        at += len(line[at:]) - len(line[at:].lstrip())
        return self._value(lines, number, offset, at, indent)

    def _stray(self, line: str) -> bool:
        """Tell whether a line at the margin is an item with no list to be in: `- text`."""
        top = self._stack[0]
        if top.kind != "map" or not _BARE_ITEM.match(line):
            return False
        innermost = next((one for one in self._stack[1:] if one.indent == 0), None)
        return innermost is not None and innermost.kind == "map"

    def _placed(self, width: int, *, tabbed: bool) -> int:
        """Return the indent of a line: a tab says only whether it is deeper than the one before."""
        indent, before, was_tabbed = self._before
        if not tabbed:
            indent = width
        elif was_tabbed:
            indent += width - before
        else:
            indent = max(indent, width)
        self._before = (indent, width, tabbed)
        return indent

    def _settle(self, indent: int, kind: str) -> None:
        """Close what a line at `indent` ends, so that the top of the stack takes its entry."""
        while len(self._stack) > 1:
            top = self._stack[-1]
            level = kind == "list" and top.indent == indent and not top.item
            inside = top.indent < indent or level
            # A branch of a template may give `key: []` and another one its items.
            open_yet = top.scalar is None or top.scalar.kind == kind == "list"
            if inside and top.kind in {"", kind} and open_yet:
                break
            self._close()
        top = self._stack[-1]
        if top.kind and top.kind != kind:
            # Entries of another kind at the top are a document of their own; when those of the
            # first kind go on, so does the first document.
            self._stack[-1] = self._aside or _Open(-1, top.end, top.end, "", "", item=False)
            self._aside = top
            top = self._stack[-1]
        top.kind = kind
        top.scalar = None

    def _value(self, lines: list[str], number: int, offset: int, at: int, indent: int) -> int:
        line, frame = lines[number], self._stack[-1]
        while tagged := _TAGS.match(line, at):
            frame.anchor = tagged["anchor"] or frame.anchor
            frame.tag = tagged["tag"] or frame.tag
            at = tagged.end()
        rest = line[at:]
        start = offset + at
        if not rest.strip() or rest.startswith("#"):
            return 1
        if frame.kind or frame.scalar is not None:
            self._continue(frame, rest, start)
            return 1
        if block := _BLOCK.match(rest):
            return self._block(lines, number, offset, start, indent, block["style"])
        if alias := _ALIAS.match(rest):
            known = self._anchors.get(alias["name"])
            here = self._text.line_of(start)
            frame.scalar = known.led((here,)) if known else None
        else:
            frame.scalar = self._inline(rest, start, frame.tag)
        frame.end = max(frame.end, start + len(rest.rstrip()))
        return 1

    def _continue(self, frame: _Open, rest: str, start: int) -> None:
        """Take a further line of a plain scalar; a stray line after anything else is dropped."""
        known = frame.scalar
        if known is None or known.kind != "scalar" or known.style or frame.kind:
            return
        text, end = f"{known.text} {_COMMENT.sub('', rest).strip()}", start + len(rest.rstrip())
        frame.scalar = Node("scalar", text, (), (), known.start, end, self._text, known.tag)
        frame.end = max(frame.end, end)

    def _inline(self, rest: str, start: int, tag: str) -> Node:
        if rest[0] in "[{" and not rest.startswith("{{"):
            node = _flow(rest, start, self._text, self._anchors)
            if node is not None:
                return node
        style = rest[0] if rest[0] in "'\"" else ""
        value = rest
        if style and (quoted := re.match(r"'(?:''|[^'])*'|\"(?:\\.|[^\"\\])*\"", rest)):
            value = _unquoted(quoted[0])
        else:
            style, value = "", _COMMENT.sub("", rest)
        end = start + len(rest.rstrip())
        return Node("scalar", value.strip(), (), (), start, end, self._text, tag, style)

    def _block(
        self, lines: list[str], number: int, offset: int, start: int, indent: int, style: str
    ) -> int:
        taken, margin, body, end = 1, -1, [], offset + len(lines[number]) + 1
        for line in lines[number + 1 :]:
            expanded = line.replace("\t", _TAB)
            depth = len(expanded) - len(expanded.lstrip())
            if line.strip():
                margin = depth if margin < 0 else margin
                if depth <= max(indent, 0) and not (indent < 0 < depth):
                    break
            body.append(expanded[min(margin, depth) if margin >= 0 else 0 :].rstrip("\r"))
            end += len(line) + 1
            taken += 1
        while body and not body[-1]:
            body.pop()
        frame = self._stack[-1]
        last = min(end - 1, len(self._text.content))
        frame.scalar = Node(
            "scalar", "\n".join(body), (), (), start, last, self._text, frame.tag, style
        )
        frame.end = max(frame.end, last)
        return taken


def _flow(rest: str, start: int, text: Text, anchors: dict[str, Node]) -> Node | None:
    """Read a flow value that ends on its line, with offsets of the whole text."""
    try:
        return read_flow(rest, start, text, anchors)
    except RefusedError:
        return None


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r'\\(["\\/])', r"\1", text[1:-1])
    return text.strip()
