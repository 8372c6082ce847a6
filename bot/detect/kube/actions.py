"""The actions `{{ … }}` of a Go template: where they stand and what they are made of.

Source: Go's text/template ("Actions"); nothing is rendered.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort

_CONTROL = re.compile(r"(?:if|else|end|range|with|define|block|break|continue)\b")
_COMMENT = re.compile(r"/\*")
_ASSIGNMENT = re.compile(r"\$\w*\s*(?:,\s*\$\w+\s*)?:?=")
_DEFINE = re.compile(r"(?:define|block)\s+[\"`](?P<name>[^\"`]+)[\"`]")
_TOKEN = re.compile(
    r"\"(?:\\.|[^\"\\])*\"|`[^`]*`|'(?:\\.|[^'\\])*'|\(|\)|\||:=|=|,"
    r"|\$?[\w]*(?:\.\w+)+|\$\w*|\.|[\w+-]+"
)
_NOT_LINE_END = re.compile(r"[^\n]")
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Action:
    """One `{{ … }}`."""

    start: int  # offset of the braces that open it
    end: int  # offset after those that close it
    body: str  # what is between, without trim markers

    @property
    def control(self) -> str:
        """The word that makes it part of the template's structure: "if", "end", …; else ""."""
        found = _CONTROL.match(self.body)
        return found[0] if found else ""

    @property
    def silent(self) -> bool:
        """Whether it writes nothing: a comment, an assignment, a part of the structure."""
        return (
            bool(self.control or _COMMENT.match(self.body) or _ASSIGNMENT.match(self.body))
            or not self.body
        )

    @property
    def defines(self) -> str:
        """The name of the template that it opens, or ""."""
        found = _DEFINE.match(self.body)
        return found["name"] if found else ""


def actions(content: str, start: int = 0, end: int | None = None) -> Iterator[Action]:
    """Yield the actions between two offsets, in order; a bounded number of them."""
    until = len(content) if end is None else end
    at = start
    for _ in range(_MOST):
        opened = content.find("{{", at, until)
        closed = content.find("}}", opened + 2, until) if opened >= 0 else -1
        if closed < 0:
            return
        body = content[opened + 2 : closed].removeprefix("-").removesuffix("-").strip()
        at = closed + 2
        yield Action(opened, at, body)
    effort.skip()


def tokens(body: str) -> list[str]:
    """Split an action's body into words, strings and punctuation."""
    return _TOKEN.findall(body[:4_000])


def without_structure(content: str) -> str:
    """Return a template as YAML-like text of the same size, line by line.

    What only steers the engine is blanked at the edges of a line; a named template that starts is a
    new document. What fills in a value stays as it is.
    """
    parts: list[str] = []
    at = 0
    for action in actions(content):
        if not _edge(content, action):
            continue
        kept = content[action.start : action.end]
        if action.defines and not content[content.rfind("\n", 0, action.start) + 1 : action.start]:
            new = "---" + _NOT_LINE_END.sub(" ", kept[3:])
        elif action.silent or "\n" in kept:
            new = _NOT_LINE_END.sub(" ", kept)
        else:
            continue
        parts += (content[at : action.start], new)
        at = action.end
    return "".join((*parts, content[at:]))


def _edge(content: str, action: Action) -> bool:
    """Tell whether only blanks or other actions stand before an action on its line, or after."""
    line = content.rfind("\n", 0, action.start) + 1
    before = content[max(line, action.start - 400) : action.start].rstrip()
    stop = content.find("\n", action.end, action.end + 400)
    after = content[action.end : stop if stop >= 0 else action.end + 400].lstrip()
    return not before or (before.endswith("}}") and before.lstrip().startswith("{{")) or not after
