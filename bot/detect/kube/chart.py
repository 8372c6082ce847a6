"""A Helm chart as far as it can be read without rendering: its values and its named templates.

Source: Helm documentation, "Values Files", "Named Templates", "Template Function List".
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product
from posixpath import dirname

from bot.detect import effort, sockets
from bot.detect.grant import Step
from bot.detect.kube.actions import Action, actions, tokens
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.pods import Given
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

Values = tuple[Given, ...]  # what a value may be; none where nothing tells

_HELPERS = re.compile(r"(?:^|/)_[^/]*\.(?:tpl|ya?ml)\Z|\.tpl\Z")
_ASSIGNED = re.compile(r"\$(?P<name>\w+)\s*:?=\s*(?P<value>.+)", re.DOTALL)
_NARROWED = re.compile(r"with\s+\$?\.Values\.(?P<keys>\w+(?:\.\w+)*)\Z")
_SAME = frozenset(
    {
        "quote",
        "squote",
        "toString",
        "trim",
        "print",
        "nospace",
        "tpl",
        "required",
        "toYaml",
        "lower",
    }
)
_DEEPEST = 10
_MOST_FILES = 64
_MOST_VALUES = 12
_LONGEST = 8_192  # of a named template that comes to a path
_LONGEST_VALUE = 1_024
_MOST_PIECES = 50_000  # that one file may put together


def root_of(path: str) -> str | None:
    """Return the folder of the chart that a template belongs to, None where it is in none."""
    at = f"/{path}".rfind("/templates/")
    return path[: max(at - 1, 0)] if at >= 0 else None


def beside(root: str, name: str) -> str:
    """Return the path of a chart's file."""
    return f"{root}/{name}" if root else name


class Chart:
    """What one template can look up. Files are read when something asks for them."""

    def __init__(self, path: str, content: str, source: Source) -> None:
        self._path = path
        self._content = content
        self._source = source
        root = root_of(path)
        self._root = dirname(path) if root is None else root
        self._left = _MOST_PIECES
        self._known: dict[str, Values] = {}
        self.resolved: set[int] = set()  # lines of the scalars that were asked for

    def resolve(self, node: Node) -> Given:
        """Return what a scalar comes to: of several values those that reach a daemon."""
        self.resolved.add(node.line)
        if "{{" not in node.text or len(node.text) > _LONGEST_VALUE:
            return Given(node.text)
        found = self._evaluate(node.text, None, 0)
        telling = [one for one in found if sockets.host_path(one.text) or sockets.address(one.text)]
        first, *others = telling or found[:1] or [Given(node.text)]
        return replace(first, others=tuple(others))

    @cached_property
    def _values(self) -> tuple[str, Node | None]:
        for name in ("values.yaml", "values.yml"):
            path = beside(self._root, name)
            text = self._text(path)
            if text is not None:
                return path, next(iter(read_yaml(text).documents), None)
        return "", None

    @cached_property
    def _templates(self) -> dict[str, tuple[str, Text, int, int]]:
        """The named templates: file, its text, where the body starts and ends."""
        folder = beside(self._root, "templates/")
        names = [
            path
            for path in self._source.paths()
            if path.startswith(folder) and path != self._path and _HELPERS.search(path)
        ]
        found: dict[str, tuple[str, Text, int, int]] = {}
        for path in (self._path, *names[:_MOST_FILES]):
            text = Text(self._content) if path == self._path else self._text(path)
            if text is not None:
                for name, start, end in _defined(text.content):
                    found.setdefault(name, (path, text, start, end))
        return found

    @cached_property
    def _variables(self) -> dict[str, list[str]]:
        """What the variables of this file are set to."""
        found: dict[str, list[str]] = {}
        for action in actions(self._content):
            if set_ := _ASSIGNED.match(action.body):
                found.setdefault(set_["name"], []).append(set_["value"])
        return found

    @cached_property
    def _scopes(self) -> list[list[str]]:
        """What `with .Values.x` makes the dot be in this file: the keys that lead there."""
        found = (_NARROWED.match(action.body) for action in actions(self._content))
        return [one["keys"].split(".") for one in found if one][:_MOST_VALUES]

    def _text(self, path: str) -> Text | None:
        data = self._source.read(path)
        content = decode(data) if data is not None and len(data) <= LARGEST else None
        return Text(content) if content is not None else None

    def _evaluate(self, content: str, where: tuple[str, Text, int] | None, depth: int) -> Values:
        """Return what a template's text may come to. `where` it stands if not in this file."""
        if self._left <= 0:
            effort.skip()
        if depth > _DEEPEST or self._left <= 0:
            return ()
        branches: list[Values] = [()]
        current: list[Given] = [Given("")]
        at = 0
        for action in (*actions(content), Action(len(content), len(content), "")):
            current = _joined(current, (self._plain(content[at : action.start], at, where),))
            at = action.end
            self._left -= 1
            if action.control in {"else", "if", "range", "with", "end"}:
                branches.append(tuple(current))
                current = [Given("")]
            elif not action.silent:
                value = self._pipeline(tokens(action.body), depth)
                step = _step(where, action.start)
                raw = Given(content[action.start : action.end])
                current = _joined(current, _behind(value, step) or (raw,))
        branches.append(tuple(current))
        found = [one for branch in branches for one in branch if one.text.strip()]
        return tuple(Given(one.text.strip(), one.before) for one in found[:_MOST_VALUES])

    def _plain(self, text: str, at: int, where: tuple[str, Text, int] | None) -> Given:
        blank = len(text) - len(text.lstrip())
        step = _step(where, at + blank) if text.strip() else ()
        return Given(text, step)

    def _pipeline(self, words: Sequence[str], depth: int) -> Values:
        """Return what a pipeline may come to: each command gets what the one before returned."""
        if depth > _DEEPEST:
            return ()
        before: list[Values] = []
        for command in _split(words):
            operands = self._operands(command, depth)
            result = self._call(operands[:1], [*operands[1:], *before], depth)
            before = [result]
        return before[0] if before else ()

    def _operands(self, words: Sequence[str], depth: int) -> list["str | Values"]:
        """Return the operands of one command: names of functions stay texts."""
        found: list[str | Values] = []
        at = 0
        while at < len(words):
            word = words[at]
            at += 1
            if word == "(":
                close = _closing(words, at)
                found.append(self._pipeline(words[at:close], depth + 1))
                at = close + 1
            elif word[0] in "\"`'":
                found.append((Given(_unquoted(word)),))
            elif word[0] in ".$":
                found.append(self._field(word, depth))
            else:
                found.append(word)
        return found

    def _field(self, word: str, depth: int) -> Values:
        name, *keys = word.split(".")
        if name == "$" or not name:
            if keys[:1] == ["Values"]:
                return self._lookup(keys[1:])
            narrowed = (self._lookup([*scope, *keys]) for scope in self._scopes if not name)
            return next(filter(None, narrowed), ())
        if keys:
            return ()
        if name not in self._known:
            self._known[name] = ()  # what is set from itself
            found: list[Given] = []
            for value in self._variables.get(name[1:], [])[:_MOST_VALUES]:
                found.extend(self._pipeline(tokens(value), depth + 1))
            self._known[name] = tuple(found[:_MOST_VALUES])
        return self._known[name]

    def _lookup(self, keys: Sequence[str]) -> Values:
        path, values = self._values
        node = values.get(*keys) if values is not None and keys else None
        if node is None or node.kind != "scalar":
            return ()
        text = "" if node.null else node.text
        return (Given(text, (Step(path, node.line),)),)

    def _call(
        self, head: Sequence["str | Values"], arguments: Sequence["str | Values"], depth: int
    ) -> Values:
        if not head:
            return ()
        function = head[0]
        given = [one for one in arguments if isinstance(one, tuple)]
        if isinstance(function, tuple):
            return function
        if function in {"include", "template"}:
            return self._included(given, depth)
        if function == "index":
            names = [one[0].text for one in given[1:] if one]
            return self._lookup(names) if len(names) == len(given) - 1 else ()
        if function in _SAME:
            return given[-1 if function != "tpl" else 0] if given else ()
        handler = _FUNCTIONS.get(function)
        return handler(given)[:_MOST_VALUES] if handler is not None else ()

    def _included(self, given: Sequence[Values], depth: int) -> Values:
        name = given[0][0].text if given and given[0] else ""
        known = self._templates.get(name)
        if known is None:
            return ()
        if name not in self._known:
            self._known[name] = ()  # what includes itself
            path, text, start, end = known
            where = (path, text, start) if path != self._path else None
            body = text.content[start : min(end, start + _LONGEST)]
            self._known[name] = self._evaluate(body, where, depth + 1)
        return self._known[name]


def _default(given: Sequence[Values]) -> Values:
    """`default "x" .Values.y`, `coalesce a b`: what is given and not empty wins."""
    *others, value = given or ((),)
    known = tuple(one for one in value if one.text)
    if known and len(known) == len(value):
        return known
    return (*known, *(other for values in others for other in values))


def _coalesce(given: Sequence[Values]) -> Values:
    found: list[Given] = []
    for value in given:
        found.extend(one for one in value if one.text)
        if value and all(one.text for one in value):
            break
    return tuple(found)


def _ternary(given: Sequence[Values]) -> Values:
    return tuple(one for value in given[:2] for one in value)


def _printf(given: Sequence[Values]) -> Values:
    found: list[Given] = []
    for form, *words in list(product(*(value or (Given("{{?}}"),) for value in given)))[:8]:
        text, left = form.text, list(words)
        while left and (verb := re.search(r"%[-+#0-9.]*[svqd]", text)):
            text = text[: verb.start()] + left.pop(0).text + text[verb.end() :]
        steps = tuple(step for word in (form, *words) for step in word.before)
        found.append(Given(text[:_LONGEST], steps))
    return tuple(found)


def _trimmed(given: Sequence[Values], *, end: bool) -> Values:
    if len(given) < 2 or not given[0]:
        return given[-1] if given else ()
    part = given[0][0].text
    return tuple(
        Given(one.text.removesuffix(part) if end else one.text.removeprefix(part), one.before)
        for one in given[-1]
    )


def _folder(given: Sequence[Values]) -> Values:
    return tuple(Given(dirname(one.text), one.before) for value in given[-1:] for one in value)


_FUNCTIONS: dict[str, Callable[[Sequence[Values]], Values]] = {
    "default": _default,
    "coalesce": _coalesce,
    "ternary": _ternary,
    "printf": _printf,
    "trimSuffix": lambda given: _trimmed(given, end=True),
    "trimPrefix": lambda given: _trimmed(given, end=False),
    "dir": _folder,
}


def _defined(content: str) -> list[tuple[str, int, int]]:
    """Return the named templates of a file: name, where the body starts and ends."""
    found: list[tuple[str, int, int]] = []
    opened: list[tuple[str, int]] = []
    for action in actions(content):
        if action.control in {"if", "range", "with", "define", "block"}:
            opened.append((action.defines, action.end))
        elif action.control == "end" and opened:
            name, start = opened.pop()
            if name:
                found.append((name, start, action.start))
    return found


def _split(words: Sequence[str]) -> list[list[str]]:
    """Split a pipeline at those of its `|` that stand in no parentheses."""
    commands: list[list[str]] = [[]]
    depth = 0
    for word in words:
        depth += (word == "(") - (word == ")")
        if word == "|" and depth <= 0:
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def _closing(words: Sequence[str], at: int) -> int:
    depth = 1
    while at < len(words):
        depth += (words[at] == "(") - (words[at] == ")")
        if not depth:
            return at
        at += 1
    return at


def _unquoted(word: str) -> str:
    return re.sub(r"\\(.)", r"\1", word[1:-1]) if word[0] == '"' else word[1:-1]


def _step(where: tuple[str, Text, int] | None, offset: int) -> tuple[Step, ...]:
    if where is None:
        return ()
    path, text, start = where
    return (Step(path, text.line_of(start + offset)),)


def _behind(values: Values, step: tuple[Step, ...]) -> Values:
    return tuple(Given(one.text, (*one.before, *step)) for one in values)


def _joined(current: Sequence[Given], following: Values) -> list[Given]:
    return [
        Given(one.text + other.text, tuple(dict.fromkeys((*one.before, *other.before))))
        for one in current
        for other in following
    ][:_MOST_VALUES]
