"""The tasks of Nomad's jobs, and the folders that its clients lend them.

Source: Nomad documentation, "Job Specification", "Drivers: Docker", "client Block".
"""

from collections.abc import Iterator, Mapping

from bot.detect import sockets
from bot.detect.ci.places import Environment, Places, Subject
from bot.detect.ci.steps import script_grants
from bot.detect.grant import Grant, How
from bot.detect.handed import Handed
from bot.detect.hcl import Scope, blocks, named, read_hcl
from bot.detect.lines import Text
from bot.detect.mounts import repository
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value
from bot.detect.shell.model import SHEBANG

_CONTROLS = {
    "readonly_rootfs": "true", "cap_drop": "list", "security_opt": "list", "userns_mode": "set",
    "pids_limit": "set", "memory_hard_limit": "set", "cpu_hard_limit": "true",
    "network_mode": "none", "tmpfs": "list",
}  # fmt: skip


def job_grants(
    path: str, text: Text, hcl: Text | None = None, variables: Mapping[str, Text] | None = None
) -> Iterator[Grant]:
    """Yield what the tasks of jobs are handed, and what clients lend.

    `hcl` is the text as HCL where it is written otherwise, `variables` what else holds variables.
    """
    root = read_hcl(hcl or text)
    others = {other: read_hcl(content) for other, content in (variables or {}).items()}
    handed = Handed(path, Places(path, text), Scope({path: root, **others}))
    for job, body in named(root.get("job")):
        yield from _groups(handed, f"job {job}, ", body)
    yield from _groups(handed, "", root)  # a part of a job, in a file of its own
    for client in (root, *blocks(root, "client")):
        for name, volume in named(client.get("host_volume")):
            yield from _host_volume(handed, name, volume)


def _groups(handed: Handed, owner: str, body: Node) -> Iterator[Grant]:
    for group, inner in named(body.get("group")):
        lent = dict(named(inner.get("volume")))
        for name, task in named(inner.get("task")):
            yield from _task(handed, f"{owner}group {group}, task {name}", task, lent)
    for name, task in named(body.get("task")):
        yield from _task(handed, f"{owner}task {name}", task, {})


def _task(handed: Handed, name: str, task: Node, lent: Mapping[str, Node]) -> Iterator[Grant]:
    env = handed.environment((task.get("env"),))
    for config in blocks(task, "config") or [task]:
        image = handed.text(config.get("image"))
        who = Subject(
            name,
            repository(image) if image else None,
            task.digest(),
            (task.line, task.last_line),
        )
        restricted = (
            *handed.restricted(task, {"user": "set"}),
            *handed.restricted(config, _CONTROLS),
        )
        yield from handed.short(who, config.get("volumes"), restricted)
        for key in ("mount", "mounts"):
            yield from handed.short(who, config.get(key), restricted)
        yield from _lent(handed, who, task, lent, restricted)
        yield from handed.addresses(who, env)
        parts = (config.get("entrypoint"), config.get("command"), config.get("args"))
        yield from handed.command(who, parts, env)
        for template in blocks(task, "template"):
            yield from _template(handed, who, template, env)


def _lent(
    handed: Handed,
    who: Subject,
    task: Node,
    lent: Mapping[str, Node],
    restricted: tuple[tuple[str, int], ...],
) -> Iterator[Grant]:
    """Yield the sockets among the host's volumes: their path is in the client's configuration.

    Where a task has one at a socket's usual place, it can only be that.
    """
    for mount in blocks(task, "volume_mount"):
        volume = lent.get(handed.text(mount.get("volume")))
        at = mount.get("destination")
        if volume is None or at is None or handed.text(volume.get("type")) != "host":
            continue
        target = sockets.host_path(handed.text(at))
        if target is not None and target.how is How.MOUNT:
            yield handed.grant(who, target, handed.at(at), handed.resolve(at), restricted)


def _template(handed: Handed, who: Subject, template: Node, env: Environment) -> Iterator[Grant]:
    """Yield what a rendered file does: a script, or variables of the task."""
    data, as_env = template.get("data"), template.get("env")
    if data is None or data.kind != "scalar":
        return
    if SHEBANG.match(data.text):
        yield from script_grants(handed.places, who, (data,), env)
    elif as_env is not None and as_env.true:
        script = Script(*data.script())
        found: Environment = {}
        for line, number in zip(script.text.split("\n"), script.lines, strict=False):
            key, equals, value = line.strip().removeprefix("export ").partition("=")
            if equals:
                place = handed.places.script(data).lines[number - script.lines[0]]
                found[key.strip()] = Value(value.strip().strip("\"'"), place)
        yield from handed.addresses(who, found)


def _host_volume(handed: Handed, name: str, volume: Node) -> Iterator[Grant]:
    """Yield what a client lends to whatever job asks for it by name."""
    path = volume.get("path")
    if path is not None:
        given = handed.scope.text(handed.at(path))
        target = sockets.host_path(given.text)
        if target is not None:
            extent = (volume.line, volume.last_line)
            who = Subject(f"host_volume {name}", None, volume.digest(), extent)
            yield handed.grant(who, target, handed.at(path), given)
