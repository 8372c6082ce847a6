"""Shell text -> simple commands: assignments, words, redirections, here-documents.

Grammar: POSIX.1-2024 "Shell Command Language" sections 2.7, 2.9.1 and 2.9.5, and the Bash reference
manual for arrays.
"""

import re
from abc import abstractmethod

from bot.detect import effort
from bot.detect.patterns import pattern
from bot.detect.shell.cursor import DEEPEST
from bot.detect.shell.tree import (
    NOTHING,
    Assignment,
    Function,
    Here,
    Node,
    Redirection,
    Simple,
    Word,
)
from bot.detect.shell.words import WordReader

MOST_WORDS = 20_000  # of one command; the rest of it is passed over

_ASSIGNMENT = pattern(r"(?P<name>[A-Za-z_]\w*)(?P<index>\[[^\]\n]*\])?(?P<append>\+?)=", re.ASCII)
_DECLARING = frozenset({"export", "declare", "typeset", "local", "readonly"})
_REDIRECTION = pattern(
    r"(?P<number>\d+|\{\w+\})?(?P<operator><<<|<<[-~]?|<>|<&|>&|>>|>\||<(?!\()|>(?!\())|(?P<both>&>>?)"
)
_DELIMITER = pattern(r"""[ \t]*(?P<text>(?:'[^'\n]*'|"[^"\n]*"|\\.|[^\s;&|<>()'"\\])+)""")
_UNQUOTE = pattern(r"""['"\\]""")
_FUNCTION = pattern(r"[ \t]*\([ \t]*\)")
_NEWLINES = pattern(r"(?:[ \t\r\f\v]+|\\\r?\n|#[^\n]*)*")


class SimpleReader(WordReader):
    """Reads simple commands. What they are put together to is left to a subclass."""

    def __init__(self, text: str, at: int = 0, end: int | None = None, depth: int = 0) -> None:
        super().__init__(text, at, end, depth)
        self._pending: list[tuple[Here, str, bool, bool]] = []

    @abstractmethod
    def command(self) -> Node:
        """Read any command."""

    def newlines(self) -> None:
        """Skip blanks, comments and newlines; read the here-documents that a newline starts."""
        while True:
            if found := _NEWLINES.match(self.text, self.at, self.end):
                self.at = found.end()
            if not self.text.startswith("\n", self.at, self.end):
                return
            self.at += 1
            if self._pending:
                self._here_bodies()

    def _here_bodies(self) -> None:
        pending, self._pending = self._pending, []
        for holder, delimiter, quoted, tabs in pending:
            start = at = self.at
            self.at = stop = self.end
            while at < self.end:
                newline = self.text.find("\n", at, self.end)
                line_end = newline if newline >= 0 else self.end
                line = self.text[at:line_end]
                if line == delimiter or line.strip() == delimiter:
                    stop, self.at = at, min(line_end + 1, self.end)
                    break
                at = line_end + 1
            self.here(holder, start, stop, quoted=quoted, tabs=tabs)

    def simple(self) -> Node:
        """Read assignments, words and redirections, or the definition of a function."""
        start = end = self.at
        assignments: list[Assignment] = []
        declared: list[Assignment] = []
        words: list[Word] = []
        redirections: list[Redirection] = []
        declaring = False
        while self.at < self.end:
            self.blank()
            if self.at >= self.end:
                break
            char = self.text[self.at]
            if char in "\n;)#|" or (char == "&" and not self._redirected()):
                break
            if char == "<" and self.angled():
                pass
            elif (char in "<>&" or char.isdigit()) and self._redirected():
                redirections.append(self._redirection())
                end = self.at
                continue
            if char == "(":
                if len(words) == 1 and not assignments and (name := self._defined(words[0])):
                    return self.definition(name)
                self.at += 1
                continue
            if not words or declaring:
                assignment = self._assignment()
                if assignment is not None:
                    (declared if words else assignments).append(assignment)
                    end = self.at
                    continue
            word = self.word()
            if word is None:
                self.at += 1
                continue
            if len(words) < MOST_WORDS:
                words.append(word)
            else:
                effort.skip()
            end = self.at
            if len(words) == 1:
                declaring = self.text[word.at : word.end] in _DECLARING
        return Simple(
            tuple(assignments), tuple(words), tuple(declared), tuple(redirections), start, end
        )

    def _defined(self, word: Word) -> str:
        """Return the name if `name ()` stands here, and pass the parentheses."""
        found = _FUNCTION.match(self.text, self.at, self.end)
        if found is None:
            return ""
        self.at = found.end()
        return self.text[word.at : word.end]

    def _assignment(self) -> Assignment | None:
        found = _ASSIGNMENT.match(self.text, self.at, self.end)
        if found is None:
            return None
        start = self.at
        self.at = found.end()
        append, indexed = bool(found["append"]), bool(found["index"])
        if self.text.startswith("(", self.at, self.end):
            self.at += 1
            elements = self._elements()
            empty = Word((), self.at, self.at)
            return Assignment(found["name"], append, empty, elements, start, indexed)
        value = self.word() or Word((), self.at, self.at)
        return Assignment(found["name"], append, value, None, start, indexed)

    def _elements(self) -> tuple[Word, ...]:
        start = self.at
        words: list[Word] = []
        while self.at < self.end:
            self.newlines()
            if self.text.startswith(")", self.at, self.end):
                self.at += 1
                return tuple(words)
            word = self.word()
            if word is None:
                self.at += 1
            elif len(words) < MOST_WORDS:
                words.append(word)
        self.lost(start)
        return tuple(words)

    def _redirected(self) -> re.Match[str] | None:
        return _REDIRECTION.match(self.text, self.at, self.end)

    def redirections(self) -> tuple[Redirection, ...]:
        """Read what follows a compound command."""
        found: list[Redirection] = []
        while True:
            self.blank()
            if not self._redirected():
                return tuple(found)
            found.append(self._redirection())

    def _redirection(self) -> Redirection:
        found = self._redirected()
        if found is None:  # the caller looked
            return Redirection("", None, None)
        operator = found["operator"] or found["both"]
        if operator.startswith("<<") and operator != "<<<":
            delimiter = _DELIMITER.match(self.text, found.end(), self.end)
            if delimiter is None or self.text.startswith("<<", found.end(), self.end):
                self.at = found.end()
                return Redirection("", None, None)
            self.at = delimiter.end()
            holder = Here()
            plain = _UNQUOTE.sub("", delimiter["text"])
            quoted = plain != delimiter["text"]
            self._pending.append((holder, plain, quoted, operator != "<<"))
            return Redirection("<<", None, holder)
        self.at = found.end()
        self.blank()
        if found["number"] not in {None, "1"} and operator.startswith(">"):
            operator = ""  # not the standard output
        return Redirection(operator, self.word(), None)

    def definition(self, name: str) -> Function:
        """Read the body of a function."""
        self.newlines()
        if self.depth >= DEEPEST:
            self.deep = True
            return Function(name, NOTHING)
        self.depth += 1
        body = self.command()
        self.depth -= 1
        return Function(name, body)
