"""Dockerfile text -> instructions with the lines of each of their words.

Source: Dockerfile reference ("Parser directives", "Here-documents", "Format"). Linear, tolerant:
what is no instruction is skipped.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort
from bot.detect.lines import Text
from bot.detect.patterns import pattern
from bot.detect.shell import Script

_DIRECTIVE = pattern(r"#\s*escape\s*=\s*(?P<escape>[\\`])\s*\Z", re.IGNORECASE)
_ANY_DIRECTIVE = pattern(r"#\s*\w+\s*=")
_INSTRUCTION = pattern(r"\s*(?P<name>[A-Za-z]+)(?:\s+|\Z)")
HEREDOC = pattern(r"<<(?P<dash>-?)(?P<quote>[\"']?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
_FLAG = pattern(r"[\s\\]*--[a-z-]+(?:=\S*)?(?=[\s\\]|\Z)")
_WRAPPED = frozenset(
    {"RUN", "CMD", "ENTRYPOINT", "ENV", "VOLUME", "ARG", "HEALTHCHECK", "LABEL", "COPY", "ADD"}
)
_MOST_LINES = 200_000


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; ONBUILD and HEALTHCHECK are taken off what they wrap."""

    name: str  # upper case
    script: Script  # its arguments as one logical text, continuations kept as backslash and newline
    heredocs: tuple[Script, ...]
    first: int  # lines of the file
    last: int
    wrapped: str = ""  # "ONBUILD" or "HEALTHCHECK"

    @property
    def text(self) -> str:
        """The arguments on one line."""
        return self.script.text.replace("\\\n", " ")


def instructions(text: Text) -> Iterator[Instruction]:
    """Yield the instructions of a Dockerfile in order."""
    escape = "\\"
    number, last = 1, min(len(text), _MOST_LINES)
    if last < len(text):
        effort.skip()
    heading = True
    while number <= last:
        line = text.line(number)
        if heading:
            directive = _DIRECTIVE.match(line.strip())
            if directive:
                escape = directive["escape"]
            heading = bool(_ANY_DIRECTIVE.match(line.strip()))
        found = _INSTRUCTION.match(line)
        if not line.strip() or line.lstrip().startswith("#") or found is None:
            number += 1
            continue
        first = number
        pieces, lines = [], []
        rest = line[found.end() :]
        while True:
            body = rest.rstrip()
            continued = body.endswith(escape)
            pieces.append(body[:-1] if continued else body)
            lines.append(number)
            number += 1
            if not continued:
                break
            while number <= last and (
                not text.line(number).strip() or text.line(number).lstrip().startswith("#")
            ):
                number += 1
            if number > last:
                break
            rest = text.line(number)
        heredocs: list[Script] = []
        name = found["name"].upper()
        if name in {"RUN", "COPY", "ADD", "ONBUILD"}:
            for opened in HEREDOC.finditer("\n".join(pieces)):
                document, number = _heredoc(text, number, last, opened["word"], opened["dash"])
                heredocs.append(document)
        script = Script("\\\n".join(pieces), tuple(lines))
        yield _unwrapped(Instruction(name, script, tuple(heredocs), first, number - 1))


def _heredoc(text: Text, number: int, last: int, word: str, dash: str) -> tuple[Script, int]:
    body: list[str] = []
    first = number
    while number <= last:
        line = text.line(number)
        number += 1
        if (line.lstrip("\t") if dash else line) == word:
            break
        body.append(line)
    return Script("\n".join(body), tuple(range(first, first + max(len(body), 1)))), number


def _unwrapped(one: Instruction) -> Instruction:
    """Take ONBUILD and HEALTHCHECK off the instruction inside."""
    wrapped = ""
    while one.name in {"ONBUILD", "HEALTHCHECK"}:
        bare = without_flags(one.script) if one.name == "HEALTHCHECK" else one.script
        inner = _INSTRUCTION.match(bare.text.lstrip(" \t\\\n"))
        if inner is None or inner["name"].upper() not in _WRAPPED:
            break
        wrapped = one.name
        script = _after(bare, len(bare.text) - len(bare.text.lstrip(" \t\\\n")) + inner.end())
        one = Instruction(inner["name"].upper(), script, one.heredocs, one.first, one.last, wrapped)
    return one


def _after(script: Script, at: int) -> Script:
    """Return what follows offset `at` of a script."""
    return Script(script.text[at:], script.lines[script.text.count("\n", 0, at) :])


def without_flags(script: Script) -> Script:
    """Return the script without leading flags (`RUN --mount=… --network=…`)."""
    at = 0
    while flag := _FLAG.match(script.text, at):
        at = flag.end()
    return _after(script, at)


def assignments(script: Script, *, spaced: bool = True) -> Iterator[tuple[str, str, int]]:
    """Yield (name, value, line) of ENV, ARG or LABEL arguments.

    `spaced` allows the old form `ENV name value`. A name without a value (ARG) is left out.
    """
    words = list(_words(script))
    if words and spaced and "=" not in words[0][0]:
        name = words[0][0]
        if len(words) == 1:
            yield name, "", words[0][1]
            return
        joined = " ".join(word for word, _ in words[1:])
        yield name, joined, words[1][1]
        return
    for word, line in words:
        name, equals, value = word.partition("=")
        if equals:
            yield name, value, line


_WORD = pattern(r"""(?:[^\s"'\\]|\\[^\n]|"(?:\\[\s\S]|[^"\\])*"|'[^']*'|["'])+""")


def _words(script: Script) -> Iterator[tuple[str, int]]:
    text = script.text.replace("\\\n", " \n")
    for found in _WORD.finditer(text):
        line = script.lines[min(text.count("\n", 0, found.start()), len(script.lines) - 1)]
        yield _QUOTED.sub(_unquoted, found[0]), line


_QUOTED = pattern(r"""'([^']*)'|"((?:\\[\s\S]|[^"\\])*)"|\\([\s\S])""")


def _unquoted(found: re.Match[str]) -> str:
    if found[1] is not None:
        return found[1]
    if found[2] is not None:
        return re.sub(r'\\(["\\$`])', r"\1", found[2])
    return found[3]
