"""What a machine does when it starts for the first time, as cloud-init is told.

Source: cloud-init documentation, module reference: runcmd, bootcmd, write_files; RancherOS
documentation, "System Services" (`rancher.services`, as in Compose); CoreOS, "Using Cloud-Config"
(`coreos.units`), Ignition and Butane configuration specifications (`systemd.units`,
`storage.files`). What groups its `users` are in is no container, job or script
(`bot/detect/installed.py`).
"""

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
from bot.detect.shell.model import SHEBANG

_UNITS = "/etc/systemd/system"


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
    yield from _units(places, owner, document.get("coreos", "units"), "content", "drop-ins")
    services = document.get("rancher", "services")
    for name, service in steps_of(services) if services is not None else ():
        who = subject_of(_named(owner, f"service {name}"), service)
        yield from volume_grants(places, who, service.get("volumes"), restrictions(places, service))


def ignition_grants(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what a machine is given by Ignition, or by what is translated to it.

    A `MachineConfig` of OpenShift holds the same below `spec.config`.
    """
    document = document.get("spec", "config") or document
    yield from _units(places, "", document.get("systemd", "units"), "contents", "dropins")
    files = document.get("storage", "files")
    for file in files.listed() if files is not None else ():
        path, contents = text_of(file.get("path")), file.get("contents")
        content = contents.get("inline") if contents is not None else None
        if content is not None and content.kind == "scalar":
            yield from written(places, Subject(f"file {path}", node=file), path, content)


def _units(
    places: Places, owner: str, units: Node | None, key: str, drop_ins: str
) -> Iterator[Grant]:
    """Yield what units of systemd do, and what is put into others."""
    for unit in units.listed() if units is not None else ():
        name = text_of(unit.get("name"))
        below = unit.get(drop_ins)
        others = below.listed() if below is not None else ()
        into = [(f"{_UNITS}/{name}.d/{text_of(item.get('name'))}", item) for item in others]
        for path, holder in ((f"{_UNITS}/{name}", unit), *into):
            content = holder.get(key)
            if content is not None and content.kind == "scalar":
                who = Subject(_named(owner, f"unit {name}"), node=holder)
                yield from written(places, who, path, content)


def heat_grants(places: Places, template: Node) -> Iterator[Grant]:
    """Yield what the machines of a Heat template run when they start."""
    resources = template.get("resources")
    for name, (_, resource) in resources.entries().items() if resources is not None else ():
        given = resource.get("properties", "user_data")
        for text in given.scalars() if given is not None else ():
            if SHEBANG.match(text.text):
                who = Subject(f"resource {name}", node=resource)
                yield from script_grants(places, who, (text,))


def _named(owner: str, name: str) -> str:
    return ", ".join(part for part in (owner, name) if part)
