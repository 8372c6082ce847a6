"""Argo's workflows and their templates -> what each of their containers hands over.

Source: Argo Workflows, "Fields" and "Workflow inputs".
"""

from collections.abc import Iterator, Mapping

from bot.detect.ci.places import Places
from bot.detect.ci.steps import name_of
from bot.detect.grant import Grant, Step
from bot.detect.patterns import pattern
from bot.detect.pods.container import Containers
from bot.detect.pods.embedded import block
from bot.detect.pods.spec import owner_of, pod_grants, scope
from bot.detect.pods.values import Given, filled
from bot.detect.positioned import Node

_KINDS = frozenset({"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"})
_PARAMETER = pattern(r"\{\{\s*(?:inputs|workflow)\.parameters\.([\w-]+)\s*\}\}")
_LISTS = (("initContainers", "init container"), ("sidecars", "sidecar"))


def workflow_grants(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what the workflows of a document hand over."""
    items = document.get("items")
    for one in items.members() if items is not None else (document,):
        kind, version = one.get("kind"), one.get("apiVersion")
        if kind is None or version is None or kind.text not in _KINDS:
            continue
        spec = one.get("spec", "workflowSpec") or one.get("spec")
        if spec is not None and version.text.startswith("argoproj.io/"):
            yield from _Reader(places, owner_of(one), spec).grants()


class _Reader:
    def __init__(self, places: Places, owner: str, spec: Node) -> None:
        self._places = places
        self._owner = owner
        self._spec = spec
        self._parameters = self._given(spec.get("arguments", "parameters"))

    def grants(self) -> Iterator[Grant]:
        """Yield what the templates of a workflow hand over."""
        yield from self._patch(self._owner, self._spec)
        volumes = scope(self._spec)
        templates = self._spec.get("templates")
        for number, template in enumerate(templates.members() if templates is not None else (), 1):
            name = f"{self._owner}, template {name_of(template) or number}"
            yield from self._template(name, template, {**volumes, **scope(template)})

    def _template(self, name: str, template: Node, volumes: Mapping[str, Node]) -> Iterator[Grant]:
        known = {**self._parameters, **self._given(template.get("inputs", "parameters"))}

        def resolve(node: Node) -> Given:
            return filled(node.text, _PARAMETER, lambda found: known.get(found[1]))

        containers = Containers(self._places, resolve)
        main: Node | None = None
        for key in ("container", "script"):
            container = template.get(key)
            if container is not None and container.kind == "map":
                main = container
                yield from containers.grants(f"{name}, {key}", container, volumes, (template,))
        together = template.get("containerSet", "containers")
        for label, container in _named(together):
            yield from containers.grants(f"{name}, container {label}", container, volumes)
        for key, kind in _LISTS:
            for label, container in _named(template.get(key)):
                mirrors = container.get("mirrorVolumeMounts")
                mirrored = main if mirrors is not None and mirrors.true else None
                defaults = _only(mirrored, "volumeMounts") if mirrored is not None else None
                subject = f"{name}, {kind} {label}"
                yield from containers.grants(subject, container, volumes, (template,), defaults)
        yield from self._patch(name, template)
        manifest = template.get("resource", "manifest")
        if manifest is not None:
            for inner in block(manifest):
                yield from pod_grants(self._places, f"{name}, {owner_of(inner)}", inner, resolve)

    def _patch(self, name: str, node: Node) -> Iterator[Grant]:
        """Read the patch of a pod's spec that a workflow or template holds as text."""
        patch = node.get("podSpecPatch")
        if patch is not None:
            for inner in block(patch):
                yield from pod_grants(self._places, f"{name}, podSpecPatch", inner)

    def _given(self, parameters: Node | None) -> dict[str, Given]:
        found: dict[str, Given] = {}
        for one in parameters.listed() if parameters is not None else ():
            value = one.get("value") or one.get("default")
            if value is not None and value.kind == "scalar":
                step = Step(self._places.path, value.line)
                found[name_of(one)] = Given(value.text, (step,))
        return found


def _only(node: Node, name: str) -> Node:
    """Return a mapping with nothing but the entry `name`."""
    pairs = tuple(pair for key, pair in node.entries().items() if key == name)
    return Node("map", "", (), pairs, node.start, node.end, node.document)


def _named(containers: Node | None) -> Iterator[tuple[str, Node]]:
    for number, one in enumerate(containers.members() if containers is not None else (), 1):
        if one.kind == "map":
            yield name_of(one) or str(number), one
