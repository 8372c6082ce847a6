"""Containers and commands in YAML and JSON that no other reader knows, by the names of keys alone.

Task runners and smaller CI systems (Wercker, Gitpod's tasks, Task, npm's scripts), and tools with a
format of their own: what stands at a key that says it is a command is run by a shell, variables
beside it are its own, and a mapping with an image and volumes "source:target" is a container.
"""

import re
from collections.abc import Iterator, Sequence

from bot.detect.ci.containers import Container, container_grants
from bot.detect.ci.places import Places, Subject, address_grants, joined
from bot.detect.ci.steps import (
    Nesting,
    argv_grants,
    environment,
    image_of,
    name_of,
    script_grants,
    volume_grants,
)
from bot.detect.grant import Grant
from bot.detect.patterns import pattern
from bot.detect.positioned import Node

# In lower case: a piece of text that tells, and what it has to be part of.
_TELLING: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    (".sock", re.compile(r"\.sock\b")),
    ("_host", re.compile(r"(?:docker|container|podman|buildkit)_host")),
    ("-v", re.compile(r"(?:-v|--volume)[ =][\"']?/(?:var/)?(?:run/?)?:")),
    (":/", re.compile(r"[\"' ]/(?:var/)?(?:run/?)?:/")),
    *((word, None) for word in (
        "docker_engine", "tcp://", ":2375", "api-socket", "source=/", "src=/",
    )),
)  # fmt: skip
_SOCKET = pattern(r"\.sock\b|docker_engine|_host\b|:2375", re.IGNORECASE)
_COMMAND = pattern(
    r"(?:\w*[_-])?(?:scripts?|run|code|cmds?|commands?|before|init|prebuild|exec|shell|sh|bash|entry"
    r"|hooks?)"
    r"|\w*[a-z](?:Script|Command|Cmd)s?",
)
# Options of `docker run` for whatever starts the container: `docker_options`, `dockerRunArgs`.
_OPTIONS = pattern(r"(?:docker|podman)\w*(?:[Oo]ptions|[Oo]pts|[Aa]rgs|[Aa]rguments|[Ff]lags)")
_KEY = pattern(
    r"(?:^[ \t{,-]*|[{,][ \t]*)[\"']?(?:" + _COMMAND.pattern + r"|env(?:ironment(?:_variables)?)?"
    r"|volumes|binds|mounts|" + _OPTIONS.pattern + r")[\"']?[ \t]*:",
    re.MULTILINE,
)
_LARGE = 128_000  # characters; what is larger holds commands only if it names a socket
_VOLUMES = ("volumes", "binds", "mounts")
_BY_NAME = frozenset({"scripts", "tasks"})  # mappings of a command's name to the command
_TESTED = frozenset({"command"})  # mappings of a command to what is expected of it
_ENVIRONMENT = ("env", "environment", "environment_variables")
_CLIENTS = frozenset({"docker", "podman", "nerdctl", "docker-compose"})


def worth_reading(text: str) -> bool:
    """Tell whether a file may say something here, by its text alone."""
    if len(text) > _LARGE and not _SOCKET.search(text):
        return False
    return _tells(text.lower()) and _KEY.search(text) is not None


def tells(text: str) -> bool:
    """Tell whether a text names something that reaches a daemon, or may do so."""
    return _tells(text.lower())


def _tells(low: str) -> bool:
    return any(
        word in low and (pattern is None or pattern.search(low) is not None)
        for word, pattern in _TELLING
    )


class Commands:
    """The commands and containers of one document."""

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
        if image_of(node.get("image")) is not None:
            for key in _VOLUMES:
                yield from volume_grants(places, self._subject(called, node), node.get(key))
        for key, (_, value) in node.entries().items():
            if _COMMAND.fullmatch(key) and not (value.kind == "map" or _maps(value)):
                subject = self._subject((*called, key), node)
                words = _argv(value, node.get("args"))
                if words:
                    yield from argv_grants(places, subject, words, env)
                else:
                    yield from script_grants(places, subject, (value,), env)
            elif _OPTIONS.fullmatch(key) and not (value.kind == "map" or _maps(value)):
                yield from self._optional(value, self._subject((*called, key), node))
            elif key in _BY_NAME and value.kind == "map":
                for name, (_, command) in value.entries().items():
                    inner = self._subject((*called, key, name), command)
                    if command.kind == "map" or _maps(command):
                        yield from self.below(command, (*called, key, name), nesting.deeper())
                    else:
                        yield from script_grants(places, inner, (command,), env)
            else:
                if key in _TESTED and value.kind == "map":
                    yield from self._tested(value, (*called, key))
                yield from self.below(value, (*called, key), nesting.deeper())

    def _optional(self, options: Node, subject: Subject) -> Iterator[Grant]:
        """Yield what options of `docker run` hand over that a tool is told: words, or lines."""
        scripts = [self._places.script(one) for one in options.listed() if one.kind == "scalar"]
        if scripts:
            yield from container_grants(self._places, subject, Container((), joined(scripts)))

    def _tested(self, commands: Node, names: Sequence[str]) -> Iterator[Grant]:
        """Yield what commands hand over that are keys themselves: tests of Goss."""
        for command, test in commands.pairs:
            run = test.get("exec") if test.kind == "map" else None
            if run is None and command.text.partition(" ")[0] in _CLIENTS:
                yield from script_grants(self._places, self._subject(names, test), (command,))

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


def _argv(node: Node, arguments: Node | None) -> Sequence[Node]:
    """Return the words of one command: a list of them, or a program with its arguments beside."""
    if node.kind == "scalar" and arguments is not None and arguments.kind == "list":
        return (node, *arguments.members()) if " " not in node.text.strip() else ()
    words = node.members()
    return words if words and words[0].kind == "scalar" and words[0].text in _CLIENTS else ()
