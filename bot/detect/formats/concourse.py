"""Concourse pipelines and tasks: any YAML file that is one.

Source: Concourse's documentation, "Pipelines", "Tasks", "Steps". There are no mounts of the host;
what counts are a task's command and its parameters.

    platform: linux
    image_resource: {type: registry-image, source: {repository: docker}}
    run: {path: sh, args: [-c, "docker run -v /var/run/docker.sock:/var/run/docker.sock tool"]}
"""

from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.ci.steps import Nesting, argv_grants, environment, name_of, steps_of, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.mounts import repository
from bot.detect.positioned import Node
from bot.detect.source import Source

_TASK = (Keyed(r"^platform:", "platform"), Keyed(r"^run:", "run"))
_PIPELINE = (Keyed(r"^jobs:", "jobs"), Keyed(r"^[ \t]*(?:- )?plan:", "plan"))
_NESTED = ("do", "in_parallel", "aggregate", "try", "steps", "on_success", "on_failure", "on_error",
           "on_abort", "ensure", "across")  # fmt: skip


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml")):
        return False
    return any(all(mark.search(text) for mark in marks) for marks in (_TASK, _PIPELINE))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    if document.get("run") is not None and document.get("platform") is not None:
        yield from _task(places, document, {}, "task")
    for name, job in steps_of(document.get("jobs")):
        for key in ("plan", *_NESTED):
            yield from _steps(places, job.get(key), f"job {name}", Nesting())


def _steps(places: Places, node: Node | None, job: str, nesting: Nesting) -> Iterator[Grant]:
    for number, step in enumerate(node.listed() if node is not None else (), 1):
        if step.kind != "map" or not nesting.allows():
            continue
        config = step.get("config")
        if config is not None:
            label = name_of(step, "task") or str(number)
            params = environment(places, step.get("params"))
            yield from _task(places, config, params, f"{job}, task {label}")
        for key in _NESTED:
            yield from _steps(places, step.get(key), job, nesting.deeper())


def _task(places: Places, config: Node, given: Environment, name: str) -> Iterator[Grant]:
    image = config.get("image_resource", "source", "repository")
    extent = (config.line, config.last_line)
    subject = Subject(name, repository(image.text) if image is not None else None,
                      config.digest(), extent)  # fmt: skip
    env = environment(places, config.get("params")) | given
    yield from address_grants(places, subject, env, env)
    run, args = config.get("run", "path"), config.get("run", "args")
    if run is not None and run.kind == "scalar":
        words = [item for item in args.listed() if item.kind == "scalar"] if args else []
        yield from argv_grants(places, subject, (run, *words), env)


FORMAT = Format("concourse", _matches, _grants, endings=(".yaml", ".yml"))
