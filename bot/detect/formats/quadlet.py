"""Podman's Quadlet units: containers that systemd starts.

Files: `*.container`, `*.pod`, `*.build`, `*.volume`, `*.kube`. Source: podman-systemd.unit(5).

    [Container]
    Image=docker.io/library/traefik:3
    Volume=%t/podman/podman.sock:/var/run/docker.sock
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Step, Undermined
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import reach_grant
from bot.detect.shell import Script, docker_options
from bot.detect.sockets import Target
from bot.detect.source import Source
from bot.detect.units import Entry, entries

_NAME = pattern(r"\.(?:container|pod|build|volume|kube)\Z")
_SECTION = pattern(r"^[^\S\n]*\[(?:Container|Pod|Build|Volume|Kube)\]", re.MULTILINE)
# Keys that restrict the container, and the values with which they do not.
_HARDENING = {
    "User": frozenset({"", "0", "root"}),
    "DropCapability": frozenset({""}),
    "NoNewPrivileges": frozenset({"", "false"}),
    "ReadOnly": frozenset({"", "false"}),
    "SeccompProfile": frozenset({"", "unconfined"}),
    "AppArmor": frozenset({"", "unconfined"}),
    "UserNS": frozenset({"", "host"}),
    "PidsLimit": frozenset({"", "-1"}),
    "Memory": frozenset({""}),
}


def _matches(path: str, text: str) -> bool:
    return bool(_NAME.search(plain_name(path))) and bool(_SECTION.search(text))


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what a Quadlet unit mounts or is pointed at."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    known = tuple(entries(text))
    name = plain_name(path)
    images = [entry.text for entry in known if entry.key == "Image"]
    image = mounts.repository(images[-1]) if images else None
    undermines = tuple(
        Undermined(entry.key, text.line(entry.lines[0]).strip(), path, entry.lines[0])
        for entry in known
        if entry.key in _HARDENING and entry.text.lower() not in _HARDENING[entry.key]
    )
    for entry in known:
        for reached, line in _reached(path, source, entry):
            steps = (Step(line[0], line[1]),) if line != (path, entry.lines[0]) else ()
            yield Grant(
                path, entry.lines[0], text.line(entry.lines[0]), f"unit {name}", image,
                reached.resource, reached.how, reached.severity,
                steps=(*steps, Step(path, entry.lines[0])), undermines=undermines,
                extent=(1, len(text)),
            )  # fmt: skip
        if entry.key in {"PodmanArgs", "GlobalArgs"}:
            for reach in docker_options(Script(entry.value, entry.lines), image=image):
                found = reach_grant(path, text, f"unit {name}", reach)
                yield replace(found, image=image, definition="", undermines=undermines)


def _reached(path: str, source: Source, entry: Entry) -> Iterator[tuple[Target, tuple[str, int]]]:
    here = (path, entry.lines[0])
    value = entry.text
    match entry.key:
        case "Volume":
            place = mounts.source_of_short(value) or ""
            if place.endswith(".volume"):
                yield from _named(path.rpartition("/")[0], place, source)
            elif reached := mounts.short(value):
                yield reached, here
        case "Mount":
            if reached := mounts.mount_option(value):
                yield reached, here
        case "Environment":
            for word in re.findall(r"[^\s\"']+=[^\"'\s]*", value):
                name, _, given = word.partition("=")
                if sockets.daemon_variable(name) and (reached := sockets.address(given)):
                    yield reached, here
        case _:
            pass


def _named(folder: str, unit: str, source: Source) -> Iterator[tuple[Target, tuple[str, int]]]:
    """Yield what a `.volume` unit beside this one binds."""
    where = f"{folder}/{unit}" if folder else unit
    content = decode(source.read(where) or b"")
    for entry in entries(Text(content)) if content else ():
        if entry.key == "Device" and (reached := sockets.host_path(entry.text)):
            yield reached, (where, entry.lines[0])


def _references(path: str, text: str) -> Iterator[str]:
    folder = path.rpartition("/")[0]
    for found in re.finditer(r"^[^\S\n]*Volume\s*=\s*([^:\s]+\.volume)", text, re.MULTILINE):
        yield f"{folder}/{found[1]}" if folder else found[1]


FORMAT = Format(
    "quadlet",
    _matches,
    grants,
    _references,
    endings=(".build", ".container", ".kube", ".pod", ".volume"),
)
