"""Every container at or below a node, each with the volumes and the pod spec around it.

Kinds are not listed: whatever has `containers` or `volumeMounts` is read, so that custom resources
which embed a pod are read as Deployments are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.detect import effort
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


@dataclass(frozen=True, slots=True)
class _Scope:
    """What surrounds a node."""

    volumes: Mapping[str, Node] = field(default_factory=dict)
    pods: tuple[Node, ...] = ()


def owner_of(document: Node) -> str:
    """Return what a person calls an object: "Deployment web", its kind where nothing names it."""
    kind = text_of(document.get("kind"))
    name = text_of(document.get("metadata", "name"))
    name = name or text_of(document.get("metadata", "generateName"))
    return kind if "{{" in name else f"{kind} {name}".strip()


def scope(node: Node) -> dict[str, Node]:
    """Return the volumes of a pod spec by name."""
    listed = node.get("volumes")
    return {
        text_of(volume.get("name")): volume
        for volume in (listed.listed() if listed is not None else ())
        if volume.kind == "map"
    }


def pod_grants(
    places: Places, owner: str, node: Node, resolve: Resolve = written, *, partial: bool = False
) -> Iterator[Grant]:
    """Yield what the containers at or below `node` are handed. `owner` opens each subject.

    A hostPath volume that no container mounts gives nothing, unless its containers are not here: in
    a patch, or where `partial` says that this is a fragment of what a template engine makes.
    """
    walk = _Walk(places, owner, resolve, partial=partial)
    yield from walk.grants(node)
    yield from walk.rest()


class _Walk:
    def __init__(self, places: Places, owner: str, resolve: Resolve, *, partial: bool) -> None:
        self._places = places
        self._owner = owner
        self._resolve = resolve
        self._partial = partial
        self._containers = Containers(places, resolve)
        self._volumes: list[Node] = []
        self._mounts: dict[str, Node] = {}
        self._mounted: set[int] = set()  # where the volumes start that a container mounts

    def grants(self, root: Node) -> Iterator[Grant]:
        """Yield what containers are handed."""
        stack: list[tuple[Node, _Scope]] = [(root, _Scope())]
        seen: set[tuple[int, int]] = set()
        while stack:
            node, around = stack.pop()
            effort.spend(1)
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
            if self._partial:
                self._note(node, entries)
            elif inner.volumes is not around.volumes:
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
        for name in self._names(container):
            if name in around.volumes:
                self._mounted.add(around.volumes[name].start)

    def _names(self, container: Node) -> Iterator[str]:
        mounts = container.get("volumeMounts")
        for mount in mounts.listed() if mounts is not None else ():
            yield text_of(mount.get("name"), self._resolve)

    def _note(self, node: Node, entries: Mapping[str, object]) -> None:
        if "hostPath" in entries:
            self._volumes.append(node)
        elif "mountPath" in entries:
            self._mounts.setdefault(text_of(node.get("name"), self._resolve), node)

    def rest(self) -> Iterator[Grant]:
        """Yield the volumes of a fragment that no container here mounts."""
        for volume in self._volumes:
            if volume.start not in self._mounted:
                name = text_of(volume.get("name"), self._resolve)
                yield from self._volume(name, volume, self._mounts.get(name))

    def _unmounted(self, node: Node, inner: _Scope, around: _Scope) -> Iterator[Grant]:
        """Yield the volumes of a spec whose containers are elsewhere."""
        mounted: set[str] = set()
        for below in node.maps():
            image = below.value("image")
            if image is not None and image.kind == "scalar":
                return
            mounted.update(self._names(below))
        for name, volume in inner.volumes.items():
            if name not in mounted and around.volumes.get(name) is not volume:
                yield from self._volume(name, volume, None)

    def _volume(self, name: str, volume: Node, mount: Node | None) -> Iterator[Grant]:
        subject = ", ".join(part for part in (self._owner, f"volume {name}".strip()) if part)
        digest = volume.digest(frozenset({"name"}))
        who = Subject(subject, None, digest, (volume.line, volume.last_line))
        yield from self._containers.volume(who, volume, mount)


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
