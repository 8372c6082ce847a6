"""Variables and parameters of an Azure pipeline -> what `$(x)` and `${{ … }}` stand for.

Source: Azure Pipelines documentation, "Define variables" (macro and template syntax; a variable
is an environment variable in upper case, dots as underscores) and "Runtime parameters".
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.detect.ci.places import Environment, Places, Variables, substituted, value_of
from bot.detect.grant import Step
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value

_MACRO = re.compile(
    r"\$\((?P<macro>[\w.-]+)\)"
    r"|\$\{\{\s*(?P<kind>parameters|variables)"
    r"(?:\.(?P<name>[\w.-]+)|\[\s*'(?P<quoted>[^']+)'\s*\])\s*\}\}"
    r"|\$\[\s*variables(?:\.(?P<run>[\w.-]+)|\[\s*'(?P<index>[^']+)'\s*\])\s*\]"
)
_INSERTED = re.compile(r"\$\{\{.*\}\}\Z", re.DOTALL)
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What the expressions of one place can refer to."""

    places: Places
    path: str
    after: tuple[Step, ...] = ()  # how what stands in `path` gets to the subject
    variables: Variables = field(default_factory=dict)  # by name in lower case
    parameters: Mapping[str, Script] = field(default_factory=dict)
    env: Variables = field(default_factory=dict)

    def read(self, node: Node) -> Script:
        """Return a scalar as a script, its expressions resolved."""
        script = self.places.script(node, self.path, self.after)
        if "$" not in script.text:
            return script
        return substituted(script, self._pieces, self.places)

    def here(self, node: Node) -> int:
        """Return the number of the line on which `node` starts."""
        return self.places.here(node, self.path, self.after)

    def _pieces(self, text: str) -> Iterator[tuple[int, int, Script]]:
        for match in _MACRO.finditer(text):
            if match["kind"] == "parameters":
                value = self.parameters.get(match["name"] or match["quoted"])
            else:
                name = next(
                    filter(None, (match[k] for k in ("macro", "name", "quoted", "run", "index")))
                )
                known = self.variables.get(name.lower())
                value = Script(known.text, (known.line,)) if known is not None else None
            if value is not None:
                yield match.start(), match.end(), value

    def environment(self, node: Node | None) -> Environment:
        """Return the variables of an `env:` mapping."""
        found: Environment = {}
        for name, (_, value) in entries(node):
            if value.kind == "scalar":
                found[name] = value_of(self.read(value), value)
        return found

    def defined(self, node: Node | None) -> Environment:
        """Return what `variables:` defines, by name as written: a mapping or a list."""
        if node is None:
            return {}
        if node.kind == "map":
            return self.environment(node)
        found: Environment = {}
        for item in items(node):
            name, value = item.get("name"), item.get("value")
            if name is not None and value is not None and value.kind == "scalar":
                found[name.text.strip()] = value_of(self.read(value), value)
        return found


def as_environment(variables: Mapping[str, Value]) -> Environment:
    """Return variables as the environment variables that a script sees."""
    return {
        name.upper().replace(".", "_").replace(" ", "_"): value for name, value in variables.items()
    }


def entries(node: Node | None, depth: int = 0) -> Iterator[tuple[str, tuple[Node, Node]]]:
    """Yield the entries of a mapping; what stands below `${{ if … }}:` belongs to it."""
    if node is None or node.kind != "map":
        return
    for name, (key, value) in node.entries().items():
        if _INSERTED.match(name) and depth < _DEEPEST:
            yield from entries(value, depth + 1)
        else:
            yield name, (key, value)


def items(node: Node | None, depth: int = 0) -> Iterator[Node]:
    """Yield the mappings of a list; what stands below `- ${{ if … }}:` belongs to it."""
    for item in node.listed() if node is not None else ():
        if item.kind != "map":
            continue
        inserted = [value for key, value in item.pairs if _INSERTED.match(key.text)]
        for below in inserted if depth < _DEEPEST else ():
            if below.kind == "list":
                yield from items(below, depth + 1)
        if len(inserted) < len(item.pairs):
            yield item


def get(node: Node, name: str) -> Node | None:
    """Return the value of one key, also where it stands below `${{ if … }}:`."""
    direct = node.get(name)
    if direct is not None or "${{" not in "".join(key.text[:3] for key, _ in node.pairs):
        return direct
    return next((value for key, (_, value) in entries(node) if key == name), None)
