"""What starts with a dollar or a backtick: variables, substitutions, templates.

Grammar: POSIX.1-2024 "Shell Command Language" section 2.6, the Bash reference manual for `$'…'`,
arrays and process substitution.
"""

import re
from abc import abstractmethod

from bot.detect.patterns import pattern
from bot.detect.shell.cursor import DEEPEST, Cursor
from bot.detect.shell.tree import NOTHING, Literal, Node, Opaque, Part, Substitution, Variable

_NAME = pattern(r"[A-Za-z_]\w*|\d|[@*#?$!-]", re.ASCII)
_BRACED = pattern(
    r"(?P<sigil>[!#]?)(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(?P<index>[^\]\n]*)\])?", re.ASCII
)
_OPERATOR = pattern(r":?[-=?+]|##?|%%?")
_BALANCE = pattern(r"[()'\"\\`]")
_SPELLING = pattern(r"[()`:\n\r{}'\"\\#<]+")
_ANSI = pattern(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

# What may stand as it is after an operator.
_IN_BRACES = pattern(r"[^'\"\\$`}\n]+")
_IN_QUOTED_BRACES = pattern(r"[^\"\\$`}\n]+")


class ExpansionReader(Cursor):
    """Reads expansions. Quotes and commands inside them are left to subclasses."""

    @abstractmethod
    def special(self, char: str, parts: list[Part], *, quoted: bool) -> None:
        """Read what starts with a quote, a backslash, a dollar or a backtick."""

    @abstractmethod
    def double(self, parts: list[Part]) -> None:
        """Read text in double quotes."""

    @abstractmethod
    def commands_until_paren(self) -> Node:
        """Read commands and the `)` that ends them."""

    @abstractmethod
    def commands_between(self, at: int, end: int) -> Node:
        """Read commands from a part of the text."""

    def backticks(self, parts: list[Part], *, quoted: bool) -> None:
        """Read a substitution in backticks."""
        start = self.at
        at = start + 1
        while at < self.end and self.text[at] != "`":
            at += 2 if self.text[at] == "\\" else 1
        if at >= self.end:
            self.lost(start)
        end = min(at, self.end)
        self.at = min(end + 1, self.end)
        if self.depth >= DEEPEST:
            self.deep = True
            parts.append(Opaque("$(…)", start, quoted))
            return
        body = self.commands_between(start + 1, end)
        spelling = _spelling(self.text[start + 1 : min(end, start + 120)])
        parts.append(Substitution(body, spelling, start, quoted, file=False))

    def dollar(self, parts: list[Part], *, quoted: bool) -> None:
        """Read what starts with a dollar."""
        text, at = self.text, self.at
        after = text[at + 1 : at + 2] if at + 1 < self.end else ""
        if after == "{":
            end = self.find("}}", at) + 2
            if text.startswith("{", at + 2, self.end) and end <= self.end:
                parts.append(Opaque(text[at:end], at, quoted))
                self.at = end
            else:
                self._braced(parts, quoted=quoted)
        elif after == "(":
            arithmetic = text.startswith("(", at + 2, self.end)
            stop = self.on_this_line("))", at) if arithmetic else None
            if stop is not None and self.find(";", at) >= stop:
                parts.append(Opaque("$((…))", at, quoted))
                self.at = stop
            else:
                self.at = at + 1
                self.commands(parts, quoted=quoted, file=False)
        elif after == "'" and not quoted:
            self._ansi(parts)
        elif after == '"' and not quoted:
            self.at = at + 1
            self.double(parts)
        elif found := _NAME.match(text, at + 1, self.end):
            name = found[0]
            self.at = found.end()
            every = name if name in "@*" else ""
            parts.append(Variable(name, "", (), "$" + name, at, quoted, every))
        else:
            parts.append(Literal("$", at, quoted))
            self.at = at + 1

    def _braced(self, parts: list[Part], *, quoted: bool) -> None:
        start = self.at
        found = _BRACED.match(self.text, start + 2, self.end)
        if found is None or self.depth >= DEEPEST:
            self.deep |= found is not None
            self.at = start + 2
            self._skip_braces(start)
            parts.append(Opaque("${…}", start, quoted))
            return
        self.at = found.end()
        operator = _OPERATOR.match(self.text, self.at, self.end)
        word: tuple[Part, ...] = ()
        kind = ""
        if self.text.startswith("}", self.at, self.end):
            self.at += 1
        elif operator:
            kind = operator[0]
            self.at = operator.end()
            word = self._inside_braces(start, quoted=quoted)
        else:
            kind = "other"
            self._inside_braces(start, quoted=quoted)
        if found["sigil"]:
            kind = "other"
        index = found["index"]
        every = next((sign for sign in (index, found["name"]) if sign in {"@", "*"}), "")
        if (
            every
            and kind == "other"
            and not found["sigil"]
            and self.text.startswith(":", found.end())
        ):
            kind = ""  # ${A[@]:1}: some elements of it
        name = found["name"] if index is None or every or index == "0" else ""
        spelled = f"${{{found['name']}}}"
        parts.append(Variable(name, kind, word, spelled, start, quoted, every))

    def _inside_braces(self, start: int, *, quoted: bool) -> tuple[Part, ...]:
        plain = _IN_QUOTED_BRACES if quoted else _IN_BRACES
        parts: list[Part] = []
        self.depth += 1
        while self.at < self.end:
            char = self.text[self.at]
            if char == "}":
                self.at += 1
                self.depth -= 1
                return tuple(parts)
            if found := plain.match(self.text, self.at, self.end):
                parts.append(Literal(found[0], self.at, quoted))
                self.at = found.end()
            elif char == "\n":
                parts.append(Literal("\n", self.at, quoted))
                self.at += 1
            elif char == '"' and quoted:
                self.at += 1  # "${X:-"d"}": the inner quotes end and start the outer ones again
            else:
                self.special(char, parts, quoted=quoted)
        self.depth -= 1
        self.lost(start)
        return tuple(parts)

    def _skip_braces(self, start: int) -> None:
        depth = 1
        at = self.at
        while at < self.end and depth:
            char = self.text[at]
            depth += (char == "{") - (char == "}")
            at += 1
        if depth:
            self.lost(start)
        self.at = at

    def commands(self, parts: list[Part], *, quoted: bool, file: bool) -> None:
        """Read `(…)` at the cursor; the `$`, `<` or `>` before it has been passed."""
        start = self.at - 1
        self.at += 1
        if self.depth >= DEEPEST:
            self.deep = True
            self.at = self.closing_paren(self.at)
            body: Node = NOTHING
        else:
            self.depth += 1
            body = self.commands_until_paren()
            self.depth -= 1
        spelling = _spelling(self.text[start + 2 : min(self.at - 1, start + 120)])
        parts.append(Substitution(body, spelling, start, quoted, file))

    def closing_paren(self, at: int) -> int:
        """Return the offset after the `)` that closes what is open before `at`."""
        start, depth = at, 1
        while found := _BALANCE.search(self.text, at, self.end):
            at = found.end()
            match found[0]:
                case "(":
                    depth += 1
                case ")":
                    depth -= 1
                    if not depth:
                        return at
                case "\\":
                    at += 1
                case "'":
                    close = self.text.find("'", at, self.end)
                    at = close + 1 if close >= 0 else at
                case _:
                    pass
        self.lost(start)
        return self.end

    def _ansi(self, parts: list[Part]) -> None:
        start = self.at
        at = start + 2
        while at < self.end and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        if at >= self.end:
            self.lost(start)
            at = self.end
        parts.append(Literal(_ANSI.sub(_ansi_char, self.text[start + 2 : at]), start, quoted=True))
        self.at = min(at + 1, self.end)


def _ansi_char(found: re.Match[str]) -> str:
    octal, hexadecimal, unicode, letter = found.groups()
    if octal:
        return chr(int(octal, 8))
    if hexadecimal or unicode:
        return chr(int(hexadecimal or unicode, 16))
    return _ANSI_LETTERS.get(letter, letter)


def _spelling(body: str) -> str:
    """Return a substitution in one spelling, without what would read as the end of a field.

    It may stand in text that is read as a script again, cut short: no quote is left open in it.
    """
    return f"$({_SPELLING.sub(' ', body).strip()})"
