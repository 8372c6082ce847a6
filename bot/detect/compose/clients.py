"""A service's environment -> the daemons that its clients are pointed at.

Sources: Compose specification, "environment" and "env_file"; Docker CLI, DOCKER_HOST. Nothing where
the address leads to a socket proxy of the same project (the proxy's own mount is what counts), or
into the container itself, where a mount is what it reaches.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from posixpath import normpath

from bot.detect import sockets
from bot.detect.compose.loader import Loader
from bot.detect.compose.mounts import Mounts, Reached
from bot.detect.compose.project import Model, beside
from bot.detect.compose.values import Value, mounted, target_of
from bot.detect.grant import Step
from bot.detect.mounts import repository
from bot.detect.patterns import pattern

# Images whose only purpose is to let a part of the Docker API through.
_PROXY = pattern(
    r"(?:\A|/)(?:docker-?socket-?proxy|docker-?sock-?proxy|socket-?proxy|sock-?proxy|docker-?proxy"
    r"|cetusguard)\Z",
    re.IGNORECASE,
)
# General relays that become one when they are given the socket.
_RELAY = pattern(r"(?:\A|/)(?:haproxy|nginx|socat|[\w-]*socat|caddy|envoy)\Z", re.IGNORECASE)
# What people call such a service.
_HOST = pattern(r"[\w-]*(?:docker|socket|sock)[\w-]*proxy[\w-]*", re.IGNORECASE)
_TLS = ("DOCKER_TLS_VERIFY", "DOCKER_TLS")
_LOCAL = frozenset({"localhost", "127.0.0.1", "[::1]", "0.0.0.0"})  # noqa: S104 - what a text says
_OFF = frozenset({"", "0", "false", "no", "off"})
# Variables that hold a path for others to mount: the mount is what is reported.
_PATHS = frozenset({"DOCKER_SOCK", "DOCKER_SOCKET", "DOCKER_SOCKET_PATH", "DOCKER_SOCK_PATH"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of a container, and the way of its value."""

    text: str
    steps: tuple[Step, ...]


def environment(service: Value, loader: Loader) -> dict[str, Setting]:
    """Return the variables of a service's container; `environment` wins over `env_file`."""
    found: dict[str, Setting] = {}
    files = service.get("env_file")
    for entry in files.flat() if files is not None else ():
        named = entry.get("path") if entry.kind == "map" else entry
        path = beside(named.file.folder, named.text) if named is not None else None
        if named is None or path is None:
            continue
        for name, variable in loader.variables(path, named.file.variables).items():
            steps = tuple(dict.fromkeys((*variable.steps, *named.steps())))
            found[name] = Setting(variable.text, steps)
    given = service.get("environment")
    for entry in given.flat() if given is not None else ():
        if entry.kind == "map":
            for name, value in entry.fields().items():
                if value.taken_away:
                    found.pop(name, None)
                else:
                    _set(found, name, value, None if value.node.null else value.text)
        elif entry.kind == "scalar":
            name, equals, text = entry.text.partition("=")
            _set(found, name.strip(), entry, text if equals else None)
    return found


def _set(found: dict[str, Setting], name: str, value: Value, text: str | None) -> None:
    if text is not None:
        found[name] = Setting(text, value.steps(text))
        return
    passed = value.file.variables.get(name)
    if passed is not None:
        found[name] = Setting(passed.text, tuple(dict.fromkeys((*passed.steps, *value.steps("")))))


class Clients:
    """Where the clients in the services of one project are pointed."""

    def __init__(self, model: Model, mounts: Mounts) -> None:
        self._mounts = mounts
        self._services = model.services

    @cached_property
    def _hosts(self) -> dict[str, list[Value]]:
        """The services of the project by every name that others know them by."""
        found: dict[str, list[Value]] = {}
        for name, service in self._services.items():
            for host in dict.fromkeys((name, *_names(service))):
                found.setdefault(host, []).append(service)
        return found

    def addresses(self, service: Value, settings: dict[str, Setting]) -> Iterator[Reached]:
        """Yield the daemons that the variables of a service name."""
        for name, setting in settings.items():
            if not sockets.daemon_variable(name) or name.upper() in _PATHS:
                continue
            target = sockets.address(setting.text)
            if target is not None and not self.known(setting.text, service, settings):
                yield Reached(target, target.how, setting.steps, "")

    def known(self, url: str, service: Value, settings: dict[str, Setting]) -> bool:
        """Tell whether an address adds nothing to what the project's mounts say already."""
        scheme, found, rest = url.strip().strip("\"'").partition("://")
        if not found:
            scheme, rest = ("unix", scheme) if scheme[:1] in {"/", "~", "\\"} else ("tcp", scheme)
        image = service.get("image")
        inside = image is not None and "dind" in image.text  # a daemon of its own
        if scheme.lower() in {"unix", "npipe"}:
            return inside or bool(self._mounts.of(service)) or _shadowed(rest, service)
        if scheme.lower() == "ssh":
            return False
        if any(name in settings and settings[name].text.lower() not in _OFF for name in _TLS):
            return True
        host = rest.split("/", 1)[0].rsplit("@", 1)[-1].rsplit(":", 1)[0].strip()
        if inside and host in _LOCAL:
            return True
        others = list(self._at(host, service))
        # A stack is often split into files that only a command line puts together: what is called
        # a socket proxy is one, and its own mount is a finding where it stands.
        return any(self._proxies(o) for o in others) or (not others and bool(_HOST.fullmatch(host)))

    def _at(self, host: str, client: Value) -> Iterator[Value]:
        """Yield the services of the project that a client knows by a host name."""
        if host in _LOCAL:
            mode = client.get("network_mode") or client.get("net")
            kind, _, name = (mode.text if mode is not None else "").partition(":")
            if kind in {"service", "container"}:
                yield from self._hosts.get(name, ())
            return
        yield from self._hosts.get(host, ())
        links = client.get("links")
        for link in links.listed() if links is not None else ():
            name, _, alias = link.text.partition(":")
            if alias == host:
                yield from self._hosts.get(name, ())

    def _proxies(self, service: Value) -> bool:
        image = service.get("image")
        name = repository(image.text) if image is not None else ""
        if _PROXY.search(name):
            return True
        return bool(_RELAY.search(name)) and bool(self._mounts.of(service))


def _shadowed(path: str, service: Value) -> bool:
    """Tell whether a mount of the container's own stands where the path leads."""
    where = sockets.normalise(path)
    for entry in mounted(service, "volumes"):
        inside = target_of(entry)
        at = sockets.normalise(normpath(inside)) if inside.startswith("/") else ""
        if at and (where == at or where.startswith(at.rstrip("/") + "/")):
            return True
    return False


def _names(service: Value) -> Iterator[str]:
    for key in ("container_name", "hostname"):
        value = service.get(key)
        if value is not None:
            yield value.text
    networks = service.get("networks")
    for network in networks.fields().values() if networks is not None else ():
        aliases = network.get("aliases")
        for alias in aliases.listed() if aliases is not None else ():
            yield alias.text
