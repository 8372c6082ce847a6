"""Semaphore pipelines: .semaphore/*.yml.

Source: Semaphore's "Pipeline YAML reference" and "Choosing between a virtual machine and Docker
based environment": an agent's containers have the machine's socket mounted.

    blocks:
      - name: test
        task:
          jobs:
            - name: unit
              commands: [docker run -v /var/run/docker.sock:/var/run/docker.sock tool]
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.ci.steps import (
    environment,
    platform_grant,
    script_grants,
    steps_of,
    subject_of,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Severity, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_PATH = pattern(r"(?:^|/)\.semaphore/|(?:^|/)\.?semaphore[\w.-]*\Z", re.IGNORECASE)
_LIKE = pattern(r"^(?:blocks|agent|global_job_config|after_pipeline):", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    if "semaphore" not in path.casefold():
        return False
    if not plain_name(path).lower().endswith((".yml", ".yaml")) or not _PATH.search(path):
        return False
    return bool(_LIKE.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    common = document.get("global_job_config")
    general: Environment = {}
    if common is not None:
        general = environment(places, common.get("env_vars"))
        yield from _shared(places, common, general, "all jobs")
        yield from address_grants(places, Subject("all jobs"), general, general)
    yield from _agent(places, document, general, "pipeline")
    for name, block in steps_of(document.get("blocks")):
        task = block.get("task")
        if task is not None:
            yield from _task(places, task, general, f"block {name}")
    after = document.get("after_pipeline", "task")
    if after is not None:
        yield from _task(places, after, general, "after pipeline")


def _task(places: Places, task: Node, general: Environment, name: str) -> Iterator[Grant]:
    shared = environment(places, task.get("env_vars"))
    around = general | shared
    yield from address_grants(places, Subject(name), shared, around)
    yield from _agent(places, task, around, name)
    yield from _shared(places, task, around, name)
    before = task.get("prologue", "commands")
    for label, job in steps_of(task.get("jobs")):
        subject = subject_of(f"{name}, job {label}", job)
        own = environment(places, job.get("env_vars"))
        yield from address_grants(places, subject, own, around | own)
        # The prologue runs in the same shell: its variables count, its commands are told once.
        found = script_grants(places, subject, (before, job.get("commands")), around | own)
        told = range(before.line, before.last_line + 1) if before is not None else range(0)
        yield from (grant for grant in found if grant.line not in told)


def _shared(places: Places, node: Node, env: Environment, name: str) -> Iterator[Grant]:
    """Read `prologue` and `epilogue`, which run around every job."""
    yield from script_grants(
        places, Subject(f"{name}, prologue"), (node.get("prologue", "commands"),), env
    )
    epilogue = node.get("epilogue")
    if epilogue is not None:
        commands = [epilogue.get("commands")]
        commands += [epilogue.get(when, "commands") for when in ("always", "on_pass", "on_fail")]
        yield from script_grants(places, Subject(f"{name}, epilogue"), commands, env)


def _agent(places: Places, node: Node, env: Environment, name: str) -> Iterator[Grant]:
    """Read the containers that a job runs in."""
    for label, container in steps_of(node.get("agent", "containers")):
        subject = subject_of(f"{name}, container {label}", container)
        own = environment(places, container.get("env_vars"))
        yield from address_grants(places, subject, own, env | own)
        shown = container.get("image") or container
        yield platform_grant(places, subject, shown, Severity.CRITICAL)


FORMAT = Format("semaphore", _matches, _grants, endings=(".yaml", ".yml"))
