r"""HCL (Terraform, Nomad, Packer, bake) as trees whose nodes know their lines.

Source: HCL native syntax specification. A block becomes what it is in HCL's JSON syntax: nested
mappings by type and labels, a list where it is repeated; so both syntaxes are read alike. What is
computed keeps its parts: a reference is a scalar tagged `!ref`, a call a list of its arguments
tagged `!name`, any other expression of several parts a list tagged `!any`. Tolerant: what is
neither an attribute nor a block is skipped.
"""

import re
from dataclasses import dataclass, field

from bot.detect.lines import Text
from bot.detect.positioned import Node

DEEPEST = 80
_BLANK = re.compile(r"(?:[\s,]|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_SPACE = re.compile(r"(?:[ \t\r]|/\*(?:[^*]|\*(?!/))*\*/|(?:#|//)[^\n]*)*")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.(?:[\w-]+|\*)|\[[^\]\n\"\[]*\]|\[\"[^\"\n]*\"\])*")
_NUMBER = re.compile(r"\d[\w.]*")
_HEREDOC = re.compile(r"<<[-~]?\"?(?P<mark>[A-Za-z_]\w*)\"?[ \t]*\r?\n")
_PLAIN = re.compile(r"[^\"\\\n$%]+")
_INSIDE = re.compile(r"[^{}\"\n]+|\"(?:\\.|[^\"\\\n])*\"|\"")
_ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<one>.))|\$(?=\$\{)|%(?=%\{)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_COMPREHENSION = re.compile(r"[\[{]\s*for\s")
_BRACKET = re.compile(r"[\[\](){}]|\"(?:\\.|[^\"\\\n])*\"|#[^\n]*|//[^\n]*")
_LONGEST_LABELS = 4


@dataclass(slots=True)
class _Body:
    """A mapping that is still being read."""

    start: int
    end: int
    pairs: dict[str, tuple[Node, "_Entry"]] = field(default_factory=dict)


_Entry = Node | _Body | list["Node | _Body"]


def read_hcl(text: Text) -> Node:
    """Read HCL into a mapping. Never raises."""
    return _Reader(text).read()


def read_object(text: Text) -> Node:
    """Read an object `{"a": 1}` that JSON's own reader refuses. Never raises."""
    return _Reader(text).read_object()


class _Reader:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._content = text.content

    def read(self) -> Node:
        """Return the whole file."""
        root = _Body(0, len(self._content))
        at = 0
        while at < len(self._content):
            at = self._body(root, at, 0) + 1
        return self._frozen(root)

    def read_object(self) -> Node:
        """Return the object that the file opens with."""
        root = _Body(0, len(self._content))
        self._body(root, self._content.find("{") + 1, 0)
        return self._frozen(root)

    def _body(self, body: _Body, at: int, depth: int) -> int:
        """Read entries until a closing brace or the end; return where that is."""
        content = self._content
        while True:
            at = self._skip(_BLANK, at)
            if at >= len(content) or content[at] == "}":
                return at
            key, end = self._key(at, depth)
            if key is None:
                at = self._next_line(at)
                continue
            after = self._skip(_SPACE, end)
            sign = content[after : after + 1]
            if sign in {"=", ":"} and content[after : after + 2] != "==":
                value, at = self._expression(after + 1, depth + 1, several=False)
                if value is not None:
                    _put(body, key, value)
            else:
                at = self._block(body, key, after, depth)

    def _key(self, at: int, depth: int) -> tuple[Node | None, int]:
        content = self._content
        if content[at] == '"':
            return self._string(at)
        if content[at] == "(":
            _, end = self._expression(at + 1, depth + 1, several=True)
            end = end + 1 if content[end : end + 1] == ")" else end
            return self._scalar(content[at:end], at, end, "!any"), end
        found = _NAME.match(content, at) or _NUMBER.match(content, at)
        if found is None:
            return None, at
        return self._scalar(found[0], at, found.end()), found.end()

    def _block(self, body: _Body, key: Node, at: int, depth: int) -> int:
        """Read the labels and the body of a block; skip the line where there is none."""
        content, names = self._content, [key]
        while len(names) <= _LONGEST_LABELS and content[at : at + 1] not in {"{", "\n", ""}:
            label, end = self._key(at, depth) if content[at] != "(" else (None, at)
            if label is None:
                return self._next_line(at)
            names.append(label)
            at = self._skip(_SPACE, end)
        if content[at : at + 1] != "{" or depth >= DEEPEST:
            return self._next_line(at)
        inner = _Body(key.start, at)
        end = self._body(inner, at + 1, depth + 1)
        inner.end = min(end + 1, len(content))
        holder = body
        for name in names[:-1]:
            holder = _descend(holder, name)
        _put(holder, names[-1], inner)
        return end + 1

    def _expression(self, at: int, depth: int, *, several: bool) -> tuple[Node | None, int]:
        """Read an expression; `several` says that it may go on over line ends."""
        content = self._content
        parts: list[Node] = []
        plain, first = True, at
        while True:
            at = self._skip(_BLANK_NO_COMMA if several else _SPACE, at)
            first = at if not parts and plain else first
            char = content[at : at + 1]
            if char in {"", ",", ")", "]", "}", "\n"}:
                break
            part, end = self._part(at, depth)
            if part is None:
                plain = False
                at = max(end, at + 1)
            else:
                parts.append(part)
                at = end
        if len(parts) == 1 and plain:
            return parts[0], at
        if not parts:
            return None, at
        raw = content[first:at].strip()
        return Node("list", raw, tuple(parts), (), first, at, self._text, "!any"), at

    def _part(self, at: int, depth: int) -> tuple[Node | None, int]:
        """Read one operand; None with where to go on for an operator."""
        content = self._content
        char = content[at]
        if char == '"':
            return self._string(at)
        if char == "<" and (heredoc := _HEREDOC.match(content, at)):
            return self._heredoc(heredoc)
        if char in "[{(" and (depth >= DEEPEST or _COMPREHENSION.match(content, at)):
            end = self._closing(at)
            return self._scalar(content[at:end], at, end, "!any"), end
        if char == "[":
            items, end = self._items(at + 1, depth, "]")
            return Node("list", "", items, (), at, end, self._text), end
        if char == "{":
            body = _Body(at, at)
            end = min(self._body(body, at + 1, depth + 1) + 1, len(content))
            body.end = end
            return self._frozen(body), end
        if char == "(":
            inner, end = self._expression(at + 1, depth + 1, several=True)
            return inner, end + 1 if content[end : end + 1] == ")" else end
        if found := _REFERENCE.match(content, at):
            return self._named(found, depth)
        if found := _NUMBER.match(content, at):
            return self._scalar(found[0], at, found.end()), found.end()
        return None, at + 1

    def _named(self, found: re.Match[str], depth: int) -> tuple[Node, int]:
        """Return a call, a word such as `true`, or a reference."""
        end = found.end()
        if self._content[end : end + 1] == "(" and depth < DEEPEST:
            items, end = self._items(end + 1, depth, ")")
            tag = f"!{found[0]}"
            return Node("list", found[0], items, (), found.start(), end, self._text, tag), end
        tag = "" if found[0] in {"true", "false", "null"} else "!ref"
        return self._scalar(found[0], found.start(), end, tag), end

    def _items(self, at: int, depth: int, close: str) -> tuple[tuple[Node, ...], int]:
        """Read what stands between brackets, separated by commas."""
        content = self._content
        items: list[Node] = []
        while True:
            at = self._skip(_BLANK, at)
            if at >= len(content):
                return tuple(items), at
            if content[at] == close:
                return tuple(items), at + 1
            value, end = self._expression(at, depth + 1, several=True)
            if value is not None:
                items.append(value)
            elif content[end : end + 1] in {"}", ")", "]"} and content[end] != close:
                return tuple(items), end
            at = end if end > at else at + 1

    def _string(self, start: int) -> tuple[Node, int]:
        """Read a quoted string; what it interpolates stays as it is written."""
        content, at = self._content, start + 1
        while at < len(content) and content[at] not in '"\n':
            if content[at] == "\\":
                at += 2
            elif content.startswith(("${", "%{"), at) and content[at - 1] != content[at]:
                at = self._interpolation(at + 2)
            elif found := _PLAIN.match(content, at):
                at = found.end()
            else:
                at += 1
        end = min(at, len(content))
        text = _ESCAPE.sub(_unescaped, content[start + 1 : end])
        end = end + 1 if content[end : end + 1] == '"' else end
        return Node("scalar", text, (), (), start, end, self._text, "", '"'), end

    def _interpolation(self, at: int) -> int:
        """Return where `${…}` ends that opened before `at`, at the latest at the line's end."""
        content, depth = self._content, 1
        while at < len(content) and depth and content[at] != "\n":
            if found := _INSIDE.match(content, at):
                at = found.end()
                continue
            depth += {"{": 1, "}": -1}[content[at]]
            at += 1
        return at

    def _heredoc(self, found: re.Match[str]) -> tuple[Node, int]:
        mark = re.compile(rf"^[ \t]*{found['mark']}[ \t]*\r?$", re.MULTILINE)
        last = mark.search(self._content, found.end())
        end = last.start() if last is not None else len(self._content)
        text = self._content[found.end() : end]
        node = Node("scalar", text, (), (), found.start(), end, self._text, "", "|")
        return node, last.end() if last is not None else end

    def _closing(self, at: int) -> int:
        """Return the offset after the bracket that closes the one at `at`."""
        depth = 0
        for found in _BRACKET.finditer(self._content, at):
            depth += (found[0] in "[({") - (found[0] in "])}")
            if not depth:
                return found.end()
        return len(self._content)

    def _scalar(self, text: str, start: int, end: int, tag: str = "") -> Node:
        return Node("scalar", text, (), (), start, end, self._text, tag)

    def _skip(self, blanks: re.Pattern[str], at: int) -> int:
        found = blanks.match(self._content, at)
        return found.end() if found else at

    def _next_line(self, at: int) -> int:
        """Return where to go on after something that is no entry."""
        end = self._content.find("\n", at)
        brace = self._content.find("}", at, end if end >= 0 else len(self._content))
        if brace >= 0:
            return brace
        return end + 1 if end >= 0 else len(self._content)

    def _frozen(self, body: _Body) -> Node:
        pairs = []
        for key, value in body.pairs.values():
            if isinstance(value, list):
                items = tuple(self._one(item) for item in value)
                first, last = items[0], items[-1]
                node = Node("list", "", items, (), first.start, last.end, self._text)
            else:
                node = self._one(value)
            pairs.append((key, node))
        end = max([body.end, *(node.end for _, node in pairs)])
        return Node("map", "", (), tuple(pairs), body.start, end, self._text)

    def _one(self, value: "Node | _Body") -> Node:
        return self._frozen(value) if isinstance(value, _Body) else value


_BLANK_NO_COMMA = re.compile(r"(?:\s|#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")


def _put(body: _Body, key: Node, value: "Node | _Body") -> None:
    """Add an entry; a block whose name is there already makes a list."""
    known = body.pairs.get(key.text)
    if known is None or isinstance(value, Node):
        body.pairs[key.text] = (key, value)
        return
    first, before = known
    if isinstance(before, list):
        before.append(value)
    else:
        body.pairs[key.text] = (first, [before, value])


def _descend(body: _Body, key: Node) -> _Body:
    known = body.pairs.get(key.text)
    below = known[1] if known is not None else None
    if isinstance(below, list):
        below = below[-1]
    if isinstance(below, _Body):
        return below
    new = _Body(key.start, key.end)
    body.pairs[key.text] = (key, new)
    return new


def _unescaped(found: re.Match[str]) -> str:
    if found["code"]:
        return chr(int(found["code"], 16))
    one = found["one"]
    return _ESCAPES.get(one, one) if one else ""
