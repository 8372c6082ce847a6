"""One file of one commit -> what it hands over: every format that reads it, put together."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.detect import sockets
from bot.detect.format import Format, ending, formats_of
from bot.detect.grant import Grant, How, Unknown
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.source import Source

_MOUNTED = frozenset({How.MOUNT, How.DIRECTORY, How.SWITCH, How.FILE_OBJECT, How.INHERITED})
_MENTION_BYTES = re.compile(
    rb"(?:docker|podman|containerd|crio|buildkitd)\.sock\b|docker_engine\b|use_api_socket"
)
_COMMENT = re.compile(r"\s*(?:#|//|--|;|<!--|\*|REM\b|\{\{[-~]?\s*(?:!|/\*)|\{#)", re.IGNORECASE)
# Where the container sees what is mounted, beside the line that says what of the host it is.
_OTHER_END = re.compile(
    r"[\s\-{\"']*(?:containerPath|mountPath|container|target|destination)[\"']?\s*:", re.IGNORECASE
)
_NEAR = (-2, -1, 1, 2)


@dataclass(frozen=True, slots=True)
class Detected:
    """What one file says. `formats` is empty where no format reads it."""

    formats: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    unknowns: tuple[Unknown, ...] = ()


NOTHING = Detected()


def detect(path: str, source: Source) -> Detected:
    """Return what the file at `path` hands over.

    Raises SourceError where the source could not be read, nothing else for any content.
    """
    data = source.read(path)
    if data is None:
        return NOTHING
    if len(data) > LARGEST:
        return _unread(path, data, f"larger than {LARGEST // 2**20} MiB, so it was not read")
    content = decode(data)
    if content is None:
        return _unread(path, data, "binary, so it was not read")
    names: list[str] = []
    grants: list[tuple[Grant, ...]] = []
    unknowns: list[Unknown] = []
    held = _Held(source, path, data)
    for form in _matching(path, content):
        names.append(form.name)
        found = tuple(form.grants(path, held))
        grants.append(tuple(one for one in found if isinstance(one, Grant)))
        unknowns.extend(one for one in found if isinstance(one, Unknown))
    if not any(grants):
        return Detected(tuple(names), (), tuple(dict.fromkeys(unknowns)))
    return Detected(tuple(names), _distinct(grants), tuple(dict.fromkeys(unknowns)))


def _matching(path: str, content: str) -> list[Format]:
    """Return the formats that read a file; last resorts only where no other one does."""
    last: list[Format] = []
    found: list[Format] = []
    for form in formats_of(ending(path)):
        if form.last_resort:
            last.append(form)
        elif form.matches(path, content):
            found.append(form)
    return found or [form for form in last if form.matches(path, content)]


class _Held:
    """A Source, one file of which was read already."""

    def __init__(self, source: Source, path: str, data: bytes) -> None:
        self._source = source
        self._path = path
        self._data = data

    def paths(self) -> Sequence[str]:
        return self._source.paths()

    def read(self, path: str) -> bytes | None:
        return self._data if path == self._path else self._source.read(path)


def _unread(path: str, data: bytes, why: str) -> Detected:
    found = _MENTION_BYTES.search(data)
    if found is None:
        return NOTHING
    line = data.count(b"\n", 0, found.start()) + 1
    mention = found[0].decode("ascii", "replace")
    reason = f"The file is {why}, and it mentions {mention}."
    return Detected(("unread",), (), (Unknown(path, line, reason, mention),))


def unread(path: str, text: Text, why: str, grants: Iterable[Grant]) -> Unknown | None:
    """Return the Unknown of a file that was read only by the tolerant reader, or None.

    None where each line that names a daemon is on the way of a grant that was found anyway, is the
    other end of such a mount, or is a comment. `why` is the parser's complaint, with its line.
    """
    known = {step.line for grant in grants for step in grant.steps if step.path == path}
    near = {line + distance for line in known for distance in _NEAR}
    if sockets.mentions(text.content) is None:
        return None
    for number in range(1, len(text) + 1):
        line = text.line(number)
        mention = sockets.mentions(line)
        told = number in known or (number in near and _OTHER_END.match(line))
        if mention and not told and not _COMMENT.match(line):
            reason = f"The file mentions {mention} but could not be parsed: {why}."
            return Unknown(path, number, reason, mention)
    return None


def _distinct(by_format: Iterable[Iterable[Grant]]) -> tuple[Grant, ...]:
    """Drop what says the same twice.

    A line that an earlier format has read already; an address (DOCKER_HOST=unix://…) inside a
    container that has the socket mounted anyway. What one format says several times counts as
    often: two mounts of one socket are two.
    """
    kept: list[Grant] = []
    for grants in by_format:
        taken = {(grant.path, grant.line, grant.resource) for grant in kept}
        kept += [g for g in grants if (g.path, g.line, g.resource) not in taken]
    mounted = {(g.path, g.subject, g.image) for g in kept if g.how in _MOUNTED and g.image}
    return tuple(
        grant
        for grant in kept
        if grant.how not in {How.ADDRESS, How.DECLARED}
        or "://" in grant.resource
        or (grant.path, grant.subject, grant.image) not in mounted
    )
