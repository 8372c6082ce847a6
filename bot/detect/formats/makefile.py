"""Makefiles: the recipes of each target, with the variables that the file gives.

Files: `Makefile*`, `GNUmakefile`, `*.mk`. Source: GNU make manual, "Recipe Syntax", "Variables".

    SOCKET ?= /var/run/docker.sock
    dev:
        docker run -v $(SOCKET):/var/run/docker.sock dev
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort, sockets
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source

_NAME = pattern(r"(?:.*[._-])?(?:gnu)?makefile(?:[._-].*)?\Z|.*\.(?:mk|mak|make)\Z", re.IGNORECASE)
_NOT = pattern(r"\.(?:md|py|txt|am\.orig|lock|json|ya?ml)\Z", re.IGNORECASE)
_VARIABLE = pattern(
    r"\s*(?:(?:override|export|private)\s+)*(?P<name>[\w.-]+)\s*(?P<operator>::?:?=|\+=|\?=|!=|=)"
    r"\s*(?P<value>.*)\Z"
)
_DEFINE = pattern(r"\s*(?:override\s+)?define\s+(?P<name>[\w.-]+)")
_RULE = pattern(r"(?P<targets>[^\s#:=][^#:=]*?)\s*::?(?!=)(?P<rest>[^=].*|)\Z")
_REFERENCE = pattern(r"\$(?:\((?P<round>[\w.-]+)\)|\{(?P<curly>[\w.-]+)\}|(?P<one>[A-Za-z@<^?*]))")
_NAMED = pattern(r"\$[({]([\w.-]+)[:)}]")
_FUNCTION = pattern(r"\$\((?P<name>if|or|and|strip|firstword|filter-out|wildcard|addprefix)\s+")
_PATTERN = pattern(r"\$\((?P<name>[\w.-]+):(?P<old>[^=%()]*%?[^=%()]*)=(?P<new>[^()]*)\)")
_CALL = pattern(r"\$\(call\s+(?P<name>[\w.-]+)[^)]*\)")
_SHELL_CALL = pattern(r"\$\(shell\s+")
_CONDITION = pattern(r"\s*(?:else\s+)?(?P<word>ifn?eq|ifn?def|else|endif)\b")
_CLIENT = pattern(r"(?:sudo\s+)?(?:docker|podman|nerdctl)\s")
_PREFIX = pattern(r"\A\s*[-@+]+\s*")  # "Recipe Echoing", "Errors in Recipes"
_QUOTED = pattern(r"(?<![^\s=])\"[^\"\n]*\"|(?<![^\s=])'[^'\n]*'")
_LONGEST = 20_000
_VARIABLE_LOOKED_AT = 5  # units of effort
_DEEPEST = 8


@dataclass(frozen=True, slots=True)
class _Variable:
    """What a variable is set to, and where."""

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
    named = frozenset(found[1] for found in _NAMED.finditer(content))
    env = {
        _shell_name(name): Value(_expanded(value.text, variables), _line(name, variables))
        for name, value in variables.items()
    }
    for name in variables:
        if name not in named:
            yield from _kept(path, text, name, variables, env)
    for target, lines in recipes:
        continued = [False, *(line.endswith("\\") for line, _ in lines)]
        shell = [
            _as_shell(line if inside else _PREFIX.sub("", line))
            for (line, _), inside in zip(lines, continued, strict=False)
        ]
        script = Script("\n".join(shell), tuple(number for _, number in lines))
        yield from script_grants(path, text, f"target {target}", script, env)


def _kept(
    path: str, text: Text, name: str, variables: dict[str, _Variable], env: dict[str, Value]
) -> Iterator[Grant]:
    """Yield what a command reaches that a variable keeps for the files that include this one."""
    command = env[_shell_name(name)]
    if _CLIENT.match(command.text):
        script = Script.flat(command.text, _line(name, variables))
        yield from script_grants(path, text, f"variable {name}", script, env)


def _read(
    text: Text,
    variables: dict[str, _Variable],
    recipes: list[tuple[str, list[tuple[str, int]]]],
) -> None:
    number, last, depth = 1, len(text), 0
    current: list[tuple[str, int]] | None = None
    while number <= last:
        line = text.line(number)
        goes_on = current and current[-1][0].endswith("\\")  # with a tab or without one
        if current is not None and (goes_on or line.startswith("\t")):
            current.append((line.removeprefix("\t"), number))
            number += 1
            continue
        first = telling = number
        while line.endswith("\\") and number < last:
            number += 1
            if (
                telling == first
                and not sockets.mentions(line)
                and sockets.mentions(text.line(number))
            ):
                telling = number
            line = line[:-1] + " " + text.line(number).strip()
        number += 1
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if define := _DEFINE.match(line):
            body = []
            while number <= last and text.line(number).strip() != "endef":
                body.append((text.line(number).lstrip("\t"), number))
                number += 1
            recipes.append((define["name"], _evaluated(body)))
            current = None
        elif condition := _CONDITION.match(line):
            opens = condition["word"].startswith("if") and "else" not in condition[0]
            depth += opens - (condition["word"] == "endif")
        elif assigned := _VARIABLE.match(line):
            _assign(variables, assigned, telling, perhaps=depth > 0)
            current = None
        elif rule := _RULE.match(line):
            current = []
            recipes.append((rule["targets"].split()[0], current))
            _, semicolon, inline = rule["rest"].partition(";")
            if semicolon:
                current.append((inline, first))


def _evaluated(body: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return what `define` holds as recipe lines: one `$` less where it is text for `$(eval …)`.

    That is where it holds rules of its own (GNU make manual, "The eval Function").
    """
    if not any(_RULE.match(line) and "$(" in line for line, _ in body):
        return body
    return [(line.replace("$$(", "$(").replace("$${", "${"), number) for line, number in body]


def _assign(
    variables: dict[str, _Variable], assigned: re.Match[str], line: int, *, perhaps: bool
) -> None:
    """Take note of an assignment; one in a condition does not hide an earlier one that tells."""
    name, value = assigned["name"], re.sub(r"\s#.*\Z", "", assigned["value"]).strip()
    known = variables.get(name)
    operator = assigned["operator"]
    if perhaps and known is not None and operator != "+=" and _tells(known, variables):
        return
    match operator:
        case "?=" if known is not None:
            return
        case "+=" if known is not None:
            variables[name] = _Variable(f"{known.text} {value}"[:_LONGEST], line)
        case "!=":
            variables[name] = _Variable(f"$(shell {value})", line)
        case _:
            variables[name] = _Variable(value, line)


def _tells(variable: _Variable, variables: dict[str, _Variable]) -> bool:
    text = _expanded(variable.text, variables)
    return any(map(sockets.host_path, re.split(r"[\s:=,\"']+", text)))


def _line(name: str, variables: dict[str, _Variable]) -> int:
    """Return the line of the variable that says what `name` comes to: a socket, if one is named."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        one = waiting.pop(0)
        known = variables.get(one) if one not in seen else None
        if known is None:
            continue
        effort.spend(_VARIABLE_LOOKED_AT)
        if sockets.mentions(known.text):
            return known.line
        seen.add(one)
        waiting += [found[1] for found in _NAMED.finditer(known.text)]
    return variables[name].line


def _expanded(value: str, variables: dict[str, _Variable], depth: int = 0) -> str:
    """Return a variable's value with the make variables in it put in, `$$` as `$`."""

    def put(found: re.Match[str]) -> str:
        effort.spend(_VARIABLE_LOOKED_AT)
        known = variables.get(found["round"] or found["curly"] or found["one"])
        if known is None or depth >= _DEEPEST:
            return f"${{{_shell_name(found['round'] or found['curly'] or 'TARGET')}}}"
        return _expanded(known.text, variables, depth + 1)

    def substitute(found: re.Match[str]) -> str:
        effort.spend(_VARIABLE_LOOKED_AT)
        known = variables.get(found["name"])
        if known is None or depth >= _DEEPEST:
            return f"${{{_shell_name(found['name'])}}}"
        words = _expanded(known.text, variables, depth + 1).split()
        return " ".join(_substituted(word, found["old"], found["new"]) for word in words)

    parts = _without_functions(value.replace("$$", "\0")[:_LONGEST])
    expanded = _REFERENCE.sub(put, _PATTERN.sub(substitute, _SHELL_CALL.sub("$(", parts)))
    return _QUOTED.sub(_held, expanded[:_LONGEST].replace("\0", "$"))


def _held(quoted: re.Match[str]) -> str:
    """Return quoted text as the one word that it is for the shell, which sees it in the recipe."""
    return re.sub(r"\s", "\u00a0", quoted[0])


def _substituted(word: str, old: str, new: str) -> str:
    """Return one word of `$(NAME:old=new)`; `%` stands for any text, as in the manual.

    Quotes are text to make, and the shell takes them away: what they hold is meant.
    """
    if len(word) > 1 and word[0] in "\"'" and word[0] == word[-1] and old[:1] != word[0]:
        word = word[1:-1]
    before, percent, after = old.partition("%") if "%" in old else ("", "%", old)
    if not (word.startswith(before) and word.endswith(after)):
        return word
    stem = word[len(before) : len(word) - len(after)]
    return new.replace("%", stem, 1) if percent and "%" in old else stem + new


def _without_functions(value: str) -> str:
    """Return a value with `$(if a,b,c)` and `$(or a,b)` as all that they may come to."""
    for _ in range(_DEEPEST):
        found = _FUNCTION.search(value)
        if found is None:
            break
        end, pieces = _arguments(value, found.end())
        if found["name"] == "if":
            pieces = pieces[1:]
        elif found["name"] == "or":
            literal = [piece for piece in pieces if not piece.strip().startswith("$")]
            pieces = literal[:1] or pieces
        value = value[: found.start()] + _all_or_one(pieces) + value[end:]
    return value


def _all_or_one(pieces: list[str]) -> str:
    """Return all that a function may come to; of single words that are no options only one.

    Two words where the shell sees one would be taken for the next argument.
    """
    words = [piece.strip() for piece in pieces if piece.strip()]
    if len(words) < 2 or any(word[0] == "-" or re.search(r"\s", word) for word in words):
        return " ".join(pieces)
    return next(filter(sockets.mentions, words), words[-1])


def _arguments(value: str, at: int) -> tuple[int, list[str]]:
    """Split a function's arguments at its own commas; return the offset after it, too."""
    depth, start, pieces = 1, at, []
    while at < len(value) and depth:
        if value[at] in "({":
            depth += 1
        elif value[at] in ")}":
            depth -= 1
        elif value[at] == "," and depth == 1:
            pieces.append(value[start:at])
            start = at + 1
        at += 1
    pieces.append(value[start : at - 1 if not depth else at])
    return at, pieces


def _as_shell(line: str) -> str:
    """Return a recipe line as its shell would see it, make variables as shell variables."""

    def reference(found: re.Match[str]) -> str:
        name = found["round"] or found["curly"] or "TARGET"
        return f"${{{_shell_name(name)}}}"

    bare = _without_functions(line.replace("$$", "\0"))
    bare = _CALL.sub(lambda call: f": {call['name']}", bare)
    bare = _REFERENCE.sub(reference, _SHELL_CALL.sub("$(", bare))
    return bare.replace("\0", "$")


def _shell_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


FORMAT = Format("makefile", _matches, grants)
