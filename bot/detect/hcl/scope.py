"""What the values of an HCL file come to: variables with literal defaults, locals, joined lists.

Source: Terraform language, "Input Variables", "Local Values", "Strings and Templates"; Nomad, "HCL2
Variables". Nothing is evaluated that would need a provider.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.detect import effort
from bot.detect.grant import Step
from bot.detect.handed import At
from bot.detect.pods.values import Given
from bot.detect.positioned import Node

_REFERENCE = re.compile(r"(?P<kind>var|local)\.(?P<name>[\w-]+)(?P<rest>.*)", re.DOTALL)
_KEYS = re.compile(r"\.(?P<name>[\w-]+)|\[\"(?P<quoted>[^\"]*)\"\]|\[(?P<index>\d+)\]")
_TEMPLATE = re.compile(r"\$\{\s*(?P<reference>(?:var|local)\.[^{}\s]+)\s*\}")
# Calls that hand on what they are given, in some order or other form.
_HANDS_ON = frozenset(
    {"!any", "!concat", "!tolist", "!toset", "!tostring", "!flatten", "!compact", "!distinct",
     "!setunion", "!coalesce", "!coalescelist", "!try", "!trimspace", "!abspath", "!pathexpand",
     "!lookup", "!jsonencode", "!yamlencode", "!base64encode", "!chomp", "!one", "!nonsensitive"}
)  # fmt: skip
_DEEPEST = 12
_LONGEST = 16_384
_VALUE = 9  # units of effort


class Scope:
    """The variables and locals of one module: `roots` are its files, path and tree."""

    def __init__(
        self, roots: Mapping[str, Node], settings: Mapping[str, Node] | None = None
    ) -> None:
        self._texts: dict[str, Given | None] = {}
        self._variables: dict[str, At] = {}
        self._locals: dict[str, At] = {}
        for path, root in roots.items():
            for name, node in named(root.get("variable")):
                default = node.get("default")
                if default is not None:
                    self._variables.setdefault(name, At(default, path))
            listed = root.get("locals")
            for block in listed.listed() if listed is not None else ():
                for name, (_, value) in block.entries().items():
                    self._locals.setdefault(name, At(value, path))
        for path, root in (settings or {}).items():
            for name, (_, value) in root.entries().items():
                if name in self._variables or root.kind == "map":
                    self._variables[name] = At(value, path)

    def flat(self, at: At) -> Iterator[At]:
        """Yield the scalars and mappings that a value comes to.

        Lists are opened and references followed; what is not known stays a reference.
        """
        stack: list[tuple[At, int]] = [(at, 0)]
        while stack:
            here, depth = stack.pop()
            effort.spend(_VALUE)
            node = here.node
            if node.tag == "!ref":
                known = self._known(node.text) if depth < _DEEPEST else None
                if known is None:
                    yield here
                else:
                    own = (Step(here.path, node.line), *here.after)
                    stack.append((At(known.node, known.path, own), depth + 1))
            elif node.kind == "list" and (not node.tag or node.tag in _HANDS_ON):
                below = [(At(item, here.path, here.after), depth) for item in node.members()]
                stack.extend(reversed(below))
            elif node.kind != "list":
                yield here

    def text(self, at: At | None) -> Given:
        """Return the text of a scalar with what is known put in; of several values the first."""
        first = next(self.flat(at), None) if at is not None else None
        if first is None or first.node.kind != "scalar" or first.node.null:
            return Given("")
        node = first.node
        before: list[Step] = []
        template = f"${{{node.text}}}" if node.tag == "!ref" else node.text
        text = self._filled(template, before, 0)
        steps = (*before, *((first.step,) if first.after else ()))
        return Given(text, tuple(dict.fromkeys(steps)))

    def _filled(self, template: str, before: list[Step], depth: int) -> str:
        def value(found: re.Match[str]) -> str:
            known = self._filled_in(found["reference"], depth)
            if known is None:
                return found[0]
            before.extend(known.before)
            return known.text

        return _TEMPLATE.sub(value, template)[:_LONGEST] if "${" in template else template

    def _filled_in(self, reference: str, depth: int) -> Given | None:
        """Return the text that a reference comes to, worked out once."""
        if reference not in self._texts:
            self._texts[reference] = None  # what refers to itself
            known = self._known(reference) if depth < _DEEPEST else None
            inner = next(self.flat(known), None) if known is not None else None
            if inner is not None and inner.node.kind == "scalar" and inner.node.tag != "!ref":
                before: list[Step] = []
                text = self._filled(inner.node.text, before, depth + 1)
                self._texts[reference] = Given(text, (*before[:_DEEPEST], inner.step))
        return self._texts[reference]

    def _known(self, reference: str) -> At | None:
        found = _REFERENCE.fullmatch(reference)
        if found is None:
            return None
        at = (self._variables if found["kind"] == "var" else self._locals).get(found["name"])
        for key in _KEYS.finditer(found["rest"]):
            if at is None:
                return None
            at = _below(at, key)
        return at


def _below(at: At, key: re.Match[str]) -> At | None:
    if key["index"] is not None:
        items = at.node.members()
        index = int(key["index"][:6])
        return At(items[index], at.path, at.after) if index < len(items) else None
    return at.get(key["name"] if key["name"] is not None else key["quoted"])


def named(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield what a block type holds by its one label."""
    for name, (_, value) in node.entries().items() if node is not None else ():
        for block in value.listed():
            yield name, block


def labelled(root: Node, kind: str) -> Iterator[tuple[str, str, Node]]:
    """Yield the blocks of a type with two labels, as resources have: both labels, the body."""
    listed = root.get(kind)
    for holder in listed.listed() if listed is not None else ():
        for first, (_, below) in holder.entries().items():
            for part in below.listed():
                for second, block in named(part if part.kind == "map" else None):
                    yield first, second, block


def blocks(node: Node, *names: str) -> Sequence[Node]:
    """Return the blocks at a chain of types, each repeated or not, `dynamic` ones included."""
    found: list[Node] = [node]
    for name in names:
        below: list[Node] = []
        for one in found:
            value = one.get(name)
            below.extend(
                i for i in (value.listed() if value is not None else ()) if i.kind == "map"
            )
            made = one.get("dynamic", name)
            for holder in made.listed() if made is not None else ():
                content = holder.get("content")
                below.extend(content.listed() if content is not None else ())
        effort.spend(len(below))
        found = below
    return found
