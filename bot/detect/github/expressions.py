"""`${{ … }}` in a workflow -> what it stands for, as far as the files say.

Source: GitHub documentation, "Expressions" and "Contexts". Read are `env`, `matrix`, `inputs`,
`steps` and literals; where an expression chooses among several, the one that names a daemon is
taken: it is what some run of the workflow gets.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.detect.ci.places import Environment, Places, Variables, substituted, tells, value_of
from bot.detect.grant import Step
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script

_EXPRESSION = pattern(r"\$\{\{(?P<body>(?:[^{}'\n]|'[^'\n]*'|\{[^{}\n]*\})*)\}\}")
_REFERENCE = pattern(
    r"(?P<context>github\.event\.inputs|inputs|env|matrix|steps)"
    r"(?:\.(?P<name>[\w.-]+)|\[ *'(?P<quoted>[^']+)' *\])"
)
_LITERAL = pattern(r"'(?P<text>(?:[^'\n]|'')*)'")
_WHOLE_MATRIX = pattern(r"\$\{\{\s*matrix\.(?P<name>[\w-]+)\s*\}\}")
_MOST_VARIANTS = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What the expressions of one place can refer to."""

    places: Places
    path: str
    after: tuple[Step, ...] = ()  # how what stands in `path` gets to the subject
    env: Variables = field(default_factory=dict)
    matrix: Mapping[str, Script] = field(default_factory=dict)
    inputs: Mapping[str, Script] = field(default_factory=dict)
    outputs: Variables = field(default_factory=dict)  # of the steps before, "id.outputs.name"

    def read(self, node: Node) -> Script:
        """Return a scalar as a script, its expressions resolved."""
        return self.resolved(self.places.script(node, self.path, self.after))

    def resolved(self, script: Script) -> Script:
        """Return a script with the expressions that the files answer replaced."""
        if "${{" not in script.text:
            return script
        return substituted(script, self._pieces, self.places)

    def _pieces(self, text: str) -> Iterator[tuple[int, int, Script]]:
        for match in _EXPRESSION.finditer(text):
            value = self._value(match["body"].strip())
            if value is not None:
                yield match.start(), match.end(), value

    def _value(self, body: str) -> Script | None:
        whole = _REFERENCE.fullmatch(body)
        if whole is not None:
            return self._known(whole)
        if (literal := _LITERAL.fullmatch(body)) is not None:
            return Script(literal["text"].replace("''", "'"), ())
        candidates = [known for ref in _REFERENCE.finditer(body) if (known := self._known(ref))]
        candidates += [Script(found["text"], ()) for found in _LITERAL.finditer(body)]
        return next((one for one in candidates if tells(one.text)), None)

    def _known(self, reference: re.Match[str]) -> Script | None:
        name = reference["name"] or reference["quoted"]
        match reference["context"]:
            case "env" | "steps" as context:
                value = (self.env if context == "env" else self.outputs).get(name)
                return Script(value.text, (value.line,)) if value is not None else None
            case "matrix":
                return self.matrix.get(name)
            case _:
                return self.inputs.get(name)


def environment(node: Node | None, scope: Scope) -> Environment:
    """Return the variables of an `env:` mapping, their expressions resolved."""
    found: Environment = {}
    if node is None or node.kind != "map":
        return found
    for name, (_, value) in node.entries().items():
        if value.kind == "scalar":
            found[name] = value_of(scope.read(value), value)
    return found


def variants(strategy: Node | None, scope: Scope) -> tuple[Mapping[str, Script], ...]:
    """Return the matrix values that matter: each that names a daemon stands in one variant.

    Source: GitHub documentation, `jobs.<job_id>.strategy.matrix`, with `include`.
    """
    matrix = strategy.get("matrix") if strategy is not None else None
    if matrix is None or matrix.kind != "map":
        return ({},)
    telling: dict[str, list[Script]] = {}
    for name, (_, value) in matrix.entries().items():
        if name == "exclude":
            continue
        for item in value.listed():
            for key, scalar in _leaves("" if name == "include" else name, item):
                script = scope.read(scalar)
                if tells(script.text):
                    telling.setdefault(key, []).append(script)
    if not telling:
        return ({},)
    first = {name: values[0] for name, values in telling.items()}
    others = [first | {name: value} for name, values in telling.items() for value in values[1:]]
    return (first, *others[: _MOST_VARIANTS - 1])


def matrix_mappings(strategy: Node | None, reference: Node) -> Iterator[Node]:
    """Yield the mappings that `${{ matrix.x }}` stands for: a container may be one value."""
    match = _WHOLE_MATRIX.fullmatch(reference.text.strip()) if reference.kind == "scalar" else None
    matrix = strategy.get("matrix") if strategy is not None else None
    if match is None or matrix is None:
        return
    own = matrix.get(match["name"])
    included = matrix.get("include")
    values = [*(own.listed() if own is not None else ())]
    legs = included.listed() if included is not None else ()
    values.extend(one for leg in legs if (one := leg.get(match["name"])) is not None)
    yield from (value for value in values if value.kind == "map")


def _leaves(prefix: str, node: Node, depth: int = 4) -> Iterator[tuple[str, Node]]:
    if node.kind == "scalar":
        yield prefix, node
    elif node.kind == "map" and depth:
        for name, (_, value) in node.entries().items():
            yield from _leaves(f"{prefix}.{name}" if prefix else name, value, depth - 1)
