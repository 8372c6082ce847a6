"""Makefiles: the recipes of each target, with the variables that the file gives.

Files: `Makefile*`, `GNUmakefile`, `*.mk`. Source: GNU make manual, "Recipe Syntax", "Variables".

    SOCKET ?= /var/run/docker.sock
    dev:
        docker run -v $(SOCKET):/var/run/docker.sock dev
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.scripts import script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source

_NAME = re.compile(r"(?:gnu)?makefile(?:[._-].*)?\Z|.*\.(?:mk|mak|make)\Z", re.IGNORECASE)
_NOT = re.compile(r"\.(?:md|py|txt|am\.orig|lock|json|ya?ml)\Z", re.IGNORECASE)
_VARIABLE = re.compile(
    r"\s*(?:(?:override|export|private)\s+)*(?P<name>[\w.-]+)\s*(?P<operator>::?:?=|\+=|\?=|!=|=)"
    r"\s*(?P<value>.*)\Z"
)
_DEFINE = re.compile(r"\s*(?:override\s+)?define\s+(?P<name>[\w.-]+)")
_RULE = re.compile(r"(?P<targets>[^\s#:=][^#:=]*?)\s*::?(?!=)(?P<rest>[^=].*|)\Z")
_REFERENCE = re.compile(
    r"\$(?:\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<one>[A-Za-z@<^?*]))"
)
_CALL = re.compile(r"\$\(call\s+(?P<name>[\w.-]+)[^)]*\)")
_SHELL_CALL = re.compile(r"\$\(shell\s+")
_LONGEST = 20_000
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class _Variable:
    text: str
    line: int


def _matches(path: str, _text: str) -> bool:
    name = plain_name(path)
    return bool(_NAME.match(name)) and not _NOT.search(name)


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the recipes of a Makefile reach or hand over."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    variables: dict[str, _Variable] = {}
    recipes: list[tuple[str, list[tuple[str, int]]]] = []
    _read(text, variables, recipes)
    env = {
        _shell_name(name): Value(_expanded(value.text, variables), value.line)
        for name, value in variables.items()
    }
    for target, lines in recipes:
        shell = [_as_shell(line) for line, _ in lines]
        script = Script("\n".join(shell), tuple(number for _, number in lines))
        yield from script_grants(path, text, f"target {target}", script, env)


def _read(
    text: Text,
    variables: dict[str, _Variable],
    recipes: list[tuple[str, list[tuple[str, int]]]],
) -> None:
    number, last = 1, len(text)
    current: list[tuple[str, int]] | None = None
    while number <= last:
        line = text.line(number)
        if line.startswith("\t") and current is not None:
            current.append((line[1:], number))
            number += 1
            continue
        first = number
        while line.endswith("\\") and number < last:
            number += 1
            line = line[:-1] + " " + text.line(number).strip()
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if define := _DEFINE.match(line):
            body = []
            while number <= last and text.line(number).strip() != "endef":
                body.append((text.line(number).lstrip("\t"), number))
                number += 1
            recipes.append((define["name"], body))
            current = None
        elif assigned := _VARIABLE.match(line):
            _assign(variables, assigned, first)
            current = None
        elif rule := _RULE.match(line):
            current = []
            recipes.append((rule["targets"].split()[0], current))
            _, semicolon, inline = rule["rest"].partition(";")
            if semicolon:
                current.append((inline, first))


def _assign(variables: dict[str, _Variable], assigned: re.Match[str], line: int) -> None:
    name, value = assigned["name"], re.sub(r"\s#.*\Z", "", assigned["value"]).strip()
    known = variables.get(name)
    match assigned["operator"]:
        case "?=" if known is not None:
            return
        case "+=" if known is not None:
            variables[name] = _Variable(f"{known.text} {value}"[:_LONGEST], line)
        case "!=":
            variables[name] = _Variable(f"$(shell {value})", line)
        case _:
            variables[name] = _Variable(value, line)


def _expanded(value: str, variables: dict[str, _Variable], depth: int = 0) -> str:
    """Return a variable's value with the make variables in it put in, `$$` as `$`."""

    def put(found: re.Match[str]) -> str:
        known = variables.get(found["round"] or found["curly"] or found["one"])
        if known is None or depth >= _DEEPEST:
            return f"${{{_shell_name(found['round'] or found['curly'] or 'TARGET')}}}"
        return _expanded(known.text, variables, depth + 1)

    parts = value.replace("$$", "\0")
    expanded = _REFERENCE.sub(put, _SHELL_CALL.sub("$(", parts)[:_LONGEST])
    return expanded[:_LONGEST].replace("\0", "$")


def _as_shell(line: str) -> str:
    """Return a recipe line as its shell would see it, make variables as shell variables."""

    def reference(found: re.Match[str]) -> str:
        name = found["round"] or found["curly"] or "TARGET"
        return f"${{{_shell_name(name)}}}"

    bare = re.sub(r"\A\s*[-@+]+\s*", "", line).replace("$$", "\0")
    bare = _CALL.sub(lambda call: f": {call['name']}", bare)
    bare = _REFERENCE.sub(reference, _SHELL_CALL.sub("$(", bare))
    return bare.replace("\0", "$")


def _shell_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


FORMAT = Format("makefile", _matches, grants)
