"""systemd units and drop-ins: what a service reaches, and how the daemon's own socket is opened.

Files: `*.service`, `*.socket`, `*.service.d/*.conf`, `*.socket.d/*.conf`; a `*.conf` elsewhere, or
a template without a name, that opens with a section of units is a drop-in that something copies to
its place.
Source: systemd.service(5), systemd.socket(5), systemd.exec(5).

    [Service]
    ExecStart=/usr/bin/docker run -v /var/run/docker.sock:/var/run/docker.sock acme/agent
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import sockets
from bot.detect.format import Format, nameless
from bot.detect.grant import Grant, How, Severity
from bot.detect.lines import Text, decode
from bot.detect.listens import opened
from bot.detect.mounts import split_short
from bot.detect.patterns import pattern
from bot.detect.scripts import script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source
from bot.detect.units import Entry, command, entries

_NAME = pattern(
    r"\.(?:service|socket|timer)(?:\.d/[^/]+\.conf)?(?:\.(?:in|j2|tpl|erb|template))*\Z"
)
_CONF = pattern(r"\.conf(?:\.(?:in|j2|tpl|erb|template))*\Z")
_DROP_IN = pattern(r"(?:[ \t\r]*+(?:[#;][^\n]*+)?\n)*+[ \t]*+\[(?:Unit|Service|Socket)\]")
_COMMAND = pattern(r"Exec(?:Start|Stop|Reload|Condition)(?:Pre|Post)?\Z")
_ASSIGNMENT = pattern(r"\"(\w+)=([^\"]*)\"|'(\w+)=([^']*)'|(\w+)=(\S*)")
_OPTIONS = pattern(r"DOCKERD?_(?:OPTS|OPTIONS|ARGS|FLAGS)\Z|OPTIONS\Z")
_SPECIFIERS = {"%t": "/run", "%h": "$HOME", "%H": "host", "%n": "unit", "%i": "instance"}


def _matches(path: str, text: str) -> bool:
    if "[" not in text:
        return False
    if _NAME.search(path):
        return True
    return bool((_CONF.search(path) or nameless(path)) and _DROP_IN.match(text))


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what a unit reaches or opens."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    known = tuple(entries(text))
    folder, _, name = path.rpartition("/")
    unit = folder.rpartition("/")[2].removesuffix(".d") if folder.endswith(".d") else name
    yield from _commands(path, text, unit, known)
    yield from _addresses(path, text, unit, known)
    yield from _socket(path, text, unit, known)
    for entry in known:
        if entry.key in {"BindPaths", "BindReadOnlyPaths"}:
            for pair in entry.text.split():
                place = split_short(pair.lstrip("-"))[0]
                if reached := sockets.host_path(place):
                    yield _grant(path, text, unit, entry, reached.resource, reached.how)


def _grant(
    path: str, text: Text, unit: str, entry: Entry, resource: str, how: How,
    severity: Severity = Severity.CRITICAL,
) -> Grant:  # fmt: skip
    line = entry.lines[0]
    return Grant(path, line, text.line(line), f"unit {unit}", None, resource, how, severity)


def _variables(known: tuple[Entry, ...]) -> Iterator[tuple[str, str, Entry]]:
    for entry in known:
        if entry.key == "Environment":
            for found in _ASSIGNMENT.finditer(entry.value.replace("\\\n", " ")):
                name, value = next(
                    (found[n], found[n + 1]) for n in (1, 3, 5) if found[n] is not None
                )
                yield name, value, entry


def _commands(path: str, text: Text, unit: str, known: tuple[Entry, ...]) -> Iterator[Grant]:
    env = {name: Value(value, entry.lines[0]) for name, value, entry in _variables(known)}
    for entry in known:
        if _COMMAND.match(entry.key) and entry.value.strip():
            line = command(entry.value.lstrip())
            for specifier, meaning in _SPECIFIERS.items():
                line = line.replace(specifier, meaning)
            script = Script(line, entry.lines)
            for found in script_grants(path, text, f"unit {unit}", script, env):
                yield replace(found, extent=(entry.lines[0], entry.lines[-1]))


def _addresses(path: str, text: Text, unit: str, known: tuple[Entry, ...]) -> Iterator[Grant]:
    starts = any(_COMMAND.match(entry.key) and entry.value.strip() for entry in known)
    for name, value, entry in _variables(known):
        if _OPTIONS.match(name) and "docker" in unit and not starts and "tlsverify" not in value:
            for _, target in opened(value):
                yield _grant(path, text, unit, entry, target.resource, target.how)
        reached = sockets.address(value) if sockets.daemon_variable(name) else None
        if reached is not None:
            yield _grant(path, text, unit, entry, reached.resource, reached.how, reached.severity)


def _socket(path: str, text: Text, unit: str, known: tuple[Entry, ...]) -> Iterator[Grant]:
    """Yield how a socket unit opens the daemon: on TCP, or to everybody on the machine."""
    streams = [entry for entry in known if entry.key == "ListenStream"]
    own = [entry for entry in streams if sockets.host_path(entry.text.replace("%t", "/run"))]
    if not own and "docker" not in unit:
        return
    resource = "docker"
    for entry in own:
        reached = sockets.host_path(entry.text.replace("%t", "/run"))
        resource = reached.resource if reached else resource
    for entry in streams:
        address = entry.text if ":" in entry.text else f"0.0.0.0:{entry.text}"
        reached = sockets.address(address) if re.fullmatch(r"[\w.:\[\]-]*\d+", entry.text) else None
        if reached is not None:
            yield _grant(path, text, unit, entry, reached.resource, How.LISTEN)
    for entry in known:
        if entry.key == "SocketMode" and re.fullmatch(r"0?[0-7]{2}[2367]", entry.text):
            yield _grant(path, text, unit, entry, resource, How.PERMISSION)


FORMAT = Format("systemd", _matches, grants)
