"""Variables by themselves: what a role that is not here will do with them.

`group_vars/`, `host_vars/`, `defaults/` and `vars/` hold lists of mounts for roles of others; the
keys say so: `volumes`, `traefik_volumes`, `binds`, `mounts`. What reads like a command that starts
a container (an alias of a login shell, a timer's command) is one.
"""

import re
from collections.abc import Iterator

from bot.detect.ansible.jinja import Jinja
from bot.detect.ansible.variables import variables_of
from bot.detect.ci.places import Places, Subject
from bot.detect.grant import Grant
from bot.detect.handed import Handed
from bot.detect.mounts import repository
from bot.detect.positioned import Node

_LIST = re.compile(r"(?:\A|_)(?:volumes?|mounts?|binds?)\Z", re.IGNORECASE)
_COMMAND = re.compile(
    r"\s*(?:sudo\s+)?(?:docker|podman|nerdctl)\s+(?:container\s+)?(?:run|create)\b"
)


def setting_grants(path: str, places: Places, document: Node) -> Iterator[Grant]:
    """Yield what lists of mounts and commands hand over, wherever a file of variables has them."""
    handed = Handed(path, places, Jinja(variables_of(document, path)))
    for name, (_, value) in document.entries().items():
        if _LIST.search(name):
            yield from handed.short(Subject(f"variable {name}", node=value), value, ())
        for below in value.maps():
            image = below.get("image")
            who = Subject(
                _name(name, below),
                repository(image.text) if image is not None and image.kind == "scalar" else None,
                node=below,
                naming=frozenset({"name"}),
            )
            for key, inner in below.pairs:
                if _LIST.search(key.text):
                    yield from handed.short(who, inner, ())
        for scalar in value.scalars():
            if _COMMAND.match(scalar.text):
                yield from places.ran(Subject(f"variable {name}"), places.script(scalar), {})


def _name(variable: str, node: Node) -> str:
    name = node.get("name")
    inner = name.text if name is not None and name.kind == "scalar" else ""
    return f"variable {variable}, {inner}" if inner else f"variable {variable}"
