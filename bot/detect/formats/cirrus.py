"""Cirrus CI: .cirrus.yml.

Source: Cirrus CI's documentation, "Writing tasks", "Docker builder", "Additional containers",
"Persistent workers". A task's instructions are keys that end in `script`.

    check_task:
      docker_builder: {platform: linux}
      check_script: docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.ci.steps import (
    environment,
    image_of,
    name_of,
    script_grants,
    volume_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_NAME = pattern(r"\.?cirrus(?:[.-][\w-]+)*\.ya?ml\Z", re.IGNORECASE)
_TASK = pattern(r"(?:(?P<name>.*)_)?(?:task|pipe|docker_builder)\Z")
_ENV = ("env", "environment")


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.match(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    general = environment(places, *(document.get(key) for key in _ENV))
    yield from address_grants(places, Subject("all tasks"), general, general)
    # `task:` may stand several times, so the pairs as written count here.
    for key, value in document.pairs:
        kind = _TASK.match(key.text)
        for task in value.listed() if kind else ():
            name = name_of(task, "name", "alias") or (kind["name"] if kind else "") or key.text
            yield from _task(places, task, general, f"task {name}")


def _task(places: Places, task: Node, general: Environment, name: str) -> Iterator[Grant]:
    own = environment(places, *(task.get(key) for key in _ENV))
    subject = Subject(
        name,
        image_of(task.get("container", "image")),
        task.digest(frozenset({"name", "alias"})),
        (task.line, task.last_line),
    )
    yield from address_grants(places, subject, own, general | own)
    scripts: list[Node | None] = []
    for below in task.maps():
        image = below.get("image")
        if below.get("volumes") is not None and image is not None:
            container = Subject(name, image_of(image), subject.definition, subject.extent)
            yield from volume_grants(places, container, below.get("volumes"))
        if below is not task:
            inner = environment(places, *(below.get(key) for key in _ENV))
            yield from address_grants(places, subject, inner, general | own | inner)
        scripts += [value for key, (_, value) in below.entries().items() if key.endswith("script")]
    yield from script_grants(places, subject, scripts, general | own)


FORMAT = Format("cirrus", _matches, _grants, endings=(".yaml", ".yml"))
