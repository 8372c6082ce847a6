"""PowerShell and cmd text -> the same tree as for sh, command by command.

Blocks and conditions are taken apart into the commands inside them: what may run is what counts.
Sources: PowerShell "about_Parsing", "about_Quoting_Rules", "about_Environment_Variables"; the cmd
reference for `set`, `setx`, carets and percent signs.
"""

import re
from typing import Literal as OneOf

from bot.detect.patterns import pattern
from bot.detect.shell.tree import (
    Assignment,
    Literal,
    Node,
    Opaque,
    Part,
    Pipeline,
    Redirection,
    Sequence,
    Simple,
    Variable,
    Word,
)

_SPACE = pattern(r"(?:[ \t\r\f\v]+|[`^]\r?\n[ \t]*)+")
_POWERSHELL_COMMENT = pattern(r"<#.*?(?:#>|\Z)|#[^\n]*", re.DOTALL)
_CMD_COMMENT = pattern(r"@?(?:rem(?=[ \t\r\n]|\Z)|::)[^\n]*", re.IGNORECASE)
_HERE_STRING = pattern(r"@([\"'])[ \t]*\r?\n(?P<body>.*?)\n\1@", re.DOTALL)
_VARIABLE = pattern(
    r"\$(?:\{?env:(?P<environment>\w+)\}?|\{(?P<braced>[\w-]+)\}"
    r"|(?:(?:script|global|local):)?(?P<plain>\w+))",
    re.IGNORECASE,
)
_ASSIGNS = pattern(
    r"(?:\[[\w.\[\]]+\][ \t]*)?"
    r"\$(?:\{env:(?P<braced>\w+)\}|(?:(?P<env>env:)|(?:script|global|local):)?(?P<name>\w+))"
    r"[ \t]*(?P<append>\+?)=(?!=)[ \t]*",
    re.IGNORECASE,
)
_SET = pattern(r"@?set[ \t]+(?:/[aApP][ \t]+)?(?P<quote>\"?)(?P<name>\w+)=", re.IGNORECASE)
_PERCENT = pattern(r"%(?P<name>\w+)%|!(?P<late>\w+)!|%(?P<argument>[*\d])")
_BARE = pattern(r"[^ \t\r\n\f\v;|&(){},\"'`^$%!<>@]+")
_REDIRECTION = pattern(r"(?P<number>[1-6*])?(?P<operator>>>|>|<)(?P<copy>&\d)?")
_MOST_WORDS = 20_000


def read(text: str, dialect: OneOf["powershell", "cmd"]) -> Node:
    """Return the commands of a PowerShell or cmd script."""
    return _Reader(text, powershell=dialect == "powershell").script()


class _Reader:
    def __init__(self, text: str, *, powershell: bool) -> None:
        self.text = text
        self.at = 0
        self.powershell = powershell
        self._next: dict[str, int] = {}

    def _find(self, token: str, at: int) -> int:
        """Return where `token` comes next, or the end; answers are kept, so it all stays linear."""
        known = self._next.get(token, -1)
        if known < at:
            known = self.text.find(token, at)
            known = known if known >= 0 else len(self.text)
            self._next[token] = known
        return known

    def _here_string(self) -> re.Match[str] | None:
        """Return the here-string that starts here: `@"`, lines, `"@`."""
        quote = self.text[self.at + 1 : self.at + 2]
        if not quote or quote not in "\"'" or self._find(f"\n{quote}@", self.at) >= len(self.text):
            return None
        return _HERE_STRING.match(self.text, self.at)

    def script(self) -> Node:
        items: list[Node] = []
        stages: list[Node] = []
        while self.at < len(self.text):
            start = self.at
            command = self._command()
            if command is not None:
                stages.append(command)
            self._space()
            piped = self.text.startswith("|", self.at) and not self.text.startswith("||", self.at)
            if not piped and stages:
                items.append(stages[0] if len(stages) == 1 else Pipeline(tuple(stages)))
                stages = []
            if self.at < len(self.text) and (
                self.text[self.at] in ";|&(){},\n" or self.at == start
            ):
                self.at += 1
        items.extend(stages)
        return Sequence(tuple(items))

    def _space(self) -> None:
        while True:
            if found := _SPACE.match(self.text, self.at):
                self.at = found.end()
            comment = _POWERSHELL_COMMENT if self.powershell else _CMD_COMMENT
            found = comment.match(self.text, self.at)
            if found is None or found.end() == self.at:
                return
            line_start = self.text.rfind("\n", 0, self.at) + 1
            if not self.powershell and self.text[line_start : self.at].strip(" \t@"):
                return
            self.at = found.end()

    def _command(self) -> Node | None:
        self._space()
        start = self.at
        assignment = self._assignment()
        if assignment is not None:
            return Simple((assignment,), (), (), (), start, self.at)
        words: list[Word] = []
        redirections: list[Redirection] = []
        end = start
        if self.powershell and self.text.startswith(("'", '"'), start):
            words.append(Word((Literal("write-output", start, quoted=False),), start, start))
        while self.at < len(self.text) and len(words) < _MOST_WORDS:
            self._space()
            redirection = _REDIRECTION.match(self.text, self.at)
            if redirection is not None:
                self.at = redirection.end()
                self._space()
                target = None if redirection["copy"] else self._word()
                shown = redirection["number"] in {None, "1"}
                redirections.append(
                    Redirection(redirection["operator"] if shown else "", target, None)
                )
                continue
            if self.powershell and words and self._argument_list():
                continue
            word = self._word()
            if word is None:
                break
            words.append(word)
            end = self.at
        if not words:
            return None
        return Simple((), tuple(words), (), tuple(redirections), start, end)

    def _argument_list(self) -> bool:
        """Pass what only separates arguments: commas, and the parentheses of a method call."""
        if self.text.startswith(",", self.at) or (
            self.text.startswith("(", self.at) and self.text[self.at - 1 : self.at].isalnum()
        ):
            self.at += 1
            return True
        return False

    def _assignment(self) -> Assignment | None:
        start = self.at
        if not self.powershell:
            found = _SET.match(self.text, self.at)
            if found is None:
                return None
            stop = re.compile(r"[&|\n]|\Z").search(self.text, found.end())
            end = stop.start() if stop else len(self.text)
            raw = self.text[found.end() : end].rstrip()
            if found["quote"]:
                raw = raw.rsplit('"', 1)[0]
            parts = _spaced(raw, found.end())
            self.at = end
            word = Word(tuple(parts), found.end(), end)
            name = found["name"].upper()
            return Assignment(name, append=False, value=word, elements=None, at=start)
        found = _ASSIGNS.match(self.text, self.at)
        if found is None:
            return None
        after = self.text[found.end() : found.end() + 1]
        name = found["braced"] or found["name"]
        if not found["braced"] and not found["env"]:
            name = "$" + name.lower()
        if after and after not in "\"'$@(":
            self.at = found.end()
            return None  # `$x = docker …`: the command counts
        self.at = found.end()
        words: list[Word] = []
        while self.at < len(self.text):
            self._space()
            if self.text.startswith(("(", ","), self.at):
                self.at += 1
            elif self.text.startswith("@(", self.at):
                self.at += 2
            elif (element := self._word()) is not None:
                words.append(element)
            else:
                break
        elements = tuple(words) if len(words) > 1 else None
        value = words[0] if words else Word((), self.at, self.at)
        return Assignment(name, bool(found["append"]), value, elements, start)

    def _word(self) -> Word | None:
        start, parts = self.at, list[Part]()
        while self.at < len(self.text):
            at = self.at
            char = self.text[at]
            if found := _BARE.match(self.text, at):
                parts.append(Literal(found[0], at, quoted=False))
                self.at = found.end()
            elif char == '"':
                self._quoted(parts)
            elif char == "'" and self.powershell:
                close = self._find("'", at + 1)
                parts.append(Literal(self.text[at + 1 : close], at, quoted=True))
                self.at = close + 1
            elif char == "@" and self.powershell:
                self._at_sign(parts)
            elif not self._expansion(parts, quoted=False):
                if char in " \t\r\n\f\v;|&(){},<>":
                    break
                parts.append(Literal("" if char in "`^" else char, at, quoted=False))
                self.at += 1
        return Word(tuple(parts), start, self.at) if self.at > start else None

    def _at_sign(self, parts: list[Part]) -> None:
        at = self.at
        if found := self._here_string():
            parts.append(Literal(found["body"], found.start("body"), quoted=True))
            self.at = found.end()
        elif found := re.compile(r"@([A-Za-z_]\w*)").match(self.text, at):
            name = "$" + found[1].lower()
            parts.append(Variable(name, "", (), name, at, quoted=True, every="@"))
            self.at = found.end()
        else:
            parts.append(Literal("@", at, quoted=False))
            self.at += 1

    def _quoted(self, parts: list[Part]) -> None:
        parts.append(Literal("", self.at, quoted=True))
        self.at += 1
        while self.at < len(self.text):
            at = self.at
            char = self.text[at]
            if char == '"':
                self.at += 1
                return
            if char == "`" and self.powershell:
                parts.append(Literal(self.text[at + 1 : at + 2], at, quoted=True))
                self.at += 2
            elif not self._expansion(parts, quoted=True):
                stop = re.compile(r"[\"`$%!]|\Z").search(self.text, at + 1)
                self.at = stop.start() if stop else len(self.text)
                parts.append(Literal(self.text[at : self.at], at, quoted=True))

    def _expansion(self, parts: list[Part], *, quoted: bool) -> bool:
        at = self.at
        if not self.powershell:
            found = _PERCENT.match(self.text, at)
            if found is None:
                return False
            parts.append(_percent(found, at, quoted=quoted))
            self.at = found.end()
            return True
        if self.text.startswith("${{", at):
            self.at = min(self._find("}}", at) + 2, len(self.text))
            parts.append(Opaque(self.text[at : self.at], at, quoted))
            return True
        if self.text.startswith("$(", at):
            self.at = min(self._find(")", at) + 1, len(self.text))
            parts.append(Opaque(self.text[at : self.at], at, quoted))
            return True
        found = _VARIABLE.match(self.text, at)
        if found is None:
            return False
        name = found["environment"] or "$" + (found["braced"] or found["plain"]).lower()
        parts.append(Variable(name, "", (), found[0], at, quoted, every=""))
        self.at = found.end()
        return True


def _spaced(raw: str, at: int) -> list[Part]:
    """Read what `set` assigns as one text, spaces and all."""
    parts: list[Part] = []
    end = 0
    for found in _PERCENT.finditer(raw):
        parts.append(Literal(raw[end : found.start()], at + end, quoted=True))
        parts.append(_percent(found, at + found.start()))
        end = found.end()
    parts.append(Literal(raw[end:], at + end, quoted=True))
    return parts


def _percent(found: re.Match[str], at: int, *, quoted: bool = True) -> Part:
    if found["argument"]:
        return Opaque(found[0], at, quoted)
    name = found["name"] or found["late"]
    return Variable(name.upper(), "", (), f"%{name}%", at, quoted, every="")
