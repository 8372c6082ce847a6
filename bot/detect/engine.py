"""One file of one commit -> what it hands over: every format that reads it, put together."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain

from bot.detect import effort, sockets
from bot.detect.effort import Effort, ExceededError
from bot.detect.format import Format, ending, formats_of
from bot.detect.grant import Grant, How, Unknown
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.positioned import Tree
from bot.detect.source import Source

_MOUNTED = frozenset({How.MOUNT, How.DIRECTORY, How.SWITCH, How.FILE_OBJECT, How.INHERITED})
_MENTION_BYTES = re.compile(
    rb"(?:docker|podman|containerd|crio|buildkitd)\.sock\b|docker_engine\b|use_api_socket"
)
_PATH_SIGN = re.compile(rb"[/\\]")
_COMMENT = re.compile(r"\s*(?:#|//|--|;|<!--|\*|REM\b|\{\{[-~]?\s*(?:!|/\*)|\{#)", re.IGNORECASE)
# Where the container sees what is mounted, beside the line that says what of the host it is.
_OTHER_END = re.compile(
    r"[\s\-{\"']*(?:containerPath|mountPath|container|target|destination)[\"']?\s*:", re.IGNORECASE
)
_NEAR = (-2, -1, 1, 2)
_LEFT_OUT = (
    "The file asks for more than is followed, by aliases, loops, files that it takes in or its "
    "mere size, so it was not read to its end. Split it, or say less by reference."
)


@dataclass(frozen=True, slots=True)
class Detected:
    """What one file says. `formats` is empty where no format reads it."""

    formats: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    units: int = field(default=0, compare=False)  # of effort that it took


NOTHING = Detected()


def detect(path: str, source: Source, most: int = effort.MOST) -> Detected:
    """Return what the file at `path` hands over; `most` says how many units of effort it may take.

    Raises SourceError where the source could not be read, nothing else for any content.
    """
    data = source.read(path)
    if data is None:
        return NOTHING
    if len(data) > LARGEST:
        return _too_large(path, data)
    content = decode(data)
    if content is None:
        return _unread(path, data, "binary, so it was not read")
    names: list[str] = []
    grants: list[list[Grant]] = []
    unknowns: list[Unknown] = []
    held = _Held(source, path, data)
    spent = Effort(most)
    with spent.counted():
        for form in _matching(path, content):
            names.append(form.name)
            found: list[Grant] = []
            grants.append(found)
            with suppress(ExceededError):
                for one in form.grants(path, held):
                    effort.spend(effort.GRANT)
                    if isinstance(one, Grant):
                        found.append(one)
                    else:
                        unknowns.append(one)
    if spent.skipped:
        unknowns.append(_left_out(path, Text(content), chain.from_iterable(grants)))
    units = most - max(0, spent.left)
    kept = _distinct(grants) if any(grants) else ()
    return Detected(tuple(names), kept, tuple(dict.fromkeys(unknowns)), units)


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


def _too_large(path: str, data: bytes) -> Detected:
    """Return the Unknown of a file that is not read for its size.

    It need not mention a socket: any file that a format would read may mount a directory with one.
    """
    why = f"larger than {LARGEST // 2**20} MiB, so it was not read"
    found = _unread(path, data, why)
    if found is not NOTHING:
        (unknown,) = found.unknowns
        return replace(found, unknowns=(replace(unknown, digest=_digest(data)),))
    claimed = _PATH_SIGN.search(data) and _matching(path, data[:LARGEST].decode("utf-8", "replace"))
    if not claimed:
        return NOTHING
    reason = f"The file is {why}. Split it, or move what is no configuration elsewhere."
    unknown = Unknown(path, None, reason, "", _digest(data))
    return Detected(tuple(form.name for form in claimed), (), (unknown,))


def _unread(path: str, data: bytes, why: str) -> Detected:
    found = _MENTION_BYTES.search(data)
    if found is None:
        return NOTHING
    line = data.count(b"\n", 0, found.start()) + 1
    mention = found[0].decode("ascii", "replace")
    reason = f"The file is {why}, and it mentions {mention}."
    return Detected(("unread",), (), (Unknown(path, line, reason, mention),))


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:24]


def _left_out(path: str, text: Text, grants: Iterable[Grant]) -> Unknown:
    """Return the Unknown of a file of which something was left out.

    It may say anything there, so it is told whatever the rest mentions, and again whenever the file
    is another one.
    """
    line, mention = _untold(text, grants) or (None, "")
    digest = _digest(text.content.encode("utf-8", "replace"))
    return Unknown(path, line, _LEFT_OUT, mention, digest)


def told(path: str, tree: Tree, grants: Iterable[Grant]) -> Iterator[Grant | Unknown]:
    """Yield the grants of a file one by one, and what could not be read where its tree is no whole.

    An Unknown comes last, as `unread` returns it.
    """
    found: list[Grant] = []
    for grant in grants:
        found.append(grant)
        yield grant
    if tree.problem is not None:
        why = f"line {tree.problem.line}: {tree.problem.message}"
        unknown = unread(path, tree.text, why, found)
        if unknown is not None:
            yield unknown


def unread(path: str, text: Text, why: str, grants: Iterable[Grant]) -> Unknown | None:
    """Return the Unknown of a file that was read only by the tolerant reader, or None.

    None where each line that names a daemon is on the way of a grant that was found anyway, is the
    other end of such a mount, or is a comment. `why` is the parser's complaint, with its line.
    """
    found = _untold(text, grants)
    if found is None:
        return None
    line, mention = found
    reason = f"The file mentions {mention} but could not be parsed: {why}."
    return Unknown(path, line, reason, mention)


def _untold(text: Text, grants: Iterable[Grant]) -> tuple[int, str] | None:
    """Return the first line that names a daemon and is on no grant's way, and what it names."""
    known = {s.line for one in grants for s in one.steps if s.path == one.path}
    near = {line + distance for line in known for distance in _NEAR}
    if sockets.mentions(text.content) is None:
        return None
    for number in range(1, len(text) + 1):
        line = text.line(number)
        mention = sockets.mentions(line)
        told = number in known or (number in near and _OTHER_END.match(line))
        if mention and not told and not _COMMENT.match(line):
            return number, mention
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
