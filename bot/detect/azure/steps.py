"""One step of an Azure pipeline -> what it hands over."""

from collections.abc import Iterator
from dataclasses import replace

from bot.detect.azure.values import Scope, entries
from bot.detect.ci.inputs import input_grants
from bot.detect.ci.places import Dialect, Subject, address_grants, command_line, layered
from bot.detect.grant import Grant
from bot.detect.positioned import Node
from bot.detect.shell import Script

_NAMING = frozenset({"displayName", "name", "condition"})
_SCRIPTS: dict[str, Dialect] = {
    "script": "sh", "bash": "sh", "pwsh": "powershell", "powershell": "powershell",
}  # fmt: skip


def step_subject(job: str, step: Node, number: int) -> str:
    """Return the name of a step as a person finds it: its display name, its name, its number."""
    for key in ("displayName", "name"):
        node = step.get(key)
        if node is not None and node.kind == "scalar" and node.text.strip():
            shown = f'step "{node.text.strip().splitlines()[0]}"'
            break
    else:
        shown = f"step {number}"
    return f"{job}, {shown}" if job else shown


def step_grants(step: Node, name: str, scope: Scope, platform: str) -> Iterator[Grant]:
    """Yield what one step hands over by its script, its task's inputs and its environment."""
    places = scope.places
    own = scope.environment(step.get("env"))
    env = layered(own, scope.env)
    subject = Subject(name, node=step, naming=_NAMING)
    yield from address_grants(places, subject, own, env)
    for key, dialect in _SCRIPTS.items():
        script = step.get(key)
        if script is not None and script.kind == "scalar":
            read: Dialect = "cmd" if key == "script" and platform == "windows" else dialect
            yield from places.reached(subject, script, scope.read, env, read)
    task = step.get("task")
    if task is not None and task.kind == "scalar":
        yield from _task_grants(step, task.text.strip(), subject, replace(scope, env=env), platform)


def _task_grants(
    step: Node, task: str, subject: Subject, scope: Scope, platform: str
) -> Iterator[Grant]:
    inputs = {
        name: scope.read(value)
        for name, (_, value) in entries(step.get("inputs"))
        if value.kind == "scalar"
    }
    name = task.partition("@")[0].rsplit(".", 1)[-1].lower()
    kind = inputs["scriptType"].text.lower() if "scriptType" in inputs else ""
    dialect: Dialect = "sh"
    if name in {"powershell", "azurepowershell"} or kind in {"ps", "pscore"}:
        dialect = "powershell"
    elif name == "batchscript" or kind == "batch" or (name == "cmdline" and platform == "windows"):
        dialect = "cmd"
    if name.startswith("docker"):
        command = _docker_command(name, inputs)
        yield from scope.places.ran(subject, command, scope.env)
        inputs = {key: value for key, value in inputs.items() if key not in _DOCKER_WORDS}
    yield from input_grants(scope.places, subject, inputs, scope.env, dialect)


# `action` is a sentence, and `command` may be one: "Run an image".
_DOCKER_WORDS = ("command", "customCommand", "dockerComposeCommand", "arguments")


def _docker_command(name: str, inputs: dict[str, Script]) -> Script:
    """Return the command line that a Docker or DockerCompose task runs."""
    tool = "docker compose" if name.startswith("dockercompose") else "docker"
    words = (inputs[key] for key in _DOCKER_WORDS if key in inputs)
    return command_line(tool, (one for one in words if not one.text.startswith("Run a")))
