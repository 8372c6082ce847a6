"""Bitbucket Pipelines: bitbucket-pipelines.yml.

Source: Atlassian's "Bitbucket Pipelines configuration reference". There are no bind mounts, and
the daemon of `services: [docker]` is a container beside the step; what is left are scripts.

    pipelines:
      default:
        - step:
            script:
              - docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

from collections.abc import Iterator

from bot.detect.ci.places import Places
from bot.detect.ci.steps import (
    Nesting,
    environment,
    name_of,
    script_grants,
    subject_of,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.positioned import Node
from bot.detect.source import Source

_COMMAND_VARIABLES = ("COMMAND", "SCRIPT", "RUN")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    if not name.endswith((".yml", ".yaml")):
        return False
    return "bitbucket-pipelines" in name or ("pipelines:" in text and "- step:" in text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    pipelines = document.get("pipelines")
    for kind, (_, node) in pipelines.entries().items() if pipelines is not None else ():
        if node.kind == "map":
            for name, (_, items) in node.entries().items():
                yield from _items(places, items, f"{kind} {name}", Nesting())
        else:
            yield from _items(places, node, f"pipeline {kind}", Nesting())


def _items(places: Places, items: Node, pipeline: str, nesting: Nesting) -> Iterator[Grant]:
    """Read a list of steps, `parallel` groups and stages."""
    if items.kind == "map":
        items = items.get("steps") or items
    for number, item in enumerate(items.listed(), 1):
        if not nesting.allows():
            return
        for key, (_, node) in item.entries().items():
            if key == "step":
                label = name_of(node) or str(number)
                yield from _step(places, node, f"{pipeline}, step {label}")
            elif key in {"parallel", "stage"}:
                yield from _items(places, node, pipeline, nesting.deeper())


def _step(places: Places, step: Node, name: str) -> Iterator[Grant]:
    subject = subject_of(name, step)
    yield from script_grants(places, subject, (step.get("script"), step.get("after-script")))
    script = step.get("script")
    for item in script.listed() if script is not None else ():
        if item.get("pipe") is not None:
            variables = item.get("variables")
            env = environment(places, variables)
            commands = [variables.get(key) for key in _COMMAND_VARIABLES] if variables else []
            yield from script_grants(places, subject, commands, env)


FORMAT = Format("bitbucket", _matches, _grants, endings=(".yaml", ".yml"))
