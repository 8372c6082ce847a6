"""Variables by themselves: what a role that is not here will do with them.

`group_vars/`, `host_vars/`, `defaults/` and `vars/` hold lists of mounts for roles of others; the
keys say so: `volumes`, `traefik_volumes`, `binds`, `mounts`.
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
_MOST = 20_000


def setting_grants(path: str, places: Places, document: Node) -> Iterator[Grant]:
    """Yield what lists of mounts hand over, wherever they stand in a file of variables."""
    handed = Handed(path, places, Jinja(variables_of(document, path)))
    for name, (_, value) in document.entries().items():
        if _LIST.search(name):
            yield from handed.short(Subject(f"variable {name}", node=value), value, ())
        for below in value.maps(_MOST):
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


def _name(variable: str, node: Node) -> str:
    name = node.get("name")
    inner = name.text if name is not None and name.kind == "scalar" else ""
    return f"variable {variable}, {inner}" if inner else f"variable {variable}"
