"""Task definitions of Amazon ECS, job definitions of AWS Batch, CloudFormation templates of both.

Files: JSON and YAML with `containerDefinitions`, or with resources of AWS. Source: Amazon ECS API
reference; AWS CloudFormation, "Template reference", intrinsic functions Ref, Sub and Join.

    {"containerDefinitions": [{"name": "agent", "mountPoints": [{"sourceVolume": "sock"}]}],
     "volumes": [{"name": "sock", "host": {"sourcePath": "/var/run/docker.sock"}}]}
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import script_grants
from bot.detect.ecs import Tasks, value, volumes_of
from bot.detect.engine import unread
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Step, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.pods import Given
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.user_data import user_data_grants
from bot.detect.yaml_tree import read_json, read_yaml

_NAME = re.compile(r"\.(?:ya?ml|json|template)\Z", re.IGNORECASE)
_SHAPE = re.compile(
    r"[Cc]ontainerDefinitions[\"']?\s*:|[Cc]ontainerProperties[\"']?\s*:"
    r"|\bAWSTemplateFormatVersion\b|\bType[\"']?\s*:\s*[\"']?AWS::"
)
_WORDS = ("ontainerDefinitions", "ontainerProperties", "AWSTemplateFormatVersion", "AWS::")
_OBJECT = Keyed(r"^(?:kind|services)[ \t]*:", "kind", "services")
_TELLING = re.compile(r"[Ss]ource[Pp]ath|docker|podman|containerd|_HOST|device", re.IGNORECASE)
_SHEBANG = re.compile(r"\s*#!.*\b(?:ba|da|a|z|k)?sh\b")
_VARIABLE = re.compile(r"\$\{(?P<name>[\w:.]+)\}")
_MOST = 20_000


def _matches(path: str, text: str) -> bool:
    if not _NAME.search(path) and not _NAME.search(plain_name(path)):
        return False
    if not any(word in text for word in _WORDS):
        return False
    return bool(_SHAPE.search(text)) and not _OBJECT.search(text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    text = Text(content)
    tree = read_json(text) if content.lstrip()[:1] == "{" else read_yaml(text)
    places = Places(path, text)
    found = [grant for document in tree.documents for grant in _document(places, document)]
    yield from found
    if tree.problem is not None:
        why = f"line {tree.problem.line}: {tree.problem.message}"
        unknown = unread(path, text, why, found)
        if unknown is not None:
            yield unknown


def _document(places: Places, document: Node) -> Iterator[Grant]:
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
    for below in node.maps(_MOST):
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
    for scalar in properties.scalars(_MOST):
        if scalar.style == "|" and _SHEBANG.match(scalar.text):
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
        steps: list[Step] = []

        def put(found: re.Match[str]) -> str:
            given = self._named(found["name"])
            steps.extend(given.before)
            return given.text

        return Given(_VARIABLE.sub(put, text), tuple(dict.fromkeys(steps)))


FORMAT = Format("ecs", _matches, _grants)
