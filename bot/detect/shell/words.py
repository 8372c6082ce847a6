"""Shell text -> words: quotes, escapes, templates, here-documents.

Grammar: POSIX.1-2024 "Shell Command Language" sections 2.2 and 2.3, and the Bash reference manual
for `$'…'` and `$"…"`. The reader is tolerant: what never ends goes on to the end of the text, and
`unfinished` says where that began. Each character is looked at a bounded number of times, and
nesting is bounded.
"""

import re

from bot.detect.patterns import pattern
from bot.detect.shell.expansions import ExpansionReader
from bot.detect.shell.tree import Here, Literal, Opaque, Part, Word

_PLAIN = pattern(r"[^ \t\n\r\f\v'\"\\$`;&|<>(){]+")
_WHOLE = pattern(r"[^ \t\n\r\f\v'\"\\$`;&|<>(){]+(?=[ \t\n;|)]|\Z)")
_ANGLED = pattern(r"<<[ \t]*[\w-]+(?:\.[\w-]+)+[ \t]*>>")
_SPECIAL_IN_HERE = pattern(r"[\\$`]")
_IN_QUOTES = pattern(r"[^\"\\$`{\n]+")
_IN_HERE = pattern(r"[^\\$`\n]+")


class WordReader(ExpansionReader):
    """Reads words. Commands inside `$(…)` are left to a subclass."""

    def word(self) -> Word | None:
        """Read one word; None where none starts here."""
        text, start = self.text, self.at
        if found := _WHOLE.match(text, start, self.end):
            self.at = found.end()
            return Word((Literal(found[0], start, quoted=False),), start, self.at)
        parts: list[Part] = []
        while self.at < self.end:
            at = self.at
            if found := _PLAIN.match(text, at, self.end):
                parts.append(Literal(found[0], at, quoted=False))
                self.at = found.end()
                continue
            char = text[at]
            if char in "'\"\\$`":
                self.special(char, parts, quoted=False)
            elif char == "{":
                self._brace(parts, quoted=False)
            elif char in "<>" and text.startswith("(", at + 1, self.end):
                self.at = at + 1
                self.commands(parts, quoted=False, file=True)
            elif char == "<" and (found := self.angled()):
                parts.append(Opaque(found[0], at, quoted=False))
                self.at = found.end()
            elif char == "(" and parts and text[at - 1] in "@+?!*":
                self.at = self.closing_paren(at + 1)
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
            elif self.text.startswith('\\"', self.at, stop):
                parts.append(Literal('\\"', self.at, quoted=True))  # no escape in here-documents
                self.at += 2
            else:
                self.special(self.text[self.at], parts, quoted=True)

    def special(self, char: str, parts: list[Part], *, quoted: bool) -> None:
        """Read what starts with a quote, a backslash, a dollar or a backtick."""
        match char:
            case "'":
                self._single(parts)
            case '"':
                self.double(parts)
            case "\\":
                self._escape(parts, quoted=quoted)
            case "`":
                self.backticks(parts, quoted=quoted)
            case _:
                self.dollar(parts, quoted=quoted)

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

    def double(self, parts: list[Part]) -> None:
        """Read text in double quotes."""
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
                self.special(char, parts, quoted=True)
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
