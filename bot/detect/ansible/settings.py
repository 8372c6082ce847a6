"""Variables by themselves: what a role that is not here will do with them.

`group_vars/`, `host_vars/`, `defaults/` and `vars/` hold lists of mounts for roles of others; the
keys say so: `volumes`, `traefik_volumes`, `binds`, `mounts`. What reads like a command that starts
a container (an alias of a login shell, a timer's command) is one.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect.ansible.jinja import Jinja
from bot.detect.ansible.variables import variables_of
from bot.detect.ci.places import Place, Places, Subject
from bot.detect.grant import Grant
from bot.detect.handed import Handed
from bot.detect.listens import opened
from bot.detect.mounts import repository
from bot.detect.positioned import Node

_LIST = re.compile(r"(?:\A|_)(?:volumes?|mounts?|binds?)\Z", re.IGNORECASE)
_COMMAND = re.compile(
    r"\s*(?:sudo\s+)?(?:docker|podman|nerdctl)\s+(?:container\s+)?(?:run|create)\b"
)
# Options of a daemon, in a variable that is named after them.
_OPTIONS = re.compile(r"docker\w*(?:opt|arg|flag|listen)", re.IGNORECASE)


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
            if _OPTIONS.search(name):
                yield from _opened(handed, Subject(f"variable {name}"), scalar)
            if _COMMAND.match(scalar.text):
                yield from places.ran(Subject(f"variable {name}"), places.script(scalar), {})


def _opened(handed: Handed, who: Subject, options: Node) -> Iterator[Grant]:
    """Yield where the daemon is told to listen."""
    script, lines = options.script()
    if "tlsverify" in script:
        return
    for line, number in zip(script.split("\n"), lines, strict=False):
        for _, target in opened(line):
            at = handed.places.put(Place(handed.places.path, number))
            yield handed.places.mounted(who, target, at)


def role_grants(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield what a role that is not here is given to mount, where it is called.

    `given` are its variables: `image`, `volumes`, or lists of containers that have them.
    """
    for below in given.maps():
        image = handed.text(below.get("image"))
        own = replace(who, image=repository(image) if image else None)
        for key, value in below.pairs:
            if _LIST.search(key.text):
                yield from handed.short(own, value, ())


def fact_grants(handed: Handed, who: Subject, facts: Node) -> Iterator[Grant]:
    """Yield what lists of mounts hand over that are set here, for tasks of another file."""
    for key, value in facts.pairs:
        if _LIST.search(key.text):
            used = re.compile(rf"\{{[{{%][^{{}}]*\b{re.escape(key.text)}\b")
            if not used.search(value.document.content):
                yield from handed.short(who, value, ())


def _name(variable: str, node: Node) -> str:
    name = node.get("name")
    inner = name.text if name is not None and name.kind == "scalar" else ""
    return f"variable {variable}, {inner}" if inner else f"variable {variable}"
