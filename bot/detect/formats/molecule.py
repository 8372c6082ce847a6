"""Molecule scenarios: the containers in which Ansible roles are tested.

Files: `molecule.yml`, `molecule.yaml` with `platforms`. Source: Molecule documentation,
"Docker" and "Podman" drivers; their keys are those of the modules that start the containers.

    platforms:
      - name: instance
        image: geerlingguy/docker-debian12-ansible
        volumes:
          - /var/run/docker.sock:/var/run/docker.sock
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_NAME = pattern(r"(?:.*[._-])?molecule(?:[._-].*)?\.ya?ml\Z", re.IGNORECASE)
_FOLDER = pattern(r"(?:^|/)molecule/.*\.ya?ml\Z", re.IGNORECASE)  # base configurations too
_PLATFORMS = pattern(r"^platforms[ \t]*:", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    if "molecule" not in path.casefold():
        return False
    named = _NAME.match(plain_name(path)) or _FOLDER.search(path)
    return named is not None and _PLATFORMS.search(text) is not None


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _scenario)


def _scenario(places: Places, document: Node) -> Iterator[Grant]:
    from bot.detect.ansible.jinja import Jinja  # noqa: PLC0415 - start-up
    from bot.detect.ansible.modules import container_grants  # noqa: PLC0415
    from bot.detect.handed import Handed  # noqa: PLC0415

    handed = Handed(places.path, places, Jinja({}))
    platforms = document.get("platforms")
    for platform in platforms.listed() if platforms is not None else ():
        if platform.kind == "map":
            name = handed.text(platform.get("name"))
            who = Subject(f"platform {name}", node=platform, naming=frozenset({"name"}))
            yield from container_grants(handed, who, platform)


FORMAT = Format("molecule", _matches, _grants, endings=(".yaml", ".yml"))
