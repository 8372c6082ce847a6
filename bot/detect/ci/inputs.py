"""The inputs of an action, a task or an orb whose code is elsewhere -> what they hand over.

What such a step does is not in the repository, but its inputs name it: `options: -v …`,
`mount-docker-socket: true`, `volumes: |`, `docker-host: unix://…`, `run: |`, `arguments: …`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.ci.containers import Container, container_grants, lines_of
from bot.detect.ci.places import Dialect, Places, Subject, Variables
from bot.detect.grant import Grant, How, Severity
from bot.detect.patterns import pattern
from bot.detect.shell import Script
from bot.detect.sockets import Target

Inputs = Mapping[str, Script]

_WORDS = pattern(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SCRIPTS = frozenset(
    {"bash", "cleanup", "cmd", "command", "commands", "cmds", "entrypoint", "exec", "execute",
     "install", "inline", "post", "pre", "run", "runs", "script", "scripts", "setup", "shell",
     "start", "step", "steps", "test", "tests"}
)  # fmt: skip
_NOT_SCRIPTS = frozenset(
    {"name", "path", "file", "files", "timeout", "id", "number", "url", "dir", "directory",
     "version"}
)  # fmt: skip
_OPTIONS = frozenset(
    {"args", "argument", "arguments", "flags", "opts", "option", "options", "param", "params",
     "parameters", "extra"}
)  # fmt: skip
_VOLUMES = frozenset({"volume", "volumes", "mount", "mounts", "bind", "binds"})
_ADDRESSES = frozenset({"host", "endpoint", "address", "daemon", "url"})
_OPTION = pattern(
    r"(?:^|[\s\"'=])(?:-[a-zA-Z]*v|--volumes?(?:-from)?|--mount|--use-api-socket|-e|--env)"
    r"(?:[\s=/\"'$~]|$)"
)
_REGISTRIES = frozenset({"registry", "hub", "image", "repository", "login", "push", "pull"})
_ON = frozenset({"true", "yes", "on", "1"})
_OFF = frozenset({"false", "no", "off", "0", ""})


def input_grants(
    places: Places,
    subject: Subject,
    inputs: Inputs,
    env: Variables,
    dialect: Dialect = "sh",
) -> Iterator[Grant]:
    """Yield what the inputs of one step hand over, by their names and values.

    `dialect` is how those inputs are read that hold a script.
    """
    image = inputs.get("image") or inputs.get("imageName")
    own = replace(subject, image=mounts.repository(image.text)) if image else subject
    yield from _options(places, own, inputs)
    yield from _switches(places, own, inputs)
    for name, value in inputs.items():
        words = _words(name)
        if words & _SCRIPTS and not words & _NOT_SCRIPTS and value.text.strip():
            yield from places.ran(subject, value, env, dialect)


def _options(places: Places, subject: Subject, inputs: Inputs) -> Iterator[Grant]:
    """Yield what all the inputs together hand over that are docker options or mounts."""
    options: list[Script] = []
    volumes: list[Script] = []
    for name, value in inputs.items():
        words = _words(name)
        if words & _VOLUMES and not words & {"socket", "sock"}:
            volumes.extend(_entries(value))
        elif words & _OPTIONS and _looks_like_options(value.text):
            options.append(value)
    if not options and not volumes:
        return
    text = "\n".join(one.text.removesuffix("\n") for one in options)
    lines = tuple(
        line for one in options for line in one.lines[: one.text.removesuffix("\n").count("\n") + 1]
    )
    both = Container(tuple(volumes), Script(text, lines) if options else None)
    yield from container_grants(places, subject, both)


def _looks_like_options(text: str) -> bool:
    return bool(_OPTION.search(text))


def _entries(value: Script) -> Iterator[Script]:
    """Yield the mounts of an input that lists them, with or without `-v`."""
    for line in lines_of(value):
        text = line.text.removeprefix("- ").strip().strip("[]\"'")
        if text.startswith("-"):
            text = re.sub(r"\A(?:-v|--volume)[ =]*", "", text)
        for entry in re.split(r"[;,]\s*", text):
            yield Script(entry.strip().strip("\"'"), line.lines)


def _switches(places: Places, subject: Subject, inputs: Inputs) -> Iterator[Grant]:
    """Yield what an input hands over by its name: a switch, the socket's path, an address."""
    off = False
    told: set[str] = set()
    found: list[tuple[Target, int]] = []
    for name, value in inputs.items():
        words, text = _words(name), value.text.strip().strip("\"'")
        if not value.lines:
            continue
        about = bool(words & {"docker", "podman", "containerd"})
        socket = bool(words & {"socket", "sock", "dockersock", "dockersocket"})
        if socket and (about or words & {"dockersock", "dockersocket"}):
            if text.lower() in _OFF:
                off = True
            elif text.lower() in _ON:
                resource = next(iter(words & {"podman", "containerd"}), "docker")
                found.insert(0, (Target(resource, How.SWITCH, Severity.CRITICAL), value.lines[0]))
            elif target := sockets.host_path(text.removeprefix("unix://")):
                found.append((target, value.lines[0]))
        elif sockets.daemon_variable(name.replace("-", "_")) or (
            about and words & _ADDRESSES and not words & _REGISTRIES and "://" in text
        ):
            target = sockets.address(text)
            secured = any(key in inputs for key in ("ca", "cert", "key", "tls", "tlsverify"))
            if target and not (secured and target.resource.startswith("tcp://")):
                found.append((target, value.lines[0]))
    for target, line in found:
        if (off and target.how is not How.ADDRESS) or target.resource in told:
            continue
        told.add(target.resource)
        yield places.mounted(subject, target, line)


def _words(name: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORDS.findall(name))
