"""Add-ons of Home Assistant: `docker_api: true` mounts the host's socket.

Files: `config.yaml`, `config.yml`, `config.json` of an add-on (they have a `slug`). Source: Home
Assistant developer documentation, "Add-on configuration"; its Supervisor, which binds
/run/docker.sock into add-ons that ask for it and are not protected. `full_access` opens devices,
not the daemon.

    slug: manager
    docker_api: true
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import image_of, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Severity, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.sockets import Target
from bot.detect.source import Source

_NAME = pattern(r"config\.(?:ya?ml|json)\Z", re.IGNORECASE)
_KEY = pattern(r"[\"']?\bdocker_api[\"']?[ \t]*:")
_SLUG = pattern(r"[\"']?\bslug[\"']?[ \t]*:")


def _matches(path: str, text: str) -> bool:
    return bool(_NAME.match(plain_name(path)) and _KEY.search(text) and _SLUG.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _addon)


def _addon(places: Places, document: Node) -> Iterator[Grant]:
    switch, slug = document.get("docker_api"), document.get("slug")
    if switch is None or slug is None or not switch.true:
        return
    who = Subject(
        f"add-on {slug.text}",
        image_of(document.get("image")),
        node=document,
        naming=frozenset({"slug", "name", "version"}),
    )
    profile = document.get("apparmor")
    confined = profile is not None and profile.kind == "scalar" and profile.text.lower() != "false"
    restricted = (
        [(f"apparmor: {profile.text}", places.here(profile))] if profile and confined else []
    )
    target = Target("docker", How.SWITCH, Severity.CRITICAL)
    yield places.mounted(who, target, places.here(switch), restricted)


FORMAT = Format("home_assistant", _matches, _grants, endings=(".json", ".yaml", ".yml"))
