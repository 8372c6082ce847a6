"""AWS CodeBuild: buildspec*.yml.

Source: AWS's "Build specification reference for CodeBuild". The daemon that a privileged build
starts is the build's own; what counts are commands.

    version: 0.2
    phases:
      build:
        commands:
          - docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants, joined
from bot.detect.ci.steps import environment, name_of, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script, interpret
from bot.detect.source import Source

_NAME = pattern(r"build-?_?spec", re.IGNORECASE)
_VERSION = Keyed(r"^version: *[\"']?0\.[12]\b", "version")
_PHASES = Keyed(r"^phases:", "phases")
_ORDER = ("install", "pre_build", "build", "post_build")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    if not name.endswith((".yml", ".yaml", ".json")):
        return False
    if _NAME.search(name) and "phases" in text:
        return True
    return bool(_PHASES.search(text) and _VERSION.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    env = environment(places, document.get("env", "variables"))
    yield from address_grants(places, Subject("build"), env, env)
    batch = document.get("batch")
    for kind in ("build-list", "build-graph"):
        for build in (batch.get(kind) or batch).members() if batch is not None else ():
            own = environment(places, build.get("env", "variables"))
            subject = Subject(f"build {name_of(build, 'identifier')}")
            yield from address_grants(places, subject, own, env | own)
    phases = document.get("phases")
    if phases is not None:
        yield from _phases(places, phases, env)


def _phases(places: Places, phases: Node, env: Environment) -> Iterator[Grant]:
    """Read the commands of all phases, which one shell runs after each other."""
    scripts: list[Script] = []
    names: dict[int, str] = {}
    known = phases.entries()
    for phase in (*_ORDER, *(name for name in known if name not in _ORDER)):
        node = known[phase][1] if phase in known else None
        for key in ("commands", "finally"):
            commands = node.get(key) if node is not None else None
            for item in commands.listed() if commands is not None else ():
                if item.kind == "scalar":
                    script = places.script(item)
                    scripts.append(script)
                    names.update(dict.fromkeys(script.lines, phase))
    if not scripts:
        return
    for reach in interpret(joined(scripts), env):
        yield places.grant(Subject(f"phase {names.get(reach.line, 'build')}"), reach)


FORMAT = Format("codebuild", _matches, _grants, endings=(".json", ".yaml", ".yml"))
