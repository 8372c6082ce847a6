"""A socket proxy's own service in a compose file -> what it leaves open, in one sentence.

Sources: Tecnativa/docker-socket-proxy README.md and haproxy.cfg (a section's variable opens its
path, POST opens every method); linuxserver/docker-socket-proxy README.md (ALLOW_* work without
POST, EXEC opens `containers/<id>/exec` too); wollomatic/socket-proxy README.md (one allowlist a
method; what is not allowed is refused). That reading takes in logs, files and the attached input
and output was measured with both HAProxy configurations.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.detect.compose.clients import environment
from bot.detect.compose.loader import Loader
from bot.detect.compose.values import Value
from bot.detect.mounts import repository
from bot.detect.source import Source

_BY_SECTION = frozenset({"tecnativa/docker-socket-proxy", "linuxserver/socket-proxy"})
_BY_PATTERN = frozenset({"wollomatic/socket-proxy"})
_OPEN_BY_DEFAULT = frozenset({"EVENTS", "PING", "VERSION"})
_OFF = frozenset({"", "0", "false", "no", "off"})
_LIFECYCLE = ("ALLOW_START", "ALLOW_STOP", "ALLOW_RESTARTS", "ALLOW_PAUSE", "ALLOW_UNPAUSE")
_SECTIONS = (
    "AUTH", "BUILD", "COMMIT", "CONFIGS", "CONTAINERS", "DISTRIBUTION", "EVENTS", "EXEC", "GRPC",
    "IMAGES", "INFO", "NETWORKS", "NODES", "PING", "PLUGINS", "SECRETS", "SERVICES", "SESSION",
    "SWARM", "SYSTEM", "TASKS", "VERSION", "VOLUMES",
)  # fmt: skip
_ANYTHING = re.compile(r"containers/(?:create|\.[*+]|\(?[^)]*create)|\A/?\.[*+]\Z|\(\.[*+]\)\Z")
_ALLOW = re.compile(r"--?allow(?P<method>POST|PUT|DELETE|PATCH)=(?P<pattern>.*)", re.DOTALL)
_LIFECYCLE_PATHS = re.compile(r"\b(?:start|stop|restart|kill|pause|unpause|wait)\b")


@dataclass(frozen=True, slots=True)
class Proxy:
    """One service that filters the API."""

    name: str
    image: str  # without registry, tag and digest
    open: frozenset[str]  # the variables that are on; nothing for proxies by pattern
    patterns: tuple[str, ...]  # what POST, PUT, PATCH and DELETE may match; by pattern only
    published: tuple[str, ...]  # its ports that the host publishes
    is_certain: bool  # whether all that decides is in the files

    @property
    def only_reads(self) -> bool:
        """Whether nothing can be changed through it."""
        changing = {"POST", *_LIFECYCLE} & self.open
        return self.is_certain and not changing and not self.patterns

    @property
    def is_linuxserver(self) -> bool:
        """Whether it is the one whose releases keep back what the other shows of a container."""
        return self.image == "linuxserver/socket-proxy"

    @property
    def is_by_section(self) -> bool:
        """Whether variables open sections of the API, the same for every client."""
        return self.image in _BY_SECTION


def proxies(path: str, source: Source) -> tuple[Proxy, ...]:
    """Return the known socket proxies of the compose project that `path` belongs to."""
    loader = Loader(source)
    model = loader.model(loader.plan(path))
    read = (_proxy(name, service, loader) for name, service in model.services.items())
    return tuple(proxy for proxy in read if proxy is not None)


def leaves_open(proxy: Proxy) -> str:
    """Return the sentence that says what whoever reaches the proxy can do."""
    what = _by_section(proxy) if proxy.is_by_section else _by_pattern(proxy)
    if not proxy.is_certain:
        what += " Whoever starts it can open more: not all of its settings stand in the file."
    if proxy.published:
        ports = ", ".join(proxy.published[:4])
        what += f" Its port is published on the host ({ports}), so no network keeps others out."
    return what


def is_proxy(image: str | None) -> bool:
    """Tell whether an image is one whose settings are understood here."""
    return image is not None and _known(image) is not None


def _known(image: str) -> str | None:
    name = "/".join(repository(image).lower().split("/")[-2:])
    return name if name in _BY_SECTION | _BY_PATTERN else None


def _proxy(name: str, service: Value, loader: Loader) -> Proxy | None:
    image = service.get("image")
    known = _known(image.text) if image is not None else None
    if known is None:
        return None
    settings = {key: value.text for key, value in environment(service, loader).items()}
    words = _words(service)
    ports = service.get("ports")
    return Proxy(
        name=name,
        image=known,
        open=_open(settings) if known in _BY_SECTION else frozenset(),
        patterns=_patterns(settings, words) if known in _BY_PATTERN else (),
        published=tuple(_port(one) for one in ports.listed()) if ports is not None else (),
        is_certain=_is_certain(service) and not (known in _BY_SECTION and words),
    )


def _is_certain(service: Value) -> bool:
    """Tell whether the variables are all written down: none comes from whoever starts it."""
    given = service.get("environment")
    for entry in given.flat() if given is not None else ():
        if entry.kind == "map":
            values = entry.fields().values()
            if any(value.node.null or "$" in value.node.text for value in values):
                return False
        elif "=" not in entry.node.text or "$" in entry.node.text:
            return False
    return True


def _words(service: Value) -> list[str]:
    command = service.get("command")
    if command is None:
        return []
    if command.kind == "list":
        return [word.text for word in command.items()]
    return command.text.replace("'", " ").replace('"', " ").split()


def _port(port: Value) -> str:
    if port.kind != "map":
        return port.text
    published = port.get("published")
    return published.text if published is not None else "a port of its choice"


def _open(settings: Mapping[str, str]) -> frozenset[str]:
    on = {key for key, text in settings.items() if text.strip().lower() not in _OFF}
    return frozenset(on | {key for key in _OPEN_BY_DEFAULT if key not in settings})


def _patterns(settings: Mapping[str, str], words: list[str]) -> tuple[str, ...]:
    found = [match for word in words if (match := _ALLOW.match(word.strip("'\"")))]
    told = {match["method"] for match in found}
    patterns = [match["pattern"] for match in found]
    for key, text in settings.items():
        method = key.removeprefix("SP_ALLOW_").partition("_")[0]
        if key.startswith("SP_ALLOW_") and method in {"POST", "PUT", "DELETE", "PATCH"} - told:
            patterns.append(text)
    return tuple(pattern.strip("'\"") for pattern in patterns)


def _by_section(proxy: Proxy) -> str:
    opened = proxy.open
    if "POST" in opened:
        for section, how in _GRAVE:
            if section in opened and (section != "EXEC" or proxy.is_linuxserver):
                return f"This proxy has POST=1 with {section}=1: whoever reaches it {how}."
        changes = [name for name in _SECTIONS if name in opened - _OPEN_BY_DEFAULT]
        if changes:
            listed = ", ".join(changes)
            return f"This proxy lets whoever reaches it change what is under {listed} (POST=1)."
        if not opened & set(_LIFECYCLE):
            return "This proxy opens every method (POST=1), and no section worth one."
    lifecycle = [f"{name}=1" for name in _LIFECYCLE if name in opened]
    if lifecycle:
        return (
            "Whoever reaches this proxy can at most start, stop or restart containers "
            f"({', '.join(lifecycle)}), and create none: not root on the host."
        )
    if "CONTAINERS" in opened:
        files = "" if proxy.is_linuxserver else ", its logs and files"
        return (
            "This proxy lets whoever reaches it create and change nothing, but read every "
            f"container's configuration and environment variables{files}, and attach to its input "
            "and output."
        )
    read = [name for name in _SECTIONS if name in opened - _OPEN_BY_DEFAULT]
    if read:
        listed = ", ".join(read)
        return f"This proxy lets whoever reaches it read {listed}, and change nothing."
    return "This proxy lets through nothing but the daemon's version, its events and a ping."


_GRAVE = (
    ("CONTAINERS", "can create a container that mounts the host's /, which is root on the host"),
    ("PLUGINS", "can install a plugin with every privilege, which is root on the host"),
    ("SERVICES", "can, on a Swarm manager, create a service that mounts /: root on the hosts"),
    ("EXEC", "can run commands in any container"),
)


def _by_pattern(proxy: Proxy) -> str:
    if not proxy.patterns:
        return "This proxy lets whoever reaches it read what its allowlists match, and no more."
    if any(_ANYTHING.search(pattern) for pattern in proxy.patterns):
        return (
            "This proxy's allowlist for POST takes /containers/create: whoever reaches it can "
            "create a container that mounts the host's /, which is root on the host."
        )
    if any("exec" in pattern for pattern in proxy.patterns):
        return "This proxy's allowlists let whoever reaches it run commands in a container."
    if all(_LIFECYCLE_PATHS.search(pattern) for pattern in proxy.patterns):
        return "This proxy's allowlists let whoever reaches it start, stop or restart containers."
    return (
        "This proxy's allowlists let requests through that change something: see that none of "
        "them matches /containers/create."
    )
