"""Every container at or below a node, each with the volumes and the pod spec around it.

Kinds are not listed: whatever has `containers` or `volumeMounts` is read, so that custom resources
which embed a pod are read as Deployments are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.detect.ci.places import Places, Subject
from bot.detect.grant import Grant
from bot.detect.pods.container import Containers
from bot.detect.pods.values import Resolve, text_of, written
from bot.detect.positioned import Node

_LISTS = {
    "containers": "container",
    "initContainers": "init container",
    "ephemeralContainers": "ephemeral container",
    "sidecars": "sidecar",
    "steps": "step",
}
_SINGLE = frozenset({"container", "script", "stepTemplate"})
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class _Scope:
    """What surrounds a node."""

    volumes: Mapping[str, Node] = field(default_factory=dict)
    pods: tuple[Node, ...] = ()


def owner_of(document: Node) -> str:
    """Return what a person calls an object: "Deployment web", its kind where it has no name."""
    kind = text_of(document.get("kind"))
    name = text_of(document.get("metadata", "name"))
    name = name or text_of(document.get("metadata", "generateName"))
    return f"{kind} {name}".strip()


def scope(node: Node) -> dict[str, Node]:
    """Return the volumes of a pod spec by name."""
    listed = node.get("volumes")
    return {
        text_of(volume.get("name")): volume
        for volume in (listed.listed() if listed is not None else ())
        if volume.kind == "map"
    }


def pod_grants(
    places: Places, owner: str, node: Node, resolve: Resolve = written
) -> Iterator[Grant]:
    """Yield what the containers at or below `node` are handed. `owner` opens each subject.

    A hostPath volume that no container mounts gives nothing, unless the containers are not here: a
    patch, a fragment of a template.
    """
    yield from _Walk(places, owner, resolve).grants(node)


class _Walk:
    def __init__(self, places: Places, owner: str, resolve: Resolve) -> None:
        self._places = places
        self._owner = owner
        self._resolve = resolve
        self._containers = Containers(places, resolve)

    def grants(self, root: Node) -> Iterator[Grant]:
        stack: list[tuple[Node, _Scope]] = [(root, _Scope())]
        seen: set[tuple[int, int]] = set()
        left = _MOST
        while stack and left:
            node, around = stack.pop()
            left -= 1
            if node.kind == "scalar":
                continue
            key = (id(node.items or node.pairs), id(around.volumes))
            if key in seen:
                continue
            seen.add(key)
            if node.kind == "list":
                stack.extend((item, around) for item in reversed(node.members()))
                continue
            entries = node.entries()
            inner = self._inner(node, entries, around)
            taken: set[str] = set()
            for name, label, container in _containers(entries):
                taken.add(name)
                yield from self._container(label, container, inner)
            if inner.volumes is not around.volumes:
                yield from self._unmounted(node, inner, around)
            if "volumeMounts" in entries and not taken:
                yield from self._container("", node, inner)
            for name, (_, value) in reversed(entries.items()):
                if value.kind == "scalar" or (name in taken and value.kind == "map"):
                    continue
                if name in taken:
                    stack.extend((i, inner) for i in value.members() if i.kind == "list")
                else:
                    stack.append((value, inner))

    def _inner(self, node: Node, entries: Mapping[str, object], around: _Scope) -> _Scope:
        if "volumes" not in entries and not entries.keys() & _LISTS.keys():
            return around
        own = scope(node)
        return _Scope({**around.volumes, **own} if own else around.volumes, (*around.pods, node))

    def _container(self, label: str, container: Node, around: _Scope) -> Iterator[Grant]:
        subject = ", ".join(part for part in (self._owner, label) if part) or "pod"
        yield from self._containers.grants(subject, container, around.volumes, around.pods)

    def _unmounted(self, node: Node, inner: _Scope, around: _Scope) -> Iterator[Grant]:
        """Yield the volumes of a spec whose containers are elsewhere."""
        mounted: set[str] = set()
        for below in node.maps(_MOST):
            image, mounts = below.value("image"), below.value("volumeMounts")
            if image is not None and image.kind == "scalar":
                return
            for mount in mounts.listed() if mounts is not None else ():
                mounted.add(text_of(mount.get("name"), self._resolve))
        for name, volume in inner.volumes.items():
            if name in mounted or around.volumes.get(name) is volume:
                continue
            subject = ", ".join(part for part in (self._owner, f"volume {name}") if part)
            extent = (volume.line, volume.last_line)
            digest = volume.digest(frozenset({"name"}))
            grant = self._containers.volume(Subject(subject, None, digest, extent), volume)
            if grant is not None:
                yield grant


def _containers(entries: Mapping[str, tuple[Node, Node]]) -> Iterator[tuple[str, str, Node]]:
    """Yield the containers of one mapping: its key, what a person calls it, the container."""
    for name, (_, value) in entries.items():
        kind = _LISTS.get(name)
        if kind is not None and value.kind == "list":
            for number, item in enumerate(value.members(), 1):
                if item.kind == "map":
                    called = text_of(item.get("name")) or str(number)
                    yield name, f"{kind} {called}", item
        elif kind is not None and value.kind == "map":
            for called, (_, item) in value.entries().items():
                if item.kind == "map" and item.get("volumeMounts") is not None:
                    yield name, f"{kind} {called}", item
        elif name in _SINGLE and value.kind == "map":
            yield name, f"container {text_of(value.get('name')) or 'main'}", value
