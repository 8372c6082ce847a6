"""Travis CI configurations.

Source: Travis CI documentation, "Job lifecycle", "Environment variables", "Build matrix".

    env:
      global:
        - DOCKER_HOST=tcp://127.0.0.1:2375
    script: docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.ci.places import (
    Environment,
    Places,
    Subject,
    Variables,
    address_grants,
    joined,
    layered,
)
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_NAME = pattern(r"\.?travis(?:[-_.][\w.-]*)?\.ya?ml\Z", re.IGNORECASE)
# Phases that share one shell, in their order; those of deployment are run by the same job.
_PHASES = (
    "before_install", "install", "before_script", "script", "before_cache", "after_success",
    "after_failure", "before_deploy", "after_deploy", "after_script",
)  # fmt: skip
_ASSIGNMENT = pattern(
    r"""(?P<name>[A-Za-z_]\w*)=(?P<value>(?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\])*)"""
)


def _matches(path: str, text: str) -> bool:
    del text
    return bool(_NAME.match(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    tree = read_yaml(text)
    grants = (_document(places, document) for document in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


def _document(places: Places, document: Node) -> Iterator[Grant]:
    env = _environment(places, document.get("env"))
    for row in _rows(places, document.get("env")):
        yield from address_grants(places, Subject("pipeline"), row, layered(row, env))
    yield from _job(places, document, "pipeline", env)
    for name in ("jobs", "matrix"):
        include = document.get(name, "include")
        for number, job in enumerate(include.listed() if include is not None else (), 1):
            if job.kind != "map":
                continue
            title = job.get("name") or job.get("stage")
            shown = f'job "{title.text}"' if title is not None and title.text else f"job {number}"
            own = _environment(places, job.get("env"))
            extent = (job.line, job.last_line)
            yield from address_grants(places, Subject(shown, extent=extent), own, layered(own, env))
            yield from _job(places, job, shown, layered(own, env))


def _job(places: Places, job: Node, subject: str, env: Variables) -> Iterator[Grant]:
    """Yield what the phases of one job hand over; a variable set in one is known in the next."""
    parts: list[Script] = []
    for phase in _PHASES:
        if phase == "after_deploy":
            parts.extend(_deploys(places, job.get("deploy")))
        node = job.get(phase)
        parts.extend(_commands(places, node))
    extent = (job.line, job.last_line)
    yield from places.ran(Subject(subject, extent=extent), joined(parts), env)


def _commands(places: Places, node: Node | None) -> Iterator[Script]:
    for item in node.scalars() if node is not None and node.kind != "map" else ():
        yield places.script(item)


def _deploys(places: Places, node: Node | None) -> Iterator[Script]:
    for item in node.listed() if node is not None else ():
        script = item.get("script")
        if script is not None:
            yield from _commands(places, script)


def _rows(places: Places, node: Node | None) -> list[Environment]:
    """Return the variables of `env` apart where each item of a list makes a job of its own.

    Source: Travis documentation, "Build Matrix": each line of `env`, or of `env.matrix` or
    `env.jobs`, is one row; what `env.global` says holds in all of them.
    """
    if node is None:
        return []
    if node.kind == "list":
        return [_environment(places, item) for item in node.members()]
    rows: list[Environment] = []
    others: Environment = {}
    for name, (_, value) in node.entries().items():
        if name in {"matrix", "jobs"} and value.kind == "list":
            rows += [_environment(places, item) for item in value.members()]
        elif name in {"global", "matrix", "jobs"}:
            others |= _environment(places, value)
    plain = node.kind != "map" or not {"global", "matrix", "jobs"} & node.entries().keys()
    return [_environment(places, node) if plain else others, *rows]


def _environment(places: Places, node: Node | None, depth: int = 0) -> Environment:
    """Return `env`: a line of assignments, a list of such, a mapping, or those under `global`."""
    found: Environment = {}
    for item in node.listed() if node is not None and depth < 4 else ():
        if item.kind == "scalar":
            script = places.script(item)
            for text, line in zip(script.text.split("\n"), script.lines, strict=False):
                for match in _ASSIGNMENT.finditer(text):
                    found[match["name"]] = Value(match["value"].strip("\"'"), line)
            continue
        for name, (_, value) in item.entries().items():
            if name in {"global", "matrix", "jobs"}:
                found |= _environment(places, value, depth + 1)
            elif value.kind == "scalar" and name != "secure":
                found[name] = Value(value.text, places.here(value))
    return found


FORMAT = Format("travis", _matches, _grants, endings=(".yaml", ".yml"))
