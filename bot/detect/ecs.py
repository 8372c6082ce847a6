"""Task definitions of Amazon ECS and job definitions of AWS Batch, in JSON, YAML or HCL.

Source: Amazon ECS API reference, RegisterTaskDefinition (`volumes[].host.sourcePath`,
`containerDefinitions[].mountPoints`); AWS Batch, ContainerProperties; their CloudFormation twins,
whose keys start with a capital.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.detect import sockets
from bot.detect.ci.places import Environment, Place, Places, Subject, address_grants
from bot.detect.ci.steps import argv_grants
from bot.detect.grant import Grant, Step, Undermined
from bot.detect.mounts import repository
from bot.detect.pods.values import Given, Resolve, text_of, written
from bot.detect.positioned import Node
from bot.detect.shell import Value

_LIMITS = ("memory", "cpu", "memoryreservation", "ulimits")


@dataclass(frozen=True, slots=True)
class Volume:
    """A volume of a task: the host's path, and where the volume is named."""

    path: Node
    name: Node | None = None


def value(node: Node | None, *names: str) -> Node | None:
    """Return the value at a chain of keys, in whatever case they are written."""
    for name in names:
        if node is None or node.kind != "map":
            return None
        node = next((below for key, below in node.pairs if key.text.lower() == name), None)
    return node


def volumes_of(task: Node) -> dict[str, Volume]:
    """Return the volumes of a task definition that are the host's."""
    found: dict[str, Volume] = {}
    listed = value(task, "volumes")
    for volume in listed.listed() if listed is not None else ():
        path = value(volume, "host", "sourcepath")
        path = path or value(volume, "dockervolumeconfiguration", "driveropts", "device")
        name = value(volume, "name")
        if path is not None and name is not None:
            found[name.text] = Volume(path, name)
    return found


class Tasks:
    """Reads the containers of tasks of one file."""

    def __init__(self, places: Places, resolve: Resolve = written) -> None:
        self._places = places
        self._resolve = resolve

    def grants(
        self, owner: str, containers: Sequence[Node], volumes: Mapping[str, Volume]
    ) -> Iterator[Grant]:
        """Yield what the containers of a task are handed."""
        for container in containers:
            if container.kind == "map":
                yield from self._container(owner, container, volumes)

    def unmounted(self, owner: str, volumes: Mapping[str, Volume]) -> Iterator[Grant]:
        """Yield what volumes reach whose containers are not known."""
        for name, volume in volumes.items():
            who = Subject(f"{owner}, volume {name}")
            yield from self._mount(who, volume, None, ())

    def _container(
        self, owner: str, container: Node, volumes: Mapping[str, Volume]
    ) -> Iterator[Grant]:
        name = text_of(value(container, "name"), self._resolve)
        image = text_of(value(container, "image"), self._resolve)
        who = Subject(
            f"{owner}, container {name}" if name else owner,
            repository(image) if image else None,
            container.digest(frozenset({"name", "Name"})),
            (container.line, container.last_line),
        )
        restricted = tuple(self._restricted(container))
        points = value(container, "mountpoints")
        for point in points.listed() if points is not None else ():
            volume = volumes.get(text_of(value(point, "sourcevolume"), self._resolve))
            if volume is not None:
                yield from self._mount(who, volume, point, restricted)
        env = self._environment(value(container, "environment"))
        yield from address_grants(self._places, who, env, env)
        for key in ("entrypoint", "command"):
            words = value(container, key)
            if words is not None:
                yield from argv_grants(self._places, who, words.listed(), env)

    def _mount(
        self, who: Subject, volume: Volume, point: Node | None, restricted: tuple[Undermined, ...]
    ) -> Iterator[Grant]:
        at = value(point, "containerpath")
        text = self._places.texts[self._places.path]
        for given in self._resolve(volume.path).all():
            target = sockets.mount(given.text, text_of(at, self._resolve) or None)
            if target is None:
                continue
            way = (volume.path, volume.name, at, value(point, "sourcevolume"))
            lines = [Step(self._places.path, node.line) for node in way if node is not None]
            yield Grant(
                path=self._places.path,
                line=volume.path.line,
                text=text.line(volume.path.line),
                subject=who.name,
                image=who.image,
                resource=target.resource,
                how=target.how,
                severity=target.severity,
                steps=tuple(dict.fromkeys((*given.before, *lines))),
                undermines=restricted,
                definition=who.definition,
                extent=who.extent,
            )

    def _environment(self, node: Node | None) -> Environment:
        found: Environment = {}
        for item in node.listed() if node is not None else ():
            name, said = value(item, "name"), value(item, "value")
            if name is not None and said is not None and said.kind == "scalar":
                given: Given = self._resolve(said)
                place = Place(self._places.path, said.line, given.before)
                found[name.text] = Value(given.text, self._places.put(place))
        return found

    def _restricted(self, container: Node) -> Iterator[Undermined]:
        for control, node in _controls(container):
            text = self._places.texts[self._places.path].line(node.line).strip()
            yield Undermined(control, text, self._places.path, node.line)


def _controls(container: Node) -> Iterator[tuple[str, Node]]:
    user = value(container, "user")
    if user is not None and user.text not in {"", "0", "root", "0:0"}:
        yield "user", user
    read_only = value(container, "readonlyrootfilesystem")
    if read_only is not None and read_only.true:
        yield "readonlyRootFilesystem", read_only
    for chain in (("linuxparameters", "capabilities", "drop"), ("dockersecurityoptions",)):
        listed = value(container, *chain)
        yield from ((chain[-1], item) for item in (listed.listed() if listed is not None else ()))
    for name in _LIMITS:
        limit = value(container, name)
        if limit is not None and limit.text != "0":
            yield name, limit
