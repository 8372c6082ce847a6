"""A service's mounts -> what they reach, and how the text gets there.

Sources: Compose specification, "volumes", "volumes_from", "secrets", "configs", "use_api_socket"
and the top-level "volumes" (`driver_opts` of the local driver: `mount -o bind`). Docker Compose
binds the `file:` of secrets and configs into the container.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import join, normpath

from bot.detect import effort, sockets
from bot.detect.compose.project import Model
from bot.detect.compose.values import Value, mounted, target_of
from bot.detect.grant import How, Severity, Step
from bot.detect.mounts import split_short
from bot.detect.sockets import Target

_MOST = 100  # entries of `volumes_from`
_LONGEST_WAY = 40


@dataclass(frozen=True, slots=True)
class Reached:
    """One way of a service to a daemon: step by step where it is said, the service's place last."""

    target: Target
    how: How
    steps: tuple[Step, ...]
    inside: str  # where it appears in the container; "" where that is not said


@dataclass(frozen=True, slots=True)
class _Mount:
    """One entry of `volumes`, short or long."""

    source: str
    target: str
    kind: str  # "bind", "volume", "npipe", …
    subpath: str
    said: Value  # the text that names the source


class Mounts:
    """The mounts of the services of one project. Each service is looked at once."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[int, tuple[Reached, ...]] = {}
        self._containers = {
            called.text: service
            for service in reversed(model.services.values())
            if (called := service.get("container_name")) is not None
        }

    def of(self, service: Value) -> tuple[Reached, ...]:
        """Return what the mounts of a service reach, after those that it takes over."""
        waiting, opened = [service], set[int]()
        while waiting:
            last = waiting[-1]
            if id(last) not in self._known and id(last) not in opened:
                opened.add(id(last))
                waiting.extend(other for _, other in self._others(last) if id(other) not in opened)
                continue
            if id(last) not in self._known:
                self._known[id(last)] = tuple(self._of(last))
            waiting.pop()
        return self._known[id(service)]

    def _of(self, service: Value) -> Iterator[Reached]:
        for entry in mounted(service, "volumes"):
            mount = _mount(entry)
            if mount is not None:
                yield from _volume(mount, self._model)
        for section in ("secrets", "configs"):
            for entry in mounted(service, section):
                yield from _file_object(entry, self._model.sections[section], section)
        switch = service.get("use_api_socket")
        if switch is not None and switch.true:
            docker = Target("docker", How.SWITCH, Severity.CRITICAL)
            yield Reached(docker, How.SWITCH, switch.steps(), "/var/run/docker.sock")
        yield from self._inherited(service)

    def _inherited(self, service: Value) -> Iterator[Reached]:
        """Yield what `volumes_from` brings: each daemon once for each entry."""
        taken: set[str] = set()
        for item, other in self._others(service):
            taken = taken or {target_of(entry) for entry in mounted(service, "volumes")}
            brought: dict[str, Reached] = {}
            for one in self._known.get(id(other), ()):
                if one.inside not in taken:
                    brought.setdefault(one.target.resource, one)
            for one in brought.values():
                steps = tuple(dict.fromkeys((*one.steps, *item.steps())))[-_LONGEST_WAY:]
                yield Reached(one.target, How.INHERITED, steps, one.inside)

    def _others(self, service: Value) -> list[tuple[Value, Value]]:
        """Return the entries of `volumes_from`, each with the service that it names."""
        names = service.get("volumes_from")
        if names is None:
            return []
        named = [(item, self._named(item.text)) for item in effort.first(names.listed(), _MOST)]
        return [(item, other) for item, other in named if other not in {None, service}]

    def _named(self, text: str) -> Value | None:
        """Return the service that `volumes_from` names: "service[:ro]", "container:name[:ro]"."""
        name, _, rest = text.partition(":")
        if name == "container" and rest not in {"", "ro", "rw"}:
            return self._containers.get(rest.partition(":")[0])
        return self._model.services.get(name) or self._containers.get(name)


def _mount(entry: Value) -> _Mount | None:
    if entry.kind == "scalar":
        fields = split_short(entry.text.strip())
        if len(fields) < 2:
            return None
        return _Mount(fields[0], fields[1], "", "", entry)
    if entry.kind != "map":
        return None
    source = entry.get("source") or entry.get("src")
    if source is None:
        return None
    kind, subpath = entry.get("type"), entry.get("volume", "subpath")
    return _Mount(
        source.text,
        target_of(entry),
        kind.text if kind is not None else "",
        subpath.text if subpath is not None else "",
        source,
    )


def _volume(mount: _Mount, model: Model) -> Iterator[Reached]:
    if mount.kind in {"tmpfs", "image", "cluster"}:
        return
    volume = model.sections["volumes"].get(mount.source)
    if volume is not None and mount.kind in {"", "volume"}:
        device = _device(volume)
        if device is None:
            return
        source = device.text
        if mount.subpath:
            source = normpath(join(source, mount.subpath))
        target = sockets.mount(source, mount.target)
        if target is not None:
            steps = dict.fromkeys((*device.steps(source), *mount.said.steps(mount.source)))
            yield Reached(target, target.how, tuple(steps), mount.target)
        return
    target = sockets.mount(mount.source, mount.target)
    if target is not None:
        yield Reached(target, target.how, mount.said.steps(mount.source), mount.target)


def _device(volume: Value) -> Value | None:
    """Return what a named volume of the local driver binds, or None."""
    driver, device = volume.get("driver"), volume.get("driver_opts", "device")
    if device is None or (driver is not None and driver.text not in {"", "local"}):
        return None
    options, kind = volume.get("driver_opts", "o"), volume.get("driver_opts", "type")
    given = {word.strip() for word in options.text.split(",")} if options is not None else set()
    bound = given & {"bind", "rbind"} or (kind is not None and kind.text in {"none", "bind"})
    return device if bound or sockets.unresolved(" ".join(given)) else None


def _file_object(entry: Value, defined: dict[str, Value], section: str) -> Iterator[Reached]:
    source = entry.get("source") if entry.kind == "map" else entry
    known = defined.get(source.text) if source is not None else None
    file = known.get("file") if known is not None else None
    if source is None or file is None or file.kind != "scalar":
        return
    inside = target_of(entry, "/run/secrets/" if section == "secrets" else "/")
    target = sockets.mount(file.text, inside)
    if target is not None:
        steps = tuple(dict.fromkeys((*file.steps(file.text), *source.steps())))
        yield Reached(target, How.FILE_OBJECT, steps, inside)
