"""Buildkite pipelines: .buildkite/*.yml, buildkite.yml.

Sources: Buildkite's documentation, "Defining your pipeline steps", and the README files of the
plugins docker, docker-compose and kubernetes (agent stack).

    steps:
      - label: test
        plugins:
          - docker#v5: {image: tool, volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import mounts
from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.ci.steps import (
    Nesting,
    Restrictions,
    argv_grants,
    environment,
    image_of,
    name_of,
    restrictions,
    script_grants,
    volume_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_NAME = pattern(r"buildkite.*\.(?:ya?ml|json)\Z|pipeline.*\.ya?ml\Z", re.IGNORECASE)
_FOLDER = pattern(r"(?:^|/)\.?buildkite/", re.IGNORECASE)
_STEPS = Keyed(r"^[\"'{ ]*steps[\"']?:", "steps")
_LIKE = pattern(
    r"^[ \t]*(?:- )?(?:plugins|agents|label|command|commands|wait|group):", re.MULTILINE
)
_KUBERNETES = pattern(r"kubernetes(?:#|\Z)")
_LABELS = ("label", "name", "key", "id", "identifier")
# The docker plugin reads these variables as well (README, "Default volumes" and legacy settings).
_VOLUME_VARIABLES = pattern(
    r"BUILDKITE_DOCKER_DEFAULT_VOLUMES|BUILDKITE_PLUGIN_DOCKER(?:_COMPOSE)?_(?:VOLUMES|MOUNTS)(?:_\d+)?"
)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if not name.lower().endswith((".yml", ".yaml", ".json")) or not _STEPS.search(text):
        return False
    if _FOLDER.search(path) or name.lower().startswith("buildkite"):
        return True
    return bool(_NAME.search(name)) and "plugins:" in text and bool(_LIKE.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    general = environment(places, document.get("env"))
    pipeline = Subject("pipeline")
    yield from _variables(places, pipeline, general, general)
    steps = document if document.kind == "list" else document.get("steps")
    yield from _steps(places, steps, general, "", Nesting())


def _steps(
    places: Places, steps: Node | None, general: Environment, group: str, nesting: Nesting
) -> Iterator[Grant]:
    for number, step in enumerate(steps.members() if steps is not None else (), 1):
        if not nesting.allows():
            return
        label = name_of(step, *_LABELS)
        if step.get("steps") is not None:
            name = name_of(step, "group") or label or str(number)
            below = nesting.deeper()
            yield from _steps(places, step.get("steps"), general, f"group {name}, ", below)
            continue
        if step.get("command") is not None and step.get("command", "command") is not None:
            step = step.get("command") or step  # noqa: PLW2901 - `command: {command: …}`
        yield from _step(places, step, general, f"{group}step {label or number}")


def _step(places: Places, step: Node, general: Environment, name: str) -> Iterator[Grant]:
    own = environment(places, step.get("env"))
    extent = (step.line, step.last_line)
    subject = Subject(name, image_of(step.get("image")), step.digest(frozenset(_LABELS)), extent)
    yield from _variables(places, subject, own, general | own)
    commands = (step.get("command"), step.get("commands"))
    for plugin, settings in _plugins(step.get("plugins")):
        image = image_of(settings.get("image")) or _service(settings)
        container = replace(subject, image=image or subject.image)
        if _KUBERNETES.match(plugin):
            from bot.detect.pods import pod_grants  # noqa: PLC0415 - start-up

            yield from pod_grants(places, name, settings)
        else:
            yield from _plugin(places, container, plugin, settings, general | own)
    yield from script_grants(places, subject, commands, general | own, escaped=True)


def _plugins(plugins: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the plugins of a list or of a mapping, by name, with their settings."""
    for item in plugins.listed() if plugins is not None else ():
        for name, (_, settings) in item.entries().items():
            yield name, settings


def _service(settings: Node) -> str | None:
    """Return what the docker-compose plugin runs, in place of an image that stands elsewhere."""
    run = settings.get("run")
    return run.text if run is not None and run.kind == "scalar" and run.text else None


def _plugin(
    places: Places, subject: Subject, plugin: str, settings: Node, env: Environment
) -> Iterator[Grant]:
    restricted: Restrictions = restrictions(places, settings)
    for key in ("volumes", "mounts"):
        yield from volume_grants(places, subject, settings.get(key), restricted)
    own = environment(places, settings.get("environment"), settings.get("env"))
    yield from address_grants(places, subject, own, env | own)
    shell, command = settings.get("shell"), settings.get("command")
    if command is not None and command.kind == "list":
        words = (*(shell.members() if shell is not None else ()), *command.members())
        yield from argv_grants(places, subject, words, env | own, escaped=True)
    elif command is not None and "docker" in plugin:
        yield from script_grants(places, subject, (command,), env | own, escaped=True)


def _variables(
    places: Places, subject: Subject, own: Environment, around: Environment
) -> Iterator[Grant]:
    yield from address_grants(places, subject, own, around)
    for name, value in own.items():
        if _VOLUME_VARIABLES.fullmatch(name):
            for volume in value.text.split(";"):
                target = mounts.short(volume)
                if target is not None:
                    yield places.mounted(subject, target, value.line)


FORMAT = Format("buildkite", _matches, _grants, endings=(".json", ".yaml", ".yml"))
