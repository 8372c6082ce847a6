r"""AppVeyor configurations.

Source: AppVeyor documentation, "appveyor.yml reference". A command without a prefix is `cmd` on
Windows and a shell's elsewhere; `ps:`, `pwsh:`, `sh:` and `cmd:` say which.

    environment:
      DOCKER_HOST: tcp://127.0.0.1:2375
    test_script:
      - ps: docker run -v \\.\pipe\docker_engine:\\.\pipe\docker_engine tool
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.ci.places import (
    Dialect,
    Environment,
    Places,
    Subject,
    Variables,
    address_grants,
    layered,
    value_of,
)
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_NAME = pattern(r"[\w.-]*appveyor[\w.-]*\.ya?ml\Z", re.IGNORECASE)
_PHASES = (
    "init", "install", "before_build", "build_script", "after_build", "before_package",
    "before_test", "test_script", "after_test", "before_deploy", "deploy_script", "after_deploy",
    "on_success", "on_failure", "on_finish",
)  # fmt: skip
_PREFIXES: dict[str, Dialect] = {
    "ps": "powershell", "pwsh": "powershell", "cmd": "cmd", "sh": "sh", "bash": "sh",
}  # fmt: skip


def _matches(path: str, text: str) -> bool:
    del text
    return "appveyor" in path.casefold() and bool(_NAME.match(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    tree = read_yaml(text)
    grants = (_configuration(places, document, "", {}) for document in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


def _configuration(
    places: Places, node: Node, subject: str, around: Variables, depth: int = 0
) -> Iterator[Grant]:
    """Yield what a configuration, or one under `for:`, hands over."""
    own = _environment(places, node.get("environment"))
    env = layered(own, around)
    extent = (node.line, node.last_line) if subject else (0, 0)
    whole = Subject(subject or "pipeline", extent=extent)
    yield from address_grants(places, whole, own, env)
    default = _dialect(node)
    for phase in _PHASES:
        commands = node.get(phase)
        for command in commands.listed() if commands is not None else ():
            shown = f"{subject}, {phase}" if subject else phase
            for scalar, dialect in _scripts(command, default):
                yield from places.reached(Subject(shown), scalar, places.script, env, dialect)
    special = node.get("for")
    for number, one in enumerate(special.listed() if special is not None else (), 1):
        if one.kind == "map" and depth == 0:
            yield from _configuration(places, one, f"for {number}", env, 1)


def _scripts(command: Node, default: Dialect) -> Iterator[tuple[Node, Dialect]]:
    if command.kind == "scalar":
        yield command, default
    for name, (_, value) in command.entries().items():
        if value.kind == "scalar" and name in _PREFIXES:
            yield value, _PREFIXES[name]


def _dialect(node: Node) -> Dialect:
    image = node.get("image")
    names = " ".join(one.text.lower() for one in image.scalars()) if image is not None else ""
    return "sh" if ("ubuntu" in names or "macos" in names) and "studio" not in names else "cmd"


def _environment(places: Places, node: Node | None) -> Environment:
    """Return `environment`: its own entries, those under `global`, and those of its matrix."""
    found: Environment = {}
    for name, (_, value) in node.entries().items() if node is not None else ():
        if value.kind == "scalar":
            found[name] = value_of(places.script(value), value)
        elif name == "global":
            found |= _environment(places, value)
        elif name == "matrix":
            for leg in value.listed():
                for key, one in _environment(places, leg).items():
                    found.setdefault(key, one)
    return found


FORMAT = Format("appveyor", _matches, _grants, endings=(".yaml", ".yml"))
