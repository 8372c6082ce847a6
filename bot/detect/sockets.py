"""Host path, named pipe or address -> which daemon it reaches.

The names of resources are part of fingerprints: "docker", "containerd", … for a daemon's own
socket, the normalised directory ("/", "/run", …) for one that holds a socket, the address for a
daemon that is reached over a network. Source: the documentation of Docker (`dockerd`, contexts),
Podman, containerd, CRI-O and BuildKit.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from posixpath import normpath

from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern


@dataclass(frozen=True, slots=True)
class Target:
    """What a host path or an address reaches."""

    resource: str
    how: How  # MOUNT, DIRECTORY or ADDRESS
    severity: Severity


_BY_NAME = {
    "docker.sock": "docker",
    "docker.sock.raw": "docker",
    "docker.raw.sock": "docker",
    "docker-cli.sock": "docker",
    "docker-host.sock": "docker",
    "podman.sock": "podman",
    "podman-machine-default-api.sock": "podman-rootless",
    "containerd.sock": "containerd",
    "containerd.sock.ttrpc": "containerd",
    "docker-containerd.sock": "containerd",
    "crio.sock": "crio",
    "cri-dockerd.sock": "cri-dockerd",
    "dockershim.sock": "dockershim",
    "buildkitd.sock": "buildkit",
    "balena-engine.sock": "balena-engine",
    "balena.sock": "balena-engine",
}
_BY_PATH = {"/run/dagger/engine.sock": "dagger"}
# A second daemon of the host: System Docker of RancherOS, `early-docker` of CoreOS, …
_FURTHER_DAEMON = pattern(
    r"/run/(?:(?:system|early|user|host|bootstrap|main|outer)-docker|docker-(?:bootstrap|system|host))"
    r"\.sock"
)
_ROOTLESS = {"docker": "docker-rootless", "podman": "podman-rootless"}

# Directories whose bind mount brings a socket along: binds are recursive by default.
_DIRECTORIES = frozenset(
    {
        "/",
        "/run",
        "/var",
        "/run/user",
        "/run/podman",
        "/run/containerd",
        "/run/crio",
        "/run/buildkit",
        "/run/k3s",
        "/run/k3s/containerd",
        "/run/k0s",
        "/run/docker/containerd",
        "/run/host-containerd",
        "/var/snap/microk8s/common/run",
        "/volume1/docker",
        "~/.docker/run",
        "~/.docker/desktop",
        "~/.orbstack/run",
    }
)
_USER_RUNTIME = pattern(r"/run/user/[^/]+(?:/(?:podman|buildkit|docker|containerd))?\Z")
_VM_HOMES = pattern(r"~/\.(?:colima|rd|lima)(?:/[^/]+)?(?:/sock)?\Z")

_PIPE = pattern(
    r"\A/*(?:npipe:)?/+\.?/*pipe/+"
    r"(?P<name>docker_engine\w*|dockerdesktop\w*engine\w*|containerd-containerd|buildkitd"
    r"|podman-machine-default|docker_wsl|rancher_desktop\w*)/*\Z",
    re.IGNORECASE,
)
_PIPES = {"containerd-containerd": "containerd", "buildkitd": "buildkit"}

_VARIABLES = (
    (
        pattern(
            r"\A(?:\$HOME\b|\$\{(?:env:|localEnv:)?(?:HOME|USERPROFILE)\}|\$\{userHome\}"
            r"|\$env:(?:HOME|USERPROFILE)\b|%USERPROFILE%|%h(?=/|\Z)|\$\(HOME\)"
            r"|/root(?=/|\Z)|/home/[^/]+(?=/|\Z)|/Users/[^/]+(?=/|\Z))"
        ),
        "~",
    ),
    (
        pattern(
            r"\A(?:\$XDG_RUNTIME_DIR\b|\$\{(?:env:|localEnv:)?XDG_RUNTIME_DIR\}"
            r"|%t(?=/|\Z)|\$\(XDG_RUNTIME_DIR\))"
        ),
        "/run/user/UID",
    ),
    (
        pattern(
            r"\$UID\b|\$\{UID\}|\$\(id -ru?\)|\$\(id -u[^)]*\)|`id -u[^`]*`|\$\{EUID\}|\$EUID\b"
        ),
        "UID",
    ),
    (pattern(r"\A/proc/[^/]+/root(?=/|\Z)"), ""),
    (pattern(r"\A/(?:host_mnt|private)(?=/)"), ""),
)
_OPAQUE = pattern(
    r"\$\{\{.*?\}\}|\{\{.*?\}\}|\$\{[^}]*\}|\$\([^)]*\)|\$[A-Za-z_]\w*|%\w+%"
    r"|<<.*?>>|<[A-Za-z_][\w-]*>|@[A-Z_]+@|#\{[^}]*\}"
)
_DEFAULT = pattern(r"\$\{\w+:?[-=](?P<default>[^{}]*)\}(?P<rest>[^{}]*)")
_TEMPLATE = pattern(r"\$?\{\{.*\}\}")
_LITERAL = pattern(r"[\"'`]([^\"'`]+)[\"'`]")
_WORKING_FOLDER = pattern(
    r"\A(?:\.(?=/|\Z)|\$PWD\b|\$\{PWD\}|\$\(pwd\)|`pwd`|\$\{\{ *github\.workspace *\}\}"
    r"|\$\{(?:localWorkspaceFolder|containerWorkspaceFolder|workspaceFolder)\}|\$GITHUB_WORKSPACE\b"
    r"|\$CI_PROJECT_DIR\b|%cd%)",
    re.IGNORECASE,
)
_CLIMBING = pattern(r"\A(?:\.\./)+(?:var/)?run(?:/|\Z)")
_LONGEST_PATH = 4_096  # PATH_MAX: what is longer is no path that a kernel would open

_MENTION = pattern(
    r"\b(?:docker|podman|containerd|crio|cri-dockerd|dockershim|buildkitd|balena-engine|balena)"
    r"\.sock\b|docker\.raw\.sock|pipe[\\/]+docker_engine|\bdocker_engine\b"
    r"|pipe[\\/]+containerd-containerd|use_api_socket|docker-(?:outside-of|from)-docker"
    r"|mapDockerSocket|mount-docker-socket|DAPPER_DOCKER_SOCKET",
    re.IGNORECASE,
)

_DAEMON_VARIABLES = frozenset(
    {
        "DOCKER_HOST",
        "CONTAINER_HOST",
        "PODMAN_HOST",
        "BUILDKIT_HOST",
        "CONTAINERD_ADDRESS",
        "CONTAINER_RUNTIME_ENDPOINT",
        "IMAGE_SERVICE_ENDPOINT",
        "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
        "DOCKER_SOCK",
        "DOCKER_SOCKET",
        "DOCKER_SOCKET_PATH",
        "DOCKER_SOCK_PATH",
        "TRAEFIK_PROVIDERS_DOCKER_ENDPOINT",
        "TRAEFIK_PROVIDERS_SWARM_ENDPOINT",
        "CORE_VM_ENDPOINT",
    }
)
_ENDPOINT_OPTION = pattern(r"\A--?[\w.-]*docker[\w.-]*(?:endpoint|host|socket)\Z", re.IGNORECASE)

_TLS_PORT = "2376"
_ONE_SLASH = pattern(r"(?P<scheme>unix):/(?!/)", re.IGNORECASE)


def normalise(path: str) -> str:
    """Return a host path in one spelling.

    `//`, `.`, `..`, a trailing `/`, `/var/run`, `$HOME`, `~user`, `$XDG_RUNTIME_DIR`,
    `/proc/1/root/…`; the text is returned unchanged where it is no path at all.
    """
    path = path.strip().strip("\"'")
    path = path.removeprefix("unix://")
    if path.startswith("~") and not path.startswith(("~/", "~\\")) and "/" in path:
        path = "~" + path[path.index("/") :]
    for variable, replacement in _VARIABLES:
        path = variable.sub(replacement, path)
    if not path:
        return "/"
    if path[0] not in "/~":
        return path
    path = normpath(path)
    if path.startswith("//"):
        path = path[1:]
    if path == "/var/run" or path.startswith("/var/run/"):
        path = path[4:]
    return path


def host_path(path: str) -> Target | None:
    r"""Return what a path or pipe of the host reaches, or None where that is no daemon.

    Takes any spelling: `/var/run/docker.sock`, `//var/run/`, `~/.docker/run/docker.sock`,
    `${XDG_RUNTIME_DIR}/docker.sock`, `\\.\pipe\docker_engine`, `/`.  A path below the working
    folder is the pull request's own and reaches nothing.
    """
    return _host_path(path) if len(path) <= _LONGEST_PATH else None


@lru_cache(maxsize=4096)
def _host_path(path: str) -> Target | None:
    text = path.strip().strip("\"'")
    if not text:
        return None
    if pipe := _PIPE.match(text.replace("\\", "/")):
        name = pipe["name"].lower()
        return Target(_PIPES.get(name, "docker"), How.MOUNT, Severity.CRITICAL)
    if _WORKING_FOLDER.match(text):
        return None
    if default := _DEFAULT.fullmatch(text):
        return _host_path(default["default"] + default["rest"])
    if _TEMPLATE.fullmatch(text):
        return next(filter(None, map(_host_path, _LITERAL.findall(text))), None)
    if _CLIMBING.match(text):
        text = "/" + text.lstrip("./")
    where = normalise(text)
    if where[0] not in "/~" and not _OPAQUE.match(where):
        return None
    return _socket(where) or _directory(where)


def _directory(where: str) -> Target | None:
    if where in _DIRECTORIES:
        return Target(where, How.DIRECTORY, Severity.CRITICAL)
    if _USER_RUNTIME.match(where):
        return Target(where, How.DIRECTORY, Severity.HIGH)
    if _VM_HOMES.match(where):
        return Target(where, How.DIRECTORY, Severity.CRITICAL)
    return None


def _socket(where: str) -> Target | None:
    if where in _BY_PATH:
        return Target(_BY_PATH[where], How.MOUNT, Severity.CRITICAL)
    name = where.rsplit("/", 1)[-1]
    resource = _BY_NAME.get(name) or _BY_NAME.get(name.lower())
    if resource is None and _FURTHER_DAEMON.fullmatch(where):
        resource = "docker"
    if resource is None:
        return None
    if where.startswith("/run/user/") or "/podman/machine/" in where:
        resource = _ROOTLESS.get(resource, resource)
        return Target(resource, How.MOUNT, Severity.HIGH)
    severity = Severity.HIGH if resource == "podman-rootless" else Severity.CRITICAL
    return Target(resource, How.MOUNT, severity)


def unresolved(text: str) -> bool:
    """Tell whether a value still holds a variable or template that the files do not give."""
    return bool(_OPAQUE.search(text)) and not _WORKING_FOLDER.match(text)


def mount(source: str, target: str | None) -> Target | None:
    """Return what mounting `source` of the host at `target` hands over, or None.

    Where the source is a variable that nothing gives, a target that names a socket decides: it is
    the only meaning such a mount can have.
    """
    reached = host_path(source)
    if reached is None and target and unresolved(source):
        at = host_path(target)
        if at is not None and at.how is How.MOUNT:
            return Target(at.resource, How.MOUNT, at.severity)
    return reached


def address(url: str) -> Target | None:
    """Return what a daemon's address reaches (a DOCKER_HOST value), or None.

    None for TLS on port 2376, for an empty value, and for what is no address. A scheme may lack.
    """
    text = url.strip().strip("\"'")
    if not text or len(text) > _LONGEST_PATH:
        return None
    if one_slash := _ONE_SLASH.match(text):
        text = f"{one_slash['scheme']}://{text[one_slash.end() - 1 :]}"
    scheme, _, rest = text.partition("://")
    scheme = scheme.lower()
    if scheme in {"unix", "npipe"} and rest:
        found = host_path(rest) if scheme == "unix" else host_path("npipe://" + rest)
        resource = found.resource if found and found.how is How.MOUNT else text
        return Target(resource, How.ADDRESS, Severity.HIGH)
    if scheme in {"tcp", "http"} and rest:
        return _network(rest)
    if scheme == "ssh" and rest:
        return Target(f"ssh://{rest.rstrip('/')}", How.ADDRESS, Severity.HIGH)
    if "://" in text:
        return None
    found = host_path(text)
    if found is not None and found.how is How.MOUNT:
        return Target(found.resource, How.ADDRESS, Severity.HIGH)
    if text[0] in "/~\\":
        return None
    if re.fullmatch(r"[\w.-]*:\d{2,5}|localhost|\d{1,3}(?:\.\d{1,3}){3}", text):
        return _network(text)
    if re.fullmatch(r"\$\{\{.*\}\}", text):
        return Target(text, How.ADDRESS, Severity.HIGH)
    return None


def _network(rest: str) -> Target | None:
    # Colons and slashes inside variables and templates separate nothing.
    plain = _OPAQUE.sub(lambda found: "x" * len(found[0]), rest).partition("/")[0]
    host, port = rest[: len(plain)], ""
    colon = plain.rfind(":")
    if colon > plain.rfind("]"):
        host, port = host[:colon], host[colon + 1 :]
    if port == _TLS_PORT:
        return None
    host = host.rsplit("@", 1)[-1] or "localhost"
    return Target(f"tcp://{host}:{port or '2375'}", How.ADDRESS, Severity.CRITICAL)


def daemon_variable(name: str) -> bool:
    """Tell whether an environment variable of this name holds a daemon's address or socket."""
    return name.upper() in _DAEMON_VARIABLES


def endpoint_option(name: str) -> bool:
    """Tell whether a command's option of this name takes a daemon's address.

    `--providers.docker.endpoint`, `--docker-host`; not `-H`, which means many things.
    """
    return bool(_ENDPOINT_OPTION.match(name))


def mentions(text: str) -> str | None:
    """Return the first piece of text that names a daemon's socket or a switch for it, or None."""
    found = _MENTION.search(text)
    return found[0] if found else None
