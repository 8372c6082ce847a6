"""The variables that a file of tasks may name: its own, its role's, those of all hosts.

Source: Ansible, "Using Variables" (where to set them), "Roles" (directory structure). The last file
wins here; what differs by host is not known.
"""

from collections.abc import Iterator
from posixpath import dirname

from bot.detect.handed import At
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_LARGEST_OTHER = LARGEST // 16


def files(path: str) -> tuple[str, ...]:
    """Return where the variables of a task file or playbook may stand, least important first."""
    folder = dirname(path)
    above = dirname(folder)
    role = [
        f"{above}/{part}/{name}".lstrip("/")
        for part in ("defaults", "vars")
        for name in ("main.yml", "main.yaml")
    ]
    hosts = [
        f"{base}/{name}".lstrip("/")
        for base in dict.fromkeys((folder, above, dirname(dirname(above))))
        for name in (
            "group_vars/all.yml", "group_vars/all.yaml", "group_vars/all/main.yml",
            "group_vars/all/vars.yml", "vars.yml", "vars/main.yml",
        )
    ]  # fmt: skip
    found = dict.fromkeys((*role[:2], *hosts, *role[2:]))
    return tuple(name for name in found if name != path)


def variables(path: str, documents: tuple[Node, ...], source: Source) -> dict[str, At]:
    """Return the variables that are known where a file's tasks run."""
    found: dict[str, At] = {}
    for name in files(path):
        data = source.read(name)
        content = decode(data) if data is not None and len(data) <= _LARGEST_OTHER else None
        if content is not None:
            for document in read_yaml(Text(content)).documents:
                found |= variables_of(document, name)
    for document in documents:
        for holder in _holders(document):
            found |= variables_of(holder, path)
    return found


def variables_of(node: Node, path: str) -> dict[str, At]:
    """Return the variables that a mapping sets."""
    return {name: At(value, path) for name, (_, value) in node.entries().items()}


def _holders(document: Node) -> Iterator[Node]:
    """Yield the mappings of a file that set variables: `vars:` and the facts of `set_fact`."""
    for below in document.maps():
        for key, value in below.pairs:
            name = key.text.rsplit(".", 1)[-1]
            if name in {"vars", "set_fact"} and value.kind == "map":
                yield value
