"""Shell text -> a tree of commands.

Grammar: POSIX.1-2024 "Shell Command Language" sections 2.9 and 2.10, and the Bash reference manual
for `[[ … ]]`, `function`, `select` and arrays. Nothing is refused: a stray `fi` or `)` is passed
over, a construct that never ends goes on to the end.
"""

import re
from typing import NamedTuple

from bot.detect.patterns import pattern
from bot.detect.shell.cursor import DEEPEST
from bot.detect.shell.plain import plain_commands
from bot.detect.shell.simple import MOST_WORDS, SimpleReader
from bot.detect.shell.tree import (
    NOTHING,
    Branches,
    Chain,
    Function,
    Group,
    Literal,
    Loop,
    Node,
    Pipeline,
    Sequence,
    Simple,
    Word,
)

_KEYWORD = pattern(
    r"(?:if|then|elif|else|fi|case|esac|for|select|while|until|do|done|function|time|coproc"
    r"|\{|\}|!|\[\[)(?=[\s;&|()<>]|\Z)"
)
_NAMED = pattern(r"[ \t]*([^\s;&|()<>]+)(?:[ \t]*\([ \t]*\))?")
_CLOSERS = frozenset({"then", "elif", "else", "fi", "esac", "do", "done", "}"})
_ARITHMETIC = pattern(r"[\w\s$+\-*/%<>=!&|^~?:,.\[\]{}#@'\"]*", re.ASCII)


class Reader(SimpleReader):
    """Reads commands from `text[at:end]`."""

    def __init__(self, text: str, at: int = 0, end: int | None = None, depth: int = 0) -> None:
        super().__init__(text, at, end, depth)
        self._awaited: list[frozenset[str]] = []

    def script(self) -> Node:
        """Read everything."""
        return self._sequence(frozenset(), paren=False)

    def commands_until_paren(self) -> Node:
        """Read commands and the `)` that ends them."""
        start = self.at
        awaited, self._awaited = self._awaited, []
        body = self._sequence(frozenset(), paren=True)
        self._awaited = awaited
        if self.text.startswith(")", self.at, self.end):
            self.at += 1
        else:
            self.lost(start)
        return body

    def commands_between(self, at: int, end: int) -> Node:
        """Read commands from a part of the text."""
        inner = Reader(self.text, at, end, self.depth + 1)
        body = inner.script()
        if inner.unfinished is not None:
            self.lost(inner.unfinished)
        self.deep |= inner.deep
        return body

    # -- between commands ------------------------------------------------------------------------

    def _keyword(self) -> str:
        found = _KEYWORD.match(self.text, self.at, self.end)
        return found[0] if found else ""

    def _sequence(self, stops: frozenset[str], *, paren: bool, arm: bool = False) -> Node:
        """Read commands up to one of `stops`, to `)` if `paren`, to `;;` if `arm`; pass none."""
        items: list[Node] = []
        self._awaited.append(stops)
        while self.at < self.end:
            self.newlines()
            if self.at >= self.end:
                break
            char = self.text[self.at]
            if char == ";":
                if arm and self.text.startswith((";;", ";&"), self.at, self.end):
                    break
                self.at += 1
                continue
            if char == ")":
                if paren or arm:
                    break
                self.at += 1
                continue
            if char in "&|":
                if char == "&" and self.text.startswith("&>", self.at, self.end):
                    items.append(self.simple())
                else:
                    self.at += 1
                continue
            keyword = self._keyword()
            if keyword in _CLOSERS:
                if any(keyword in awaited for awaited in self._awaited):
                    break
                self.at += len(keyword)
                continue
            start = self.at
            items.append(self._chain())
            if self.at == start:
                self.at += 1
        self._awaited.pop()
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _chain(self) -> Node:
        first = self._pipeline()
        rest: list[Node] = []
        while True:
            self.blank()
            if not self.text.startswith(("&&", "||"), self.at, self.end):
                break
            self.at += 2
            self.newlines()
            start = self.at
            rest.append(self._pipeline())
            if self.at == start:
                break
        return Chain(first, tuple(rest)) if rest else first

    def _pipeline(self) -> Node:
        stages = [self.command()]
        while True:
            self.blank()
            if not self.text.startswith("|", self.at, self.end) or self.text.startswith(
                "||", self.at, self.end
            ):
                break
            self.at += 2 if self.text.startswith("|&", self.at, self.end) else 1
            self.newlines()
            start = self.at
            stages.append(self.command())
            if self.at == start:
                break
        return stages[0] if len(stages) == 1 else Pipeline(tuple(stages))

    # -- commands --------------------------------------------------------------------------------

    def command(self) -> Node:
        """Read a compound or a simple command."""
        self.blank()
        while (keyword := self._keyword()) in {"!", "time", "coproc"}:
            self.at += len(keyword)
            self.blank()
        if self.depth >= DEEPEST:
            self.deep = True
            while self.text.startswith("(", self.at, self.end):
                self.at += 1
                self.blank()
            if keyword and keyword != "[[":
                self.at += len(keyword)
            return self.simple()
        self.depth += 1
        node = self._compound(keyword)
        self.depth -= 1
        if node is None:
            return self.simple()
        if isinstance(node, Function):
            return node
        redirections = self.redirections()
        if redirections and isinstance(node, Group):
            return node._replace(redirections=redirections)
        return Group(node, redirections, subshell=False) if redirections else node

    def _compound(self, keyword: str) -> Node | None:
        if self.text.startswith("(", self.at, self.end):
            return self._parenthesis()
        if not keyword or keyword in _CLOSERS:
            return None
        if keyword == "[[" and self.find("]]", self.at) >= self.end:
            return None
        start = self.at
        self.at += len(keyword)
        match keyword:
            case "{":
                body = self._sequence(frozenset("}"), paren=False)
                self._pass("}")
                return Group(body, (), subshell=False)
            case "if":
                return self._if()
            case "case":
                return self._case()
            case "for" | "select":
                return self._for(start)
            case "while" | "until":
                test = self._sequence(frozenset({"do"}), paren=False)
                return Loop("", (), test, self._do(), start)
            case "function":
                return self._function()
            case _:
                return self._test(start)

    def _pass(self, keyword: str) -> bool:
        if self._keyword() != keyword:
            return False
        self.at += len(keyword)
        return True

    def _parenthesis(self) -> Node:
        if self.text.startswith("((", self.at, self.end):
            stop = self.find("))", self.at)
            line = self.find("\n", self.at)
            if stop < min(line, self.end) and _ARITHMETIC.fullmatch(self.text, self.at + 2, stop):
                self.at = stop + 2
                return NOTHING
        self.at += 1
        return Group(self.commands_until_paren(), (), subshell=True)

    def _if(self) -> Node:
        tests: list[Node] = []
        arms: list[Node] = []
        exhaustive = False
        arm = frozenset({"elif", "else", "fi"})
        while True:
            tests.append(self._sequence(frozenset({"then"}) | arm, paren=False))
            self._pass("then")
            arms.append(self._sequence(arm, paren=False))
            if not self._pass("elif"):
                break
        while self._pass("else"):
            exhaustive = True
            arms.append(self._sequence(arm, paren=False))
        self._pass("fi")
        return Branches(tuple(tests), tuple(arms), exhaustive)

    def _case(self) -> Node:
        self.blank()
        self.word()
        self.newlines()
        if self.text.startswith("in", self.at, self.end):
            self.at += 2
        arms: list[Node] = []
        exhaustive = False
        stops = frozenset({"esac"})
        while self.at < self.end:
            self.newlines()
            if self._pass("esac"):
                break
            start = self.at
            exhaustive |= self._pattern()
            arms.append(self._sequence(stops, paren=False, arm=True))
            while self.text.startswith((";", "&"), self.at, self.end):
                self.at += 1
            if self.at == start or (self._keyword() in _CLOSERS and self._keyword() != "esac"):
                break
        return Branches((), tuple(arms), exhaustive)

    def _pattern(self) -> bool:
        """Read `a | b)` and say whether it takes anything."""
        start = self.at
        while self.at < self.end:
            self.blank()
            char = self.text[self.at : self.at + 1]
            if char in {"(", "|"}:
                self.at += 1
            elif char == ")":
                taken = self.text[start : self.at].strip(" \t(")
                self.at += 1
                return taken == "*"
            elif self.word() is None:
                break
        return False

    def _for(self, start: int) -> Node:
        self.blank()
        if self.text.startswith("((", self.at, self.end):
            self.at = min(self.find("))", self.at) + 2, self.end)
            return Loop("", (), None, self._do(), start)
        found = _NAMED.match(self.text, self.at, self.end)
        name = ""
        if found:
            name = found[1]
            self.at = found.end(1)
        self.newlines()
        words: list[Word] = []
        if self.text.startswith("in", self.at, self.end):
            self.at += 2
            self.blank()
            while (word := self.word()) is not None:
                if len(words) < MOST_WORDS:
                    words.append(word)
                self.blank()
        return Loop(name, tuple(words), None, self._do(), start)

    def _do(self) -> Node:
        self.newlines()
        while self.text.startswith(";", self.at, self.end):
            self.at += 1
            self.newlines()
        if self._pass("{"):
            body = self._sequence(frozenset("}"), paren=False)
            self._pass("}")
            return body
        self._pass("do")
        body = self._sequence(frozenset({"done"}), paren=False)
        self._pass("done")
        return body

    def _function(self) -> Node | None:
        found = _NAMED.match(self.text, self.at, self.end)
        if found is None:
            return None
        self.at = found.end()
        return self.definition(found[1])

    def _test(self, start: int) -> Node:
        """Read `[[ … ]]`; only what runs inside it matters."""
        words = [Word((Literal("[[", start, quoted=False),), start, self.at)]
        close = self.find("]]", self.at)
        while self.at < close:
            self.newlines()
            word = self.word()
            if word is None:
                self.at += 1
            elif len(words) < MOST_WORDS:
                words.append(word)
        self.at = max(self.at, min(close + 2, self.end))
        return Simple((), tuple(words), (), (), start, self.at)


class Read(NamedTuple):
    """A script that was read."""

    tree: Node
    unfinished: int | None  # where something began that never ends
    deep: bool  # some of it is nested too deep to be followed


def read(text: str) -> Read:
    """Read a script."""
    plain = plain_commands(text)
    if plain is not None:
        return Read(plain, None, deep=False)
    reader = Reader(text)
    tree = reader.script()
    return Read(tree, reader.unfinished, reader.deep)
