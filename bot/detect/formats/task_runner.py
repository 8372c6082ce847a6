"""Commands and containers in YAML that no other format reads, and in package.json and its like.

Task runners and smaller CI systems (Wercker, Gitpod's tasks, Task, pre-commit, npm's scripts, mise,
poe, cargo-make), and what editors and agents start (launch.json, servers of MCP): what stands at a
key that says it is a command is run by a shell, and variables beside it are its own. A mapping with
an `image` and volumes in the short form is a container, whichever tool starts it.

    tasks:
      scan:
        cmds:
        - docker run -v /var/run/docker.sock:/var/run/docker.sock scanner
"""

import re
from collections.abc import Iterator

from bot.detect.ci.commands import Commands, tells, worth_reading
from bot.detect.ci.places import Places
from bot.detect.ci.steps import Nesting, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_YAML = pattern(r"\.ya?ml\Z", re.IGNORECASE)
_JSON = pattern(
    r"(?:package|composer|deno|tasks|launch|project|nx|turbo|devbox|opencode|settings(?:\.local)?"
    r"|claude_desktop_config|[\w.-]*mcp[\w.-]*)\.jsonc?\Z",
    re.IGNORECASE,
)
_TOML = pattern(r"(?:\.?mise(?:\.[\w-]+)?|pyproject|pixi|Makefile|poe_tasks)\.toml\Z")
_DEEPEST = 40


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _TOML.match(name):
        return tells(text)
    return bool(_YAML.search(name) or _JSON.match(name)) and worth_reading(text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    if _TOML.match(plain_name(path)):
        from bot.detect.toml import read_toml  # noqa: PLC0415 - start-up

        content = decode(source.read(path) or b"")
        if content is not None:
            text = Text(content)
            yield from _document(Places(path, text), read_toml(text))
        return
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    yield from Commands(places).below(document, (), Nesting(deepest=_DEEPEST))


FORMAT = Format(
    "task_runner",
    _matches,
    _grants,
    last_resort=True,
    endings=(".json", ".jsonc", ".toml", ".yaml", ".yml"),
)
