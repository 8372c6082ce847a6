"""Tekton's tasks, pipelines and runs -> what each of their steps hands over.

Source: Tekton's documentation, "Tasks", "Pipelines", "Pod templates", "Specifying parameters".
"""

from collections.abc import Iterator, Mapping

from bot.detect import sockets
from bot.detect.ci.places import Place, Places, Subject
from bot.detect.ci.steps import Nesting, name_of
from bot.detect.grant import Grant, Step
from bot.detect.patterns import pattern
from bot.detect.pods.container import Containers
from bot.detect.pods.spec import owner_of, scope
from bot.detect.pods.values import Given, filled
from bot.detect.positioned import Node

_PARAMETER = pattern(
    r"\$\((?:inputs\.|tasks\.)?params(?:\.(?P<plain>[\w-]+)|\[[\"'](?P<quoted>[^\"'\]]+)[\"']\])\)"
)
_POD_TEMPLATES = (
    ("podTemplate",),
    ("taskRunTemplate", "podTemplate"),
    ("taskPodTemplate",),
)

Parameters = Mapping[str, Given]


def task_grants(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what the tasks, pipelines and runs of a document hand over."""
    items = document.get("items")
    for one in items.members() if items is not None else (document,):
        version = one.get("apiVersion")
        spec = one.get("spec")
        if version is not None and version.text.startswith("tekton.dev/") and spec is not None:
            yield from _Reader(places).spec(owner_of(one), spec, {}, {}, Nesting(), top=True)


class _Reader:
    def __init__(self, places: Places) -> None:
        self._places = places

    def spec(
        self,
        subject: str,
        spec: Node,
        volumes: Mapping[str, Node],
        given: Parameters,
        nesting: Nesting,
        *,
        top: bool = False,
    ) -> Iterator[Grant]:
        """Read the spec of a task, a pipeline, a run or a step."""
        if spec.kind != "map" or not nesting.allows():
            return
        known = {**self._defaults(spec), **given}
        own = {**volumes, **self._pod_volumes(spec)}
        values = self._values(spec, known)
        yield from self._addresses(subject, spec, values)
        if spec.get("steps") is not None:
            yield from self._task(subject, spec, {**own, **scope(spec)}, known)
        elif spec.get("image") is not None and top:
            yield from self._containers(known).grants(subject, spec, own)
        inside = False
        for key in ("tasks", "finally"):
            tasks = spec.get(key)
            for number, task in enumerate(tasks.members() if tasks is not None else (), 1):
                inside = True
                label = f"{subject}, task {name_of(task) or number}"
                yield from self._embedded(label, task, own, known, nesting)
        for key in ("taskSpec", "pipelineSpec"):
            inner = spec.get(key)
            if inner is not None:
                inside = True
                yield from self.spec(subject, inner, own, values, nesting.deeper())
        if not inside and spec.get("steps") is None:
            yield from self._unmounted(subject, own)
        runs = spec.get("taskRunSpecs")
        for run in runs.members() if runs is not None else ():
            label = f"{subject}, task {name_of(run, 'pipelineTaskName')}"
            yield from self._unmounted(label, self._pod_volumes(run))

    def _embedded(
        self,
        subject: str,
        task: Node,
        volumes: Mapping[str, Node],
        known: Parameters,
        nesting: Nesting,
    ) -> Iterator[Grant]:
        values = self._values(task, known)
        yield from self._addresses(subject, task, values)
        inner = task.get("taskSpec") or task.get("pipelineSpec")
        if inner is not None:
            yield from self.spec(subject, inner, volumes, values, nesting.deeper())

    def _task(
        self, subject: str, spec: Node, volumes: Mapping[str, Node], known: Parameters
    ) -> Iterator[Grant]:
        containers = self._containers(known)
        template = spec.get("stepTemplate")
        for key, kind in (("steps", "step"), ("sidecars", "sidecar")):
            listed = spec.get(key)
            for number, step in enumerate(listed.members() if listed is not None else (), 1):
                if step.kind != "map":
                    continue
                name = f"{subject}, {kind} {name_of(step) or number}"
                defaults = template if kind == "step" else None
                yield from containers.grants(name, step, volumes, (), defaults)

    def _containers(self, known: Parameters) -> Containers:
        def resolve(node: Node) -> Given:
            return self._resolved(node, known)

        return Containers(self._places, resolve)

    def _resolved(self, node: Node, known: Parameters) -> Given:
        """Return a scalar with the parameters put in that the file gives."""
        return filled(
            node.text, _PARAMETER, lambda found: known.get(found["plain"] or found["quoted"])
        )

    def _defaults(self, spec: Node) -> dict[str, Given]:
        return self._listed(spec, "default", {})

    def _values(self, node: Node, known: Parameters) -> dict[str, Given]:
        """Return the values that a run or a pipeline's task gives the parameters."""
        return self._listed(node, "value", known)

    def _listed(self, node: Node, key: str, known: Parameters) -> dict[str, Given]:
        found: dict[str, Given] = {}
        params = node.get("params")
        for param in params.listed() if params is not None else ():
            value = param.get(key)
            if value is not None and value.kind == "scalar":
                given = self._resolved(value, known)
                here = Step(self._places.path, value.line)
                found[name_of(param)] = Given(given.text, (*given.before, here))
        return found

    def _addresses(self, subject: str, node: Node, values: Mapping[str, Given]) -> Iterator[Grant]:
        """Yield the parameters that point a task at a daemon: `DOCKER_HOST` and its like."""
        params = node.get("params")
        for param in params.listed() if params is not None else ():
            name, value = name_of(param), param.get("value")
            given = values.get(name)
            if value is None or given is None or not sockets.daemon_variable(name):
                continue
            target = sockets.address(given.text)
            if target is not None:
                place = Place(self._places.path, value.line, given.before[:-1])
                yield self._places.mounted(Subject(subject), target, self._places.put(place))

    def _pod_volumes(self, spec: Node) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for keys in _POD_TEMPLATES:
            template = spec.get(*keys)
            if template is not None:
                found |= scope(template)
        return found

    def _unmounted(self, subject: str, volumes: Mapping[str, Node]) -> Iterator[Grant]:
        """Yield the volumes that a run gives to the pods of tasks which stand elsewhere."""
        for name, volume in volumes.items():
            who = Subject(f"{subject}, volume {name}", None, volume.digest(frozenset({"name"})))
            yield from Containers(self._places).volume(who, volume)
