"""Recipes of just: the commands of each, with the variables that the file gives.

Files: `justfile`, `.justfile`, `*.just`. Source: the just manual, "Variables and Substitution",
"Recipe Parameters", "Shebang Recipes", "export". Each line of a recipe is run by a shell.

    socket := "/var/run/docker.sock"
    scan:
        docker run -v {{socket}}:/var/run/docker.sock scan
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source

_NAME = pattern(r"\.?justfile(?:[._-].*)?\Z|.*\.just\Z", re.IGNORECASE)
_VARIABLE = pattern(r"(?P<export>export\s+)?(?P<name>[A-Za-z_][\w-]*)\s*:=\s*(?P<value>.*)\Z")
_SETTING = pattern(r"set\s+export\b(?!\s*:=\s*false)")
_RECIPE = pattern(r"@?(?P<name>[A-Za-z_][\w-]*)(?P<given>(?:\s[^:]*)?):(?!=)")
_DEFAULT = pattern(
    r"(?<![\w-])(?P<name>[A-Za-z_][\w-]*)\s*=\s*(?P<value>\"[^\"]*\"|'[^']*'|[\w.-]+)"
)
_LITERAL = pattern(r"\"(?P<cooked>(?:[^\"\\]|\\.)*)\"|'(?P<raw>[^']*)'|`(?P<run>[^`]*)`")
_OPERAND = pattern(_LITERAL.pattern + r"|(?P<name>[A-Za-z_][\w-]*)")
_FILLED = pattern(r"\{\{\{\{|\{\{\s*(?P<name>[A-Za-z_][\w-]*)\s*\}\}|\{\{[^{}\n]*\}\}")
_PREFIX = pattern(r"\A[@-]+")
_SHELL = pattern(r"#!.*\b(?:ba|da|z|k|a)?sh\b")
_LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class _Recipe:
    """A recipe: what it runs, and what it is given."""

    name: str
    given: dict[str, Value]  # parameters with their defaults
    lines: tuple[tuple[str, int], ...]


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.match(plain_name(path)))


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the recipes of a justfile reach or hand over."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    known: dict[str, Value] = {}
    exported: list[str] = []
    recipes = list(_read(text, known, exported))
    for name in exported:
        value = known[name]
        shown = "'" + value.text.replace("'", "'\\''") + "'"
        script = Script.flat(f"export {name}={shown}", value.line)
        yield from script_grants(path, text, "every recipe", script)
    for recipe in recipes:
        env = known | recipe.given
        first = recipe.lines[0][0].lstrip() if recipe.lines else ""
        if first.startswith("#!") and not _SHELL.match(first):
            continue
        script_of_its_own, goes_on = first.startswith("#!"), False
        lines: list[str] = []
        for line, _ in recipe.lines:
            lines.append(_as_shell(line, env, inside=goes_on or script_of_its_own))
            goes_on = line.endswith("\\")
        script = Script("\n".join(lines), tuple(number for _, number in recipe.lines))
        shell = {_shell_name(name): value for name, value in env.items()}
        yield from script_grants(path, text, f"recipe {recipe.name}", script, shell)


def _read(text: Text, known: dict[str, Value], exported: list[str]) -> Iterator[_Recipe]:
    """Yield the recipes; take note of the variables on the way."""
    number, last, every = 1, len(text), False
    while number <= last:
        line, first = text.line(number), number
        number += 1
        if not line.strip() or line[0] in "# \t":
            continue
        while line.endswith("\\") and number <= last:
            line = line[:-1] + text.line(number).strip()
            number += 1
        if _SETTING.match(line):
            every = True
        elif found := _VARIABLE.match(line):
            known[found["name"]] = Value(_value(found["value"], known), first)
            if (found["export"] or every) and found["name"] not in exported:
                exported.append(found["name"])
        elif found := _RECIPE.match(line):
            body: list[tuple[str, int]] = []
            while number <= last and (
                not text.line(number).strip() or text.line(number)[0] in " \t"
            ):
                body.append((text.line(number), number))
                number += 1
            given = {
                one["name"]: Value(one["value"].strip("\"'"), first)
                for one in _DEFAULT.finditer(found["given"])
            }
            yield _Recipe(found["name"], given, tuple(body))


def _value(expression: str, known: dict[str, Value]) -> str:
    """Return what an expression comes to: texts put together, or the default of a function."""
    bare = expression.partition(" #")[0].strip()[:_LONGEST]
    if "(" in bare:
        *_, last = (None, *_LITERAL.finditer(bare))
        return _literal(last) if last is not None else "${VALUE}"
    return "".join(_operand(one, known) for one in _OPERAND.finditer(bare))


def _operand(found: re.Match[str], known: dict[str, Value]) -> str:
    name = found["name"]
    if name is None:
        return _literal(found)
    return known[name].text if name in known else f"${{{_shell_name(name)}}}"


def _literal(found: re.Match[str]) -> str:
    if found["run"] is not None:
        return f"$({found['run']})"
    return found["raw"] if found["raw"] is not None else re.sub(r"\\(.)", r"\1", found["cooked"])


def _as_shell(line: str, known: dict[str, Value], *, inside: bool) -> str:
    """Return a line of a recipe as its shell sees it, what is filled in as shell variables.

    `inside` says that it is no command's first line, so that no `@` or `-` before it is just's own.
    """

    def put(found: re.Match[str]) -> str:
        if found[0] == "{{{{":
            return "{{"
        name = found["name"]
        return f"${{{_shell_name(name)}}}" if name in known else found[0]

    bare = line.lstrip()
    return _FILLED.sub(put, bare if inside else _PREFIX.sub("", bare))


def _shell_name(name: str) -> str:
    return re.sub(r"\W", "_", name)


FORMAT = Format("justfile", _matches, grants)
