"""What a machine does when it starts for the first time, as cloud-init is told.

Source: cloud-init documentation, module reference: runcmd, bootcmd, write_files; RancherOS
documentation, "System Services" (`rancher.services`, as in Compose). What groups its `users` are in
is no container, job or script (`bot/detect/installed.py`).
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import (
    argv_grants,
    restrictions,
    script_grants,
    steps_of,
    subject_of,
    volume_grants,
)
from bot.detect.grant import Grant
from bot.detect.installed import written
from bot.detect.pods.values import text_of
from bot.detect.positioned import Node

_SHEBANG = re.compile(r"\s*#!.*\b(?:ba|da|a|z|k)?sh\b")


def cloud_config_grants(places: Places, owner: str, document: Node) -> Iterator[Grant]:
    """Yield what one cloud-config hands over. `owner` opens each subject, "" where none."""
    for key in ("bootcmd", "runcmd"):
        listed = document.get(key)
        if listed is None:
            continue
        who = Subject(_named(owner, key), node=listed)
        items = listed.listed()
        yield from script_grants(places, who, [item for item in items if item.kind == "scalar"])
        for item in items:
            if item.kind == "list":
                yield from argv_grants(places, who, item.members())
    files = document.get("write_files")
    for file in files.listed() if files is not None else ():
        content, path = file.get("content"), text_of(file.get("path"))
        if content is not None and content.kind == "scalar":
            yield from written(
                places, Subject(_named(owner, f"file {path}"), node=file), path, content
            )
    services = document.get("rancher", "services")
    for name, service in steps_of(services) if services is not None else ():
        who = subject_of(_named(owner, f"service {name}"), service)
        yield from volume_grants(places, who, service.get("volumes"), restrictions(places, service))


def heat_grants(places: Places, template: Node) -> Iterator[Grant]:
    """Yield what the machines of a Heat template run when they start."""
    resources = template.get("resources")
    for name, (_, resource) in resources.entries().items() if resources is not None else ():
        given = resource.get("properties", "user_data")
        for text in given.scalars() if given is not None else ():
            if _SHEBANG.match(text.text):
                who = Subject(f"resource {name}", node=resource)
                yield from script_grants(places, who, (text,))


def _named(owner: str, name: str) -> str:
    return ", ".join(part for part in (owner, name) if part)
