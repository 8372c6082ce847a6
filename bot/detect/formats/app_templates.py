"""Catalogues of applications that a panel installs: Portainer's templates, Coolify's, CapRover's.

Files: JSON with `bind` and `container` in its volumes; YAML lists whose items hold `services`; JSON
with a `captainVersion`. Source: Portainer documentation, "App template JSON format" (`volumes`:
`container`, `bind`); CapRover documentation, "One-Click Apps" (`services`, before version 4 inside
`dockerCompose`; what is published has no extension).

    {"templates": [{"title": "agent", "image": "agent", "volumes": [
      {"container": "/var/run/docker.sock", "bind": "/var/run/docker.sock"}]}]}
"""

import re
from collections.abc import Iterator

from bot.detect import mounts, sockets
from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import image_of, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_NAME = pattern(r"\.(?:json|ya?ml)\Z", re.IGNORECASE)
_BIND = pattern(r"\"bind\"\s*:\s*\"")
_CONTAINER = pattern(r"\"container\"\s*:\s*\"")
_LISTED = pattern(r"^-[ \t]+[\w\"']+[ \t]*:", re.MULTILINE)
_SERVICES = Keyed(r"^[ \t]+services[ \t]*:[ \t]*$", "services")
_CAPROVER = pattern(r"\s*\{[\s\S]*\"captainVersion\"\s*:")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if not _NAME.search(name):
        return "." not in name and _CAPROVER.match(text) is not None
    if name.lower().endswith(".json"):
        bound = _BIND.search(text) and _CONTAINER.search(text)
        return bool(bound or _CAPROVER.match(text))
    if "\n-" not in text and not text.startswith("-"):
        return False
    return bool(_SERVICES.search(text) and _LISTED.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _catalogue)


def _catalogue(places: Places, document: Node) -> Iterator[Grant]:
    listed = document.kind == "list" or document.get("captainVersion") is not None
    for template in document.maps():
        services = template.get("services") if listed else None
        for name, (_, service) in services.entries().items() if services is not None else ():
            if service.kind == "map":
                yield from _short(places, name, service)
        volumes = template.get("volumes")
        if volumes is not None and template.get("image") is not None:
            yield from _bound(places, template, volumes)


def _bound(places: Places, template: Node, volumes: Node) -> Iterator[Grant]:
    """Yield what a template binds of the host, as Portainer writes it."""
    name = template.get("name") or template.get("title")
    who = _subject("template", name.text if name is not None else "", template)
    for volume in volumes.listed():
        bind, inside = volume.get("bind"), volume.get("container")
        if bind is not None and bind.kind == "scalar" and inside is not None:
            target = sockets.mount(bind.text, inside.text)
            if target is not None:
                yield places.mounted(who, target, places.here(bind))


def _short(places: Places, name: str, service: Node) -> Iterator[Grant]:
    """Yield what a service is given in the short form of Compose."""
    volumes = service.get("volumes")
    who = _subject("service", name, service)
    for volume in volumes.listed() if volumes is not None else ():
        target = mounts.short(volume.text) if volume.kind == "scalar" else None
        if target is not None:
            yield places.mounted(who, target, places.here(volume))


def _subject(kind: str, name: str, node: Node) -> Subject:
    naming = frozenset({"name", "title", "description", "note", "logo"})
    return Subject(f"{kind} {name}", image_of(node.get("image")), node=node, naming=naming)


FORMAT = Format("app_templates", _matches, _grants, endings=("", ".json", ".yaml", ".yml"))
