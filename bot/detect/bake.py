"""The targets of bake files, what they inherit, and the values that variables give them.

Source: Bake file reference ("Target", "Variable", "Inheriting attributes"); docker/buildx
`util/buildflags` for the text forms of `ssh` and `secret`.
"""

import re
from collections.abc import Iterator, Mapping

from bot.detect import effort, mounts, sockets
from bot.detect.ci.places import Place, Places
from bot.detect.grant import Grant, How, Severity, Step
from bot.detect.handed import At
from bot.detect.hcl import named, read_hcl
from bot.detect.image import declared_inline
from bot.detect.lines import Text
from bot.detect.pods.values import Given
from bot.detect.positioned import Node
from bot.detect.shell import Script
from bot.detect.yaml_tree import read_json

_NAME = re.compile(r"[A-Za-z_][\w-]*")
_TEMPLATE = re.compile(r"\$\{\s*(?P<name>[A-Za-z_][\w-]*)\s*\}")
_BLOCKS = frozenset({"target", "group", "variable", "function"})
_DEEPEST = 12
_TARGET = 40  # units of effort
_LONGEST = 16_384


def target_grants(path: str, text: Text, others: Mapping[str, Text]) -> Iterator[Grant]:
    """Yield what the targets of one bake file ask for.

    `others` are the bake files that are read together with it, by path.
    """
    yield from _Bake(path, text, others).grants()


def _read(path: str, text: Text) -> Node:
    if ".json" in path:
        documents = read_json(text).documents
        return documents[0] if documents else Node("map", "", (), (), 0, 0, text)
    return read_hcl(text)


class _Bake:
    def __init__(self, path: str, text: Text, others: Mapping[str, Text]) -> None:
        self._path = path
        self._text = text
        self._places = Places(path, text)
        self._variables: dict[str, At] = {}
        self._targets: dict[str, list[At]] = {}
        self._own = _read(path, text)
        roots = {path: self._own, **{other: _read(other, said) for other, said in others.items()}}
        for where, root in roots.items():
            self._index(where, root)

    def _index(self, path: str, root: Node) -> None:
        for name, block in named(root.get("variable")):
            default = block.get("default")
            if default is not None:
                self._variables.setdefault(name, At(default, path))
        for name, (_, value) in root.entries().items():
            if name not in _BLOCKS:
                self._variables.setdefault(name, At(value, path))
        for name, block in named(root.get("target")):
            self._targets.setdefault(name, []).append(At(block, path))

    def grants(self) -> Iterator[Grant]:
        """Yield the grants of every target of the file itself, inherited ones included."""
        for name, block in named(self._own.get("target")):
            for at in self._inherited(At(block, self._path), frozenset({name})):
                yield from self._target(name, block, at)

    def _inherited(self, at: At, seen: frozenset[str]) -> Iterator[At]:
        """Yield a target's block and those that it takes attributes from."""
        effort.spend(_TARGET)
        yield at
        parents = at.get("inherits")
        for parent in self._flat(parents) if parents is not None and len(seen) < _DEEPEST else ():
            name = self._given(parent).text
            if name in seen:
                continue
            after = (Step(parent.path, parent.node.line), *at.after)
            for block in self._targets.get(name, ()):
                yield from self._inherited(At(block.node, block.path, after), seen | {name})

    def _target(self, name: str, block: Node, at: At) -> Iterator[Grant]:
        subject = f"target {name}"
        for forwarded in ("ssh", "secret"):
            for value, given in self._paths(at.get(forwarded)):
                target = sockets.host_path(given.text)
                if target is not None and target.how is How.MOUNT:
                    yield self._grant(subject, block, target.resource, value, given)
        arguments = at.get("args")
        for mapping in self._flat(arguments) if arguments is not None else ():
            for key, (_, written) in mapping.node.entries().items():
                if not sockets.daemon_variable(key):
                    continue
                argument = At(written, mapping.path, mapping.after)
                given = self._given(argument)
                address = sockets.address(given.text)
                if address is not None:
                    yield self._grant(subject, block, address.resource, argument, given)
        inline = at.get("dockerfile-inline")
        if inline is not None and at.path == self._path and not at.after:
            script = Script(*inline.node.script())
            yield from declared_inline(self._path, self._text, subject, script)

    def _paths(self, at: At | None) -> Iterator[tuple[At, Given]]:
        """Yield the paths in `id=path`, `id=…,src=path` and in mappings with `paths` or `src`."""
        for one in self._flat(at) if at is not None else ():
            if one.node.kind == "map":
                for key in ("paths", "src", "source"):
                    below = one.get(key)
                    for path in self._flat(below) if below is not None else ():
                        yield path, self._given(path)
                continue
            given = self._given(one)
            options = mounts.options(given.text)
            if "src" in options or "source" in options:
                written = [options.get("src", options.get("source", ""))]
            else:
                written = given.text.partition("=")[2].split(",")
            for text in written:
                yield one, Given(text, given.before)

    def _grant(self, subject: str, block: Node, resource: str, at: At, given: Given) -> Grant:
        place = Place(at.path, at.node.line, given.before, at.after)
        own = [step for step in place.steps() if step.path == self._path]
        line = at.node.line if at.path == self._path and not at.after else own[-1].line
        last = Step(self._path, line)
        way = [step for step in dict.fromkeys(place.steps()) if step != last]
        return Grant(
            self._path, line, self._text.line(line), subject, None, resource, How.DECLARED,
            Severity.HIGH,
            steps=(*way, last),
            definition=block.digest(),
            extent=(min(block.line, line), max(block.last_line, line)),
        )  # fmt: skip

    def _flat(self, at: At) -> Iterator[At]:
        """Yield the scalars and mappings that a value comes to: lists opened, variables followed.

        Of a choice (`a ? b : c`, `concat(…)`) every part.
        """
        stack = [(at, 0)]
        while stack:
            here, depth = stack.pop()
            effort.spend(1)
            node = here.node
            if node.tag == "!ref":
                known = self._variables.get(node.text) if depth < _DEEPEST else None
                if known is None:
                    yield here
                else:
                    own = (Step(here.path, node.line), *here.after)
                    stack.append((At(known.node, known.path, own), depth + 1))
            elif node.kind == "list":
                members = [(At(item, here.path, here.after), depth) for item in node.members()]
                stack.extend(reversed(members))
            elif not node.null:
                yield here

    def _given(self, at: At) -> Given:
        """Return the text of a value with its variables put in; of several values the first."""
        first = next((one for one in self._flat(at) if one.node.kind == "scalar"), None)
        if first is None:
            return Given("")
        before: list[Step] = []
        text = self._filled(first.node.text, before, 0)
        if first.path != at.path or first.node is not at.node:
            before.append(first.step)
        return Given(text, tuple(dict.fromkeys(before)))

    def _filled(self, template: str, before: list[Step], depth: int) -> str:
        def value(found: re.Match[str]) -> str:
            known = self._variables.get(found["name"])
            if known is None or known.node.kind != "scalar" or depth >= _DEEPEST:
                return found[0]
            before.append(known.step)
            if known.node.tag == "!ref":
                return self._filled(f"${{{known.node.text}}}", before, depth + 1)
            return self._filled(known.node.text, before, depth + 1)

        return _TEMPLATE.sub(value, template)[:_LONGEST] if "${" in template else template
