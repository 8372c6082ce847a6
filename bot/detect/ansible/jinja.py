"""`{{ … }}` of Jinja where variables are known: names, defaults, lists and texts put together.

Source: Jinja, "Template Designer Documentation"; Ansible, "Using filters to manipulate data"
(default). What is not known stays as it is written.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from bot.detect import effort
from bot.detect.grant import Step
from bot.detect.handed import At
from bot.detect.pods.values import Given
from bot.detect.positioned import Node

_WHOLE = re.compile(r"\s*\{\{-?(?P<body>(?:[^{}]|\{(?!\{)|\}(?!\}))*)-?\}\}\s*\Z")
_INNER = re.compile(r"\{\{-?(?P<body>[^{}]*)-?\}\}")
_TOKEN = re.compile(
    r"'[^']*'|\"[^\"]*\"|[A-Za-z_]\w*(?:\.\w+|\[['\"][^'\"]*['\"]\]|\[\d+\])*|[|()\[\],+~]|\S"
)
_KEY = re.compile(r"\.(?P<name>\w+)|\[['\"](?P<quoted>[^'\"]*)['\"]\]|\[(?P<index>\d+)\]")
_DEFAULTS = frozenset({"default", "d"})
_WORDS = frozenset(
    {"if", "else", "and", "or", "not", "is", "in", "true", "false", "omit", "defined"}
)
_DEEPEST = 10
_LONGEST = 4_096
_VALUE = 16  # units of effort


class Jinja:
    """Follows the variables that are known by name."""

    def __init__(self, variables: Mapping[str, At]) -> None:
        self._variables = variables
        self._texts: dict[str, Given | None] = {}

    def flat(self, at: At) -> Iterator[At]:
        """Yield the scalars and mappings that a value comes to, lists opened."""
        stack: list[tuple[At, int]] = [(at, 0)]
        while stack:
            here, depth = stack.pop()
            effort.spend(_VALUE)
            node = here.node
            if node.kind == "list":
                items = [(replace(here, node=item), depth) for item in node.members()]
                stack.extend(reversed(items))
                continue
            whole = _WHOLE.match(node.text) if node.kind == "scalar" else None
            found = self._values(whole["body"], here) if whole and depth < _DEEPEST else []
            if len(found) > 1 or any(_opens(one.node) for one in found):
                stack.extend((one, depth + 1) for one in reversed(found))
            else:
                yield here

    def text(self, at: At | None) -> Given:
        """Return the text of a scalar with what is known put in."""
        if at is None or at.node.kind != "scalar" or at.node.null:
            return Given("")
        before: list[Step] = [at.step] if at.after else []
        text = self._filled(at.node.text, at, before, 0)
        return Given(text, tuple(dict.fromkeys(before)))

    def fill(self, text: str, at: At) -> Given:
        """Return a text with what is known put in."""
        before: list[Step] = []
        return Given(self._filled(text, at, before, 0), tuple(dict.fromkeys(before)))

    def _filled(self, text: str, at: At, before: list[Step], depth: int) -> str:
        def put(found: re.Match[str]) -> str:
            known = self._text(found["body"], at, depth)
            if known is None:
                return found[0]
            before.extend(known.before)
            return known.text

        if "{{" not in text or depth > _DEEPEST:
            return text
        return _INNER.sub(put, text)[: max(len(text), _LONGEST)]

    def _text(self, body: str, at: At, depth: int) -> Given | None:
        """Return the text that an expression comes to, worked out once."""
        key = body.strip()
        if key not in self._texts:
            self._texts[key] = None  # what refers to itself
            texts: list[str] = []
            steps: list[Step] = []
            for one in self._values(body, at):
                if one.node.kind != "scalar":
                    return None
                if one.path != at.path or one.node.line != at.node.line:
                    steps.append(one.step)
                texts.append(self._filled(one.node.text, one, steps, depth + 1))
            if texts:
                joined = "".join(texts) if "~" in body or "+" in body else texts[0]
                self._texts[key] = Given(joined[:_LONGEST], tuple(steps))
        return self._texts[key]

    def _values(self, body: str, at: At) -> list[At]:
        """Return what the operands of an expression are; none where one is not known."""
        tokens = _TOKEN.findall(body[:_LONGEST])
        found: list[At] = []
        index = 0
        while index < len(tokens):
            word = tokens[index]
            index += 1
            if word == "|":
                name, arguments, index = _filter(tokens, index)
                if name in _DEFAULTS and not found:
                    found = [one for text in arguments for one in self._operand(text, at)]
            elif word not in _WORDS:
                found.extend(self._operand(word, at))
        effort.spend(len(found))
        return found

    def _operand(self, word: str, at: At) -> list[At]:
        if word[0] in "'\"" and len(word) > 1:
            return [replace(at, node=_literal(word, at.node))]
        name = re.match(r"[A-Za-z_]\w*", word)
        known = self._variables.get(name[0]) if name else None
        if name is None or known is None:
            return []
        below: At | None = known
        for key in _KEY.finditer(word, name.end()):
            below = _below(below, key) if below is not None else None
        if below is None:
            return []
        return [At(below.node, below.path, (at.step, *at.after))]


def _filter(tokens: Sequence[str], index: int) -> tuple[str, list[str], int]:
    """Return a filter's name, what it is given, and where to go on."""
    name = tokens[index] if index < len(tokens) else ""
    index += 1
    arguments: list[str] = []
    if tokens[index : index + 1] == ["("]:
        depth = 0
        while index < len(tokens):
            word = tokens[index]
            index += 1
            depth += (word == "(") - (word == ")")
            if not depth:
                break
            if word not in {"(", ","} and word not in _WORDS:
                arguments.append(word)
    return name, arguments, index


def _opens(node: Node) -> bool:
    """Tell whether a value is a list or a mapping, or an expression that may come to one."""
    return node.kind != "scalar" or _WHOLE.match(node.text) is not None


def _literal(word: str, around: Node) -> Node:
    """Return a text that an expression holds, where it stands in an expression of several lines."""
    content = around.document.content
    place = content.find(word, around.start, around.end)
    start, end = (place, place + len(word)) if place >= 0 else (around.start, around.end)
    return Node("scalar", word[1:-1], (), (), start, end, around.document)


def _below(at: At, key: re.Match[str]) -> At | None:
    if key["index"] is not None:
        items = at.node.members()
        index = int(key["index"][:6])
        return replace(at, node=items[index]) if index < len(items) else None
    return at.get(key["name"] if key["name"] is not None else key["quoted"])
