"""One finding -> an edit of the very lines it stands on that makes it go, or nothing.

An edit is offered only where it was tried: put into the file, the result is YAML, differs from
what was there by exactly what was meant, and the detector finds the grant gone and nothing new.
Where that is not certain, nothing is offered. Read-only is never offered: it changes nothing.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from bot.detect.engine import Detected, detect
from bot.detect.grant import Grant, How
from bot.detect.lines import Text
from bot.detect.source import Source
from bot.review.advice import Tool, known_tool
from bot.review.compose_edit import compose_edits
from bot.review.edit import Edits, applied, suggestion
from bot.review.model import Change, Finding, OnLine, Suggestion

_LARGEST = 64 * 1024  # bytes; a compose file that a person wrote is far below


def suggest(finding: Finding, head: Source, change: Change | None) -> Suggestion | None:
    """Return the edit that makes a finding go, None where none is certain to.

    `head` is the commit that holds it, `change` what the diff shows of its file. Raises
    SourceError.
    """
    place = finding.anchor
    if not isinstance(place, OnLine) or change is None or change.hunks is None:
        return None
    grant = finding.grant
    if finding.also or grant.path != place.path or grant.line != place.line:
        return None
    if any(step.path != place.path for step in grant.steps) or grant.how is not How.MOUNT:
        return None
    tool = known_tool(grant.image) if grant.image else None
    data = head.read(place.path)
    if tool is None or data is None or len(data) > _LARGEST:
        return None
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if content.startswith("\ufeff"):
        return None
    lines = content.split("\n")
    before: Detected | None = None
    for edits in _candidates(finding, tool, content, head):
        made = suggestion(place.path, edits, lines)
        if made is None or not _is_shown(made, change):
            continue
        before = before or detect(place.path, head)
        after = detect(place.path, _Edited(head, place.path, applied(content, made).encode()))
        if _is_gone(grant, before, after):
            return made
    return None


class _Edited:
    """A commit with one file changed."""

    def __init__(self, source: Source, path: str, data: bytes) -> None:
        self._source, self._path, self._data = source, path, data

    def paths(self) -> Sequence[str]:
        return self._source.paths()

    def read(self, path: str) -> bytes | None:
        return self._data if path == self._path else self._source.read(path)


def _is_shown(made: Suggestion, change: Change) -> bool:
    return any(
        hunk.start <= made.first and made.last < hunk.start + hunk.length
        for hunk in change.hunks or ()
    )


def _is_gone(grant: Grant, before: Detected, after: Detected) -> bool:
    wanted = Counter(one.fingerprint for one in before.grants)
    wanted.subtract([grant.fingerprint])
    found = Counter(one.fingerprint for one in after.grants)
    return found == +wanted and not set(after.unknowns) - set(before.unknowns)


def _candidates(finding: Finding, tool: Tool, content: str, head: Source) -> Iterator[Edits]:
    grant = finding.grant
    yield from compose_edits(grant, tool, content, head)
    if tool.needs_nothing:
        yield from _docker_run(grant, content)


_FLAG = re.compile(
    r"""(?<![^\s])(?:-v|--volume)(?:=|\s+)(?P<quote>["']?)[^\s"'`$;&|<>\\]*docker\.sock"""
    r"""[^\s"'`$;&|<>\\]*(?P=quote)(?=\s|$)[ \t]*"""
)


def _docker_run(grant: Grant, content: str) -> Iterator[Edits]:
    line = Text(content).line(grant.line)
    found = list(_FLAG.finditer(line))
    if len(found) != 1:
        return
    rest = line[: found[0].start()] + line[found[0].end() :]
    alone = rest.strip() in {"", "\\"}
    yield {grant.line: [] if alone else [rest]}
