"""Codefresh pipelines: codefresh.yml, .codefresh/*.yml.

Sources: Codefresh's documentation, "Freestyle step", "Composition step", "Service containers",
"Docker daemon access": a runtime of one's own mounts the node's socket into freestyle steps.

    steps:
      tests:
        type: composition
        composition:
          services:
            tool: {image: tool, volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.ci.steps import (
    Nesting,
    argv_grants,
    environment,
    platform_grant,
    restrictions,
    script_grants,
    subject_of,
    volume_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Severity, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_PATH = pattern(r"codefresh[^/]*\.ya?ml|(?:^|/)\.codefresh/", re.IGNORECASE)
_LIKE = pattern(r"^steps:", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    if not name.endswith((".yml", ".yaml")) or "compose" in name:
        return False
    return bool(_PATH.search(path) and _LIKE.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    yield from _services(places, document, "pipeline")
    yield from _steps(places, document.get("steps"), Nesting())
    hooks = document.get("hooks")
    for when, (_, hook) in hooks.entries().items() if hooks is not None else ():
        body = hook.get("exec") or hook
        nested = body.get("steps")
        if nested is not None:
            yield from _steps(places, nested, Nesting())
        else:
            yield from _step(places, body, f"hook {when}")


def _steps(places: Places, steps: Node | None, nesting: Nesting) -> Iterator[Grant]:
    for name, (_, step) in steps.entries().items() if steps is not None else ():
        if not nesting.allows():
            return
        yield from _step(places, step, f"step {name}")
        yield from _steps(places, step.get("steps"), nesting.deeper())


def _step(places: Places, step: Node, name: str) -> Iterator[Grant]:
    subject = subject_of(name, step, ("title", "name", "description"))
    yield from volume_grants(places, subject, step.get("volumes"), restrictions(places, step))
    env = environment(places, step.get("environment"))
    yield from address_grants(places, subject, env, env)
    yield from script_grants(
        places, subject, (step.get("commands"), step.get("arguments", "commands")), env
    )
    yield from _command(places, subject, step, env, "cmd")
    for key in ("composition", "composition_candidates"):
        yield from _composition(places, step.get(key), name)
    yield from _services(places, step, name)
    kind, image = step.get("type"), step.get("image")
    if image is not None and (kind is None or kind.text == "freestyle"):
        yield platform_grant(places, subject, image, Severity.CRITICAL)


def _services(places: Places, node: Node, name: str) -> Iterator[Grant]:
    """Read the service containers of a pipeline or step."""
    services = node.get("services")
    if services is not None:
        yield from _composition(places, services.get("composition"), name)


def _composition(places: Places, composition: Node | None, name: str) -> Iterator[Grant]:
    """Read services as in compose, with or without the `services:` around them."""
    if composition is None:
        return
    services = composition.get("services") or composition
    for label, (_, service) in services.entries().items():
        if service.kind != "map":
            continue
        subject = subject_of(f"{name}, service {label}", service)
        restricted = restrictions(places, service)
        yield from volume_grants(places, subject, service.get("volumes"), restricted)
        env = environment(places, service.get("environment"))
        yield from address_grants(places, subject, env, env)
        for key in ("command", "entrypoint"):
            yield from _command(places, subject, service, env, key)


def _command(
    places: Places, subject: Subject, node: Node, env: Environment, key: str
) -> Iterator[Grant]:
    command = node.get(key)
    if command is None:
        return
    if command.kind == "list":
        yield from argv_grants(places, subject, command.members(), env)
    else:
        yield from script_grants(places, subject, (command,), env)


FORMAT = Format("codefresh", _matches, _grants, endings=(".yaml", ".yml"))
