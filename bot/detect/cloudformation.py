"""Templates of CloudFormation, and what stands in their place: tasks of containers and machines.

Source: AWS CloudFormation, "Template reference", intrinsic functions Ref, Sub and Join.
"""

from collections.abc import Iterator

from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import script_grants
from bot.detect.ecs import Tasks, value, volumes_of
from bot.detect.grant import Grant, Step
from bot.detect.patterns import pattern
from bot.detect.pods.values import Given, filled
from bot.detect.positioned import Node
from bot.detect.shell.model import SHEBANG
from bot.detect.user_data import user_data_grants

_VARIABLE = pattern(r"\$\{(?P<name>[\w:.]+)\}")


def template_grants(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what the task definitions and the machines of a document hand over."""
    resources = document.get("Resources")
    parameters = _Parameters(places.path, document)
    if resources is None or resources.kind != "map":
        yield from _tasks(places, "", document, parameters)
        return
    for name, (_, resource) in resources.entries().items():
        properties = resource.get("Properties")
        if properties is not None:
            yield from _tasks(places, f"resource {name}", properties, parameters)
            yield from _scripts(places, f"resource {name}", properties)
            yield from user_data_grants(places, f"resource {name}", properties)


def _tasks(places: Places, owner: str, node: Node, parameters: "_Parameters") -> Iterator[Grant]:
    """Yield what the tasks at or below a node hand over."""
    tasks = Tasks(places, parameters.resolve)
    for below in node.maps():
        definitions = value(below, "containerdefinitions")
        batch = value(below, "containerproperties")
        holder, containers = below, definitions.listed() if definitions is not None else ()
        if batch is not None and batch.kind == "map":
            holder, containers = batch, (batch,)
        if containers:
            family = value(below, "family") or value(below, "jobdefinitionname")
            task = owner or (f"task {family.text}" if family is not None else "task")
            yield from tasks.grants(task, containers, volumes_of(holder))


def _scripts(places: Places, owner: str, properties: Node) -> Iterator[Grant]:
    """Yield what the scripts reach that machines run when they start (UserData)."""
    subject = Subject(owner, extent=(properties.line, properties.last_line))
    for scalar in properties.scalars():
        if scalar.style == "|" and SHEBANG.match(scalar.text):
            yield from script_grants(places, subject, (scalar,))


class _Parameters:
    """The parameters of a template that have a default."""

    def __init__(self, path: str, document: Node) -> None:
        self._path = path
        self._known: dict[str, Node] = {}
        parameters = document.get("Parameters")
        for name, (_, parameter) in parameters.entries().items() if parameters is not None else ():
            default = parameter.get("Default")
            if default is not None and default.kind == "scalar":
                self._known[name] = default

    def resolve(self, node: Node) -> Given:
        """Return the text of a value: a scalar, `!Ref`, `!Sub`, or a mapping that says the same."""
        if node.kind == "map" and len(node.pairs) == 1:
            key, inner = node.pairs[0]
            if key.text == "Ref":
                return self._named(inner.text)
            if key.text == "Fn::Sub" and inner.kind == "scalar":
                return self._filled(inner.text)
        if node.tag == "!Ref":
            return self._named(node.text)
        return self._filled(node.text) if node.tag == "!Sub" else Given(node.text)

    def _named(self, name: str) -> Given:
        known = self._known.get(name)
        if known is None:
            return Given(f"${{{name}}}")
        return Given(known.text, (Step(self._path, known.line),))

    def _filled(self, text: str) -> Given:
        return filled(text, _VARIABLE, lambda found: self._named(found["name"]))
