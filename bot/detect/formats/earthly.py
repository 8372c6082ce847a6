"""Earthly: Earthfile, *.earth.

Source: Earthly's "Earthfile reference". Instructions are a Dockerfile's, in targets; `LOCALLY` runs
them on the host, `WITH DOCKER` starts a daemon for the RUN inside.

    integration:
        LOCALLY
        RUN docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.dockerfile import Instruction, assignments, instructions, without_flags
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Severity
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import argv_grants, script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source
from bot.detect.variables import expand

_NAME = pattern(r"(?:[\w.-]+\.)?earthfile\Z|.+\.earth\Z", re.IGNORECASE)
_TARGET = pattern(r"(?P<name>[A-Za-z][\w.-]*):\s*(?:#.*)?\Z")
_GIVES = frozenset({"ENV", "ARG", "LET", "SET"})
_RUNS = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "IF"})
_WORD = pattern(r'"((?:\\.|[^"\\])*)"')


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.match(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant]:
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    targets = {
        number: found["name"]
        for number in range(1, len(text) + 1)
        if (found := _TARGET.match(text.line(number)))
    }
    target, outer, env = "base", dict[str, Value](), dict[str, Value]()
    last = 0
    for one in instructions(text):
        begun = [targets[number] for number in range(last + 1, one.first) if number in targets]
        last = one.last
        if begun:
            outer = env if target == "base" else outer
            target, env = begun[-1], {}
        around = {**outer, **env}
        yield from _instruction(path, text, f"target {target}", one, around)
        if one.name in _GIVES:
            for name, value, line in assignments(without_flags(one.script)):
                env[name] = Value(expand(value, around).text, line)


def _instruction(
    path: str, text: Text, target: str, one: Instruction, env: dict[str, Value]
) -> Iterator[Grant]:
    subject = f"{target}, {one.name}"
    extent = (one.first, one.last)
    if one.name == "WITH" and one.text.upper().startswith("DOCKER"):
        yield Grant(
            path, one.first, text.line(one.first), f"{target}, WITH DOCKER", None, "docker",
            How.PLATFORM, Severity.HIGH, extent=extent, implicit=True,
        )  # fmt: skip
    elif one.name in _GIVES:
        for name, value, line in assignments(without_flags(one.script)):
            known = sockets.daemon_variable(name)
            reached = sockets.address(expand(value, env).text) if known else None
            if reached is not None:
                yield Grant(
                    path, line, text.line(line), subject, None, reached.resource, How.DECLARED,
                    Severity.HIGH, extent=extent,
                )  # fmt: skip
    elif one.name in _RUNS:
        script = without_flags(one.script)
        if script.text.lstrip(" \\\n").startswith("["):
            argv = list(_exec_form(script))
            yield from argv_grants(path, text, subject, argv, env)
        else:
            yield from script_grants(path, text, subject, script, env)


def _exec_form(script: Script) -> Iterator[tuple[str, int]]:
    """Yield the words of a JSON array with their lines."""
    for word in _WORD.finditer(script.text):
        line = script.lines[script.text.count("\n", 0, word.start())]
        yield re.sub(r'\\(["\\/])', r"\1", word[1]), line


FORMAT = Format("earthly", _matches, _grants)
