"""Shell text -> words: quotes, escapes, expansions, templates, here-documents.

Grammar: POSIX.1-2024 "Shell Command Language" sections 2.2, 2.3, 2.6, and the Bash reference
manual for `$'…'`, `$"…"`, arrays and process substitution. The reader is tolerant: what never ends
goes on to the end of the text, and `unfinished` says where that began. Each character is looked at
a bounded number of times, and nesting is bounded.
"""

import re
from abc import abstractmethod

from bot.detect.shell.tree import (
    NOTHING,
    Here,
    Literal,
    Node,
    Opaque,
    Part,
    Substitution,
    Variable,
    Word,
)

DEEPEST = 32  # levels of nesting that are followed; what lies deeper is one opaque word

_PLAIN = re.compile(r"[^ \t\n\r\f\v'\"\\$`;&|<>(){]+")
_BLANK = re.compile(r"(?:[ \t\r\f\v]+|\\\r?\n)+")
_NAME = re.compile(r"[A-Za-z_]\w*|\d|[@*#?$!-]", re.ASCII)
_BRACED = re.compile(
    r"(?P<sigil>[!#]?)(?P<name>[A-Za-z_]\w*|\d+|[@*#?$!-])(?:\[(?P<index>[^\]\n]*)\])?", re.ASCII
)
_OPERATOR = re.compile(r":?[-=?+]|##?|%%?")
_ANGLED = re.compile(r"<<[ \t]*[\w-]+(?:\.[\w-]+)+[ \t]*>>")
_SPECIAL_IN_HERE = re.compile(r"[\\$`]")
_BALANCE = re.compile(r"[()'\"\\`]")
_SPELLING = re.compile(r"[()`:\n\r{}]+")
_ANSI = re.compile(r"\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|(.))", re.DOTALL)
_ANSI_LETTERS = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}

# What may stand as it is, by where a part stands.
_IN_QUOTES = re.compile(r"[^\"\\$`{\n]+")
_IN_BRACES = re.compile(r"[^'\"\\$`}\n]+")
_IN_QUOTED_BRACES = re.compile(r"[^\"\\$`}\n]+")
_IN_HERE = re.compile(r"[^\\$`\n]+")


class WordReader:
    """Reads words from `text[at:end]`. Commands inside `$(…)` are left to a subclass."""

    def __init__(self, text: str, at: int = 0, end: int | None = None, depth: int = 0) -> None:
        self.text = text
        self.at = at
        self.end = len(text) if end is None else end
        self.depth = depth
        self.unfinished: int | None = None
        self.deep = False
        self._next: dict[str, int] = {}

    @abstractmethod
    def commands_until_paren(self) -> Node:
        """Read commands and the `)` that ends them."""

    @abstractmethod
    def commands_between(self, at: int, end: int) -> Node:
        """Read commands from a part of the text."""

    def blank(self) -> None:
        """Skip spaces and continued lines."""
        if found := _BLANK.match(self.text, self.at, self.end):
            self.at = found.end()

    def lost(self, at: int) -> None:
        """Remember where something began that never ends."""
        if self.unfinished is None or at < self.unfinished:
            self.unfinished = at

    def find(self, token: str, at: int) -> int:
        """Return where `token` comes next, or the end. Answers are kept: the whole stays linear."""
        known = self._next.get(token, -1)
        if known < at:
            known = self.text.find(token, at, self.end)
            if known < 0:
                known = self.end
            self._next[token] = known
        return known

    def on_this_line(self, token: str, at: int) -> int | None:
        """Return the offset after `token` if it comes before the line ends."""
        found = self.find(token, at)
        return found + len(token) if found < self.find("\n", at) else None

    def word(self) -> Word | None:
        """Read one word; None where none starts here."""
        text, start, parts = self.text, self.at, list[Part]()
        while self.at < self.end:
            at = self.at
            if found := _PLAIN.match(text, at, self.end):
                parts.append(Literal(found[0], at, quoted=False))
                self.at = found.end()
                continue
            char = text[at]
            if char in "'\"\\$`":
                self._special(char, parts, quoted=False)
            elif char == "{":
                self._brace(parts, quoted=False)
            elif char in "<>" and text.startswith("(", at + 1, self.end):
                self.at = at + 1
                self._commands(parts, quoted=False, file=True)
            elif char == "<" and (found := self.angled()):
                parts.append(Opaque(found[0], at, quoted=False))
                self.at = found.end()
            elif char == "(" and parts and text[at - 1] in "@+?!*":
                self.at = self._closing_paren(at + 1)
                parts.append(Opaque("*", at, quoted=False))
            else:
                break
        return Word(tuple(parts), start, self.at) if self.at > start else None

    def angled(self) -> re.Match[str] | None:
        """Return the CircleCI parameter that stands here: `<< parameters.image >>`."""
        return _ANGLED.match(self.text, self.at, self.end)

    def here(self, holder: Here, start: int, end: int, *, quoted: bool, tabs: bool) -> None:
        """Read the body of a here-document, which is `text[start:end]`."""
        parts: list[Part] = []
        at = start
        while at < end:
            stop = self.text.find("\n", at, end) + 1 or end
            begin = at
            while tabs and begin < stop and self.text[begin] == "\t":
                begin += 1
            if quoted or not _SPECIAL_IN_HERE.search(self.text, begin, stop):
                parts.append(Literal(self.text[begin:stop], begin, quoted=True))
                at = stop
                continue
            inner = type(self)(self.text, begin, end, self.depth + 1)
            inner.here_line(parts, stop)
            self.deep |= inner.deep
            at = max(inner.at, stop)
        holder.body = tuple(parts)

    def here_line(self, parts: list[Part], stop: int) -> None:
        """Read one line of an unquoted body; an expansion in it may end on a later line."""
        while self.at < stop:
            if found := _IN_HERE.match(self.text, self.at, stop):
                parts.append(Literal(found[0], self.at, quoted=True))
                self.at = found.end()
            elif self.text[self.at] == "\n":
                parts.append(Literal("\n", self.at, quoted=True))
                self.at += 1
            else:
                self._special(self.text[self.at], parts, quoted=True)

    def _special(self, char: str, parts: list[Part], *, quoted: bool) -> None:
        """Read what starts with a quote, a backslash, a dollar or a backtick."""
        match char:
            case "'":
                self._single(parts)
            case '"':
                self._double(parts)
            case "\\":
                self._escape(parts, quoted=quoted)
            case "`":
                self._backticks(parts, quoted=quoted)
            case _:
                self._dollar(parts, quoted=quoted)

    def _single(self, parts: list[Part]) -> None:
        start = self.at
        at = start + 1
        close = self.text.find("'", at, self.end)
        while close >= 0 and (template := self.text.find("${{", at, close)) >= 0:
            end = self.find("}}", template) + 2
            if end > self.end:
                break
            self._lines(parts, at, template)
            parts.append(Opaque(self.text[template:end], template, quoted=True))
            at = end
            close = self.text.find("'", at, self.end)
        if close < 0:
            self.lost(start)
            close = self.end
        self._lines(parts, at, close)
        self.at = min(close + 1, self.end)

    def _lines(self, parts: list[Part], at: int, end: int) -> None:
        """Take text as it is, one literal for each line."""
        if at >= end:
            parts.append(Literal("", at, quoted=True))
        while at < end:
            stop = self.text.find("\n", at, end) + 1 or end
            parts.append(Literal(self.text[at:stop], at, quoted=True))
            at = stop

    def _double(self, parts: list[Part]) -> None:
        start = self.at
        self.at += 1
        parts.append(Literal("", start, quoted=True))
        while self.at < self.end:
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                return
            if found := _IN_QUOTES.match(self.text, self.at, self.end):
                parts.append(Literal(found[0], self.at, quoted=True))
                self.at = found.end()
            elif char == "\n":
                parts.append(Literal("\n", self.at, quoted=True))
                self.at += 1
            elif char == "{":
                self._brace(parts, quoted=True)
            else:
                self._special(char, parts, quoted=True)
        self.lost(start)

    def _escape(self, parts: list[Part], *, quoted: bool) -> None:
        at = self.at
        after = self.text[at + 1 : at + 2] if at + 1 < self.end else ""
        if after == "\n" or (after == "\r" and self.text.startswith("\n", at + 2, self.end)):
            self.at = at + (2 if after == "\n" else 3)
            return
        if quoted and after not in '"\\$`':
            parts.append(Literal("\\", at, quoted=True))
            self.at = at + 1
            return
        parts.append(Literal(after or "\\", at, quoted=True))
        self.at = min(at + 2, self.end)

    def _brace(self, parts: list[Part], *, quoted: bool) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        closing = {"{": "}}", "%": "%}"}.get(after)
        end = self.on_this_line(closing, self.at) if closing else None
        if end is not None:
            parts.append(Opaque(self.text[self.at : end], self.at, quoted))
            self.at = end
        else:
            parts.append(Literal("{", self.at, quoted))
            self.at += 1

    def _backticks(self, parts: list[Part], *, quoted: bool) -> None:
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

    def _dollar(self, parts: list[Part], *, quoted: bool) -> None:
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
                self._commands(parts, quoted=quoted, file=False)
        elif after == "'" and not quoted:
            self._ansi(parts)
        elif after == '"' and not quoted:
            self.at = at + 1
            self._double(parts)
        elif found := _NAME.match(text, at + 1, self.end):
            name = found[0]
            self.at = found.end()
            parts.append(Variable(name, "", (), "$" + name, at, quoted, name in "@*"))
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
        every = index in {"@", "*"} or found["name"] in "@*"
        if every and kind == "other" and self.text.startswith(":", found.end()):
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
                self._special(char, parts, quoted=quoted)
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

    def _commands(self, parts: list[Part], *, quoted: bool, file: bool) -> None:
        """Read `(…)` at the cursor; the `$`, `<` or `>` before it has been passed."""
        start = self.at - 1
        self.at += 1
        if self.depth >= DEEPEST:
            self.deep = True
            self.at = self._closing_paren(self.at)
            body: Node = NOTHING
        else:
            self.depth += 1
            body = self.commands_until_paren()
            self.depth -= 1
        spelling = _spelling(self.text[start + 2 : min(self.at - 1, start + 120)])
        parts.append(Substitution(body, spelling, start, quoted, file))

    def _closing_paren(self, at: int) -> int:
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
    """Return a substitution in one spelling, without what would read as the end of a field."""
    return f"$({_SPELLING.sub(' ', body).strip()})"
