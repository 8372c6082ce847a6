"""Commands in YAML that no other format reads, and in package.json and its like.

Task runners and smaller CI systems (Wercker, Gitpod's tasks, Task, pre-commit, npm's scripts): what
stands at a key that says it is a command is run by a shell, and variables beside it are its own.

    tasks:
      scan:
        cmds:
        - docker run -v /var/run/docker.sock:/var/run/docker.sock scanner
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial

from bot.detect.ci.places import Places, Subject, address_grants
from bot.detect.ci.steps import (
    Nesting,
    argv_grants,
    environment,
    image_of,
    name_of,
    script_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.positioned import Node
from bot.detect.source import Source

_YAML = re.compile(r"\.ya?ml\Z", re.IGNORECASE)
_JSON = re.compile(r"(?:package|composer|deno|tasks|project|nx|turbo)\.jsonc?\Z", re.IGNORECASE)
# In lower case: a piece of text that tells, and what it has to be part of.
_TELLING: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    (".sock", re.compile(r"\.sock\b")),
    ("_host", re.compile(r"(?:docker|container|podman|buildkit)_host")),
    ("-v", re.compile(r"(?:-v|--volume)[ =][\"']?/(?:var/)?(?:run/?)?:")),
    *((word, None) for word in (
        "docker_engine", "tcp://", ":2375", "api-socket", "source=/", "src=/",
    )),
)  # fmt: skip
_COMMAND = re.compile(
    r"(?:\w*[_-])?(?:scripts?|run|code|cmds?|commands?|before|init|prebuild|exec|shell|sh|bash|entry)"
    r"|\w*[a-z](?:Script|Command|Cmd)s?",
)
_KEY = re.compile(
    r"^[ \t{,-]*[\"']?(?:" + _COMMAND.pattern + r"|env(?:ironment(?:_variables)?)?)[\"']?[ \t]*:",
    re.MULTILINE,
)
_LARGEST = 128_000  # characters; nobody writes commands into a file that is larger
_BY_NAME = frozenset({"scripts"})  # mappings of a command's name to the command
_ENVIRONMENT = ("env", "environment", "environment_variables")
_CLIENTS = frozenset({"docker", "podman", "nerdctl", "docker-compose"})
_DEEPEST = 40


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if not (_YAML.search(name) or _JSON.match(name)) or len(text) > _LARGEST:
        return False
    return _tells(text.lower()) and _KEY.search(text) is not None


def _tells(low: str) -> bool:
    return any(
        word in low and (pattern is None or pattern.search(low) is not None)
        for word, pattern in _TELLING
    )


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    nesting = Nesting(deepest=_DEEPEST)
    yield from yaml_grants(path, source, partial(_document, nesting=nesting), nesting)


def _document(places: Places, document: Node, nesting: Nesting) -> Iterator[Grant]:
    yield from _Commands(places).below(document, (), nesting)


class _Commands:
    """The commands of one document."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._digests: dict[int, str] = {}  # of mappings, however many aliases name them

    def below(self, node: Node, names: Sequence[str], nesting: Nesting) -> Iterator[Grant]:
        """Yield what the commands at and below a node hand over; `names` are the keys above it."""
        if node.kind == "scalar" or not nesting.allows():
            return
        for item in node.items:
            yield from self.below(item, names, nesting.deeper())
        if node.kind == "list":
            return
        places = self._places
        own = name_of(node, "name", "id", "label", "title") if names else ""
        called = (*names, f'"{own}"') if own else names
        env = environment(places, *(node.get(key) for key in _ENVIRONMENT))
        yield from address_grants(places, self._subject(called, node), env, env)
        for key, (_, value) in node.entries().items():
            if _COMMAND.fullmatch(key) and not (value.kind == "map" or _maps(value)):
                subject = self._subject((*called, key), node)
                if _is_argv(value):
                    yield from argv_grants(places, subject, value.members(), env)
                else:
                    yield from script_grants(places, subject, (value,), env)
            elif key in _BY_NAME and value.kind == "map":
                for name, (_, command) in value.entries().items():
                    inner = self._subject((*called, key, name), command)
                    yield from script_grants(places, inner, (command,), env)
            else:
                yield from self.below(value, (*called, key), nesting.deeper())

    def _subject(self, names: Sequence[str], node: Node) -> Subject:
        return Subject(
            " ".join(names[-4:]) or "commands",
            image_of(node.get("image")),
            self._digest(node),
            (node.line, node.last_line),
        )

    def _digest(self, node: Node) -> str:
        if not node.pairs:
            return node.digest()
        known = self._digests.get(id(node.pairs))
        if known is None:
            known = node.digest(frozenset({"name", "id", "label", "title"}))
            self._digests[id(node.pairs)] = known
        return known


def _maps(node: Node) -> bool:
    return any(item.kind == "map" for item in node.members())


def _is_argv(node: Node) -> bool:
    """Tell whether a list holds the words of one command."""
    words = node.members()
    return bool(words) and words[0].kind == "scalar" and words[0].text in _CLIENTS


FORMAT = Format("task_runner", _matches, _grants, last_resort=True)
