"""Who asks for a socket and what serves it instead: one grant -> what to do about it.

The facts are `tools.yaml` beside this file: 111 tools with what they need, what serves them
instead, what remains possible then, and the sources.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from bot.detect.grant import Grant, How
from bot.detect.mounts import repository

_ALWAYS_ON = frozenset({"PING", "VERSION", "EVENTS"})  # what the proxies open by default
# Docker Hub's own names, and public mirrors of it, the longest first.
_REGISTRIES = (
    "docker.io/library/",
    "docker.io/",
    "index.docker.io/library/",
    "index.docker.io/",
    "registry-1.docker.io/library/",
    "registry-1.docker.io/",
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "mirror.gcr.io/",
)
_ROOT_EQUIVALENT = "root-equivalent"


@dataclass(frozen=True, slots=True)
class Tool:
    """One entry of tools.yaml."""

    name: str
    need: str  # why it asks for the socket
    sections: tuple[str, ...]  # API sections of a socket proxy that its base feature needs
    read_only: bool  # whether reading the API is all it needs
    alternative: str
    residual: str  # what the alternative still allows
    caveat: str
    maintained: str
    sources: tuple[str, ...]
    endpoint: str = ""  # the variable or argument that points it elsewhere: NAME=… with PROXY
    linuxserver_sections: tuple[str, ...] = ()  # what that proxy has to open besides
    needs_nothing: bool = False  # whether it does without the socket as it is
    title: str = ""  # what it is called in a sentence
    is_guess: bool = False  # whether its images say nothing of what runs in them

    @property
    def proxy_helps(self) -> bool:
        """Whether a filtering proxy leaves less than root on the host."""
        return self.read_only and "ALL" not in self.sections and self.residual != _ROOT_EQUIVALENT


@dataclass(frozen=True, slots=True)
class Advice:
    """What an author can do about one grant. Plain sentences, no Markdown."""

    summary: str
    tool: Tool | None = None
    remains: str = ""  # what is still possible afterwards; "" where nothing is known


def advise(grant: Grant) -> Advice:
    """Return the safer way for this very grant; honest where none is known."""
    tool = known_tool(grant.image) if grant.image else None
    if tool is not None and not tool.is_guess:
        return Advice(_sentence(tool.alternative), tool, _remaining(tool))
    advice = _general(grant)
    if tool is not None:
        advice += f" If it is for {tool.title}: {_sentence(tool.alternative)}"
    return Advice(advice)


def _general(grant: Grant) -> str:
    if grant.how is How.MOUNT and grant.resource in _RUNTIMES:
        return _RUNTIME
    return _GENERAL.get(grant.how, _MOUNT)


def without_a_proxy_fix() -> tuple[int, int]:
    """Return how many of the known tools no proxy makes harmless, and how many are known."""
    tools = set(_by_name().values())
    return sum(tool.residual == _ROOT_EQUIVALENT for tool in tools), len(tools)


def known_tool(image: str) -> Tool | None:
    """Return what is known of an image, whichever of its spellings is used."""
    name = _bare(image)
    return _by_image().get(name)


def _bare(image: str) -> str:
    name = repository(image).lower()
    for registry in _REGISTRIES:
        name = name.removeprefix(registry)
    return name


@cache
def _by_image() -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for entry in _entries():
        for image in entry["images"]:
            found.setdefault(_bare(str(image)), _by_name()[str(entry["id"])])
    return found


@cache
def _entries() -> list[dict[str, Any]]:
    text = files("bot.review").joinpath("tools.yaml").read_text("utf-8")
    entries: list[dict[str, Any]] = yaml.load(text, Loader=yaml.CSafeLoader)
    return entries


@cache
def _by_name() -> dict[str, Tool]:
    found: dict[str, Tool] = {}
    for entry in _entries():
        tool = Tool(
            name=str(entry["id"]),
            need=str(entry["need"]),
            sections=tuple(entry["api_sections"]),
            read_only=entry["read_only_ok"] is True,
            alternative=str(entry["alternative"]),
            residual=str(entry["residual_risk"]),
            caveat=str(entry.get("caveat", "")),
            maintained=str(entry["maintained"]),
            sources=tuple(entry["source"]),
            endpoint=str(entry.get("endpoint", "")),
            linuxserver_sections=tuple(entry.get("linuxserver_sections", ())),
            needs_nothing=entry.get("needs_nothing") is True,
            title=str(entry.get("title", entry["id"])),
            is_guess=entry.get("guess") is True,
        )
        found[tool.name] = tool
    return found


def proxy_sections(tool: Tool) -> tuple[str, ...]:
    """Return the sections that a proxy in front of `tool` has to open beyond its defaults."""
    return tuple(section for section in tool.sections if section not in _ALWAYS_ON)


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else text + "."


def _remaining(tool: Tool) -> str:
    if tool.residual == _ROOT_EQUIVALENT:
        some, known = without_a_proxy_fix()
        return (
            "As long as it has a daemon's socket, it has what the daemon has: no proxy setting "
            f"makes this tool harmless, as with {some} of the {known} tools known here."
        )
    if tool.residual == "none":
        return "Nothing of the daemon remains reachable then."
    meaning = {
        "metadata-read": (
            "reading every container's configuration and environment, with some proxies its logs "
            "and files, too"
        ),
        "lifecycle": "starting, stopping and restarting containers",
        "exec": "running commands in any container",
    }.get(tool.residual, tool.residual)
    return f"What remains possible then: {meaning}."


_MOUNT = (
    "Ask first whether it needs the daemon at all. To build images, rootless BuildKit "
    "(moby/buildkit:rootless) or Buildah need no socket; to read what runs, put a filtering "
    "socket proxy in between that opens only the API sections it needs; to start containers, give "
    "it a rootless daemon or a machine of its own."
)
# What speaks gRPC: no filtering proxy is known that understands it.
_RUNTIMES = frozenset({"containerd", "crio", "cri-dockerd", "dockershim"})
_RUNTIME = (
    "Ask first whether it needs the runtime at all: what runs on a node can be asked of the "
    "Kubernetes API, by a service account that may only read. No proxy filters this socket, so "
    "what is left belongs on machines of its own."
)
_GENERAL = {
    How.DIRECTORY: (
        "Mount the files or the folder that it needs, instead of all that lies beside the socket. "
        "If it is the socket that it needs, put a filtering socket proxy in between."
    ),
    How.INHERITED: (
        "Name the volumes that it needs, instead of taking over every mount of a container that "
        "has the socket."
    ),
    How.ADDRESS: (
        "Reach a daemon over TLS with client certificates (port 2376) or SSH, one that holds "
        "nothing else, or a filtering socket proxy that opens only what is needed."
    ),
    How.LISTEN: (
        "Do not open the daemon on TCP without verifying clients: use SSH "
        "(docker context create --docker host=ssh://...) or TLS with client certificates."
    ),
    How.RELAY: (
        "A relay passes everything on. Use a filtering socket proxy instead, on a network that "
        "only its one client shares."
    ),
    How.PERMISSION: (
        "Leave the socket to root and its group, and run the one command that needs it with sudo, "
        "or use a rootless daemon of the user's own."
    ),
    How.DECLARED: (
        "If the image only reads from the daemon, document a filtering socket proxy "
        "(DOCKER_HOST=tcp://socket-proxy:2375) instead of the socket; if it builds images, use "
        "rootless BuildKit or Buildah."
    ),
    How.RAW_API: (
        "Ask a filtering socket proxy that opens only this end point instead of the daemon."
    ),
    How.PLATFORM: (
        "Run the job without a container of its own, or on a runner that keeps the socket back "
        "and lives for one job only."
    ),
}
