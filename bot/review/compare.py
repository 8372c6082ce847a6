"""grants(head) - grants(merge base), as multisets of fingerprints: what a pull request adds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from bot.detect import effort
from bot.detect.engine import Detected, detect
from bot.detect.grant import Grant, How, Severity, Unknown
from bot.detect.lines import Text, decode
from bot.detect.sockets import mentions
from bot.detect.source import Source
from bot.review.affected import affected, in_scope, wanted
from bot.review.anchor import anchor, image_line
from bot.review.guards import is_guard
from bot.review.model import Anchor, Change, Finding, InSummary, OnFile, Review, SetAside
from bot.review.pairs import MOVED, Left, pair_moved, pair_narrower, pair_same, pair_split
from bot.review.renamed import renamed

__all__ = ["compare", "in_scope", "survey", "wanted"]

_GUARD = "it is a condition now for what the template mounted before"
_FEW = 200  # deleted files that are read anyway
_MOST_SWITCHES = 100  # of charts; what is left of more stays a finding
_MOST_FILES = 6  # that take as much effort as one file may
_IMPLICIT = "the platform grants it by itself, and the policy does not ask for such"


def compare(
    base: Source,
    head: Source,
    changes: Sequence[Change],
    *,
    implicit: bool = False,
    not_held: Callable[[Grant], bool] = lambda _: False,
) -> Review:
    """Return what the head grants and the merge base does not.

    `base` and `head` are the files of the two commits, `changes` every file that differs between
    them, renames paired. Files that did not change but refer to one that did are compared too.
    `implicit` asks for what a platform grants with no line that says so. What is `not_held` where
    it is was judged by nobody, so it makes nothing known in a place that is held. Raises
    SourceError.
    """
    by_new = {change.new: change for change in changes if change.new is not None}
    new_name = {change.old: change.new for change in changes if change.old and change.new}
    pairs = affected(head, changes)
    counted = _Counted()
    of_head = [counted.detect(new, head) for _, new in pairs if new is not None]
    of_base = [counted.detect(old, base) for old, new in pairs if old and new is not None]

    def named(grant: Grant) -> str:
        return grant.identity(new_name.get(grant.path) or grant.path)

    old_grants = [grant for found in of_base for grant in found.grants]
    gone = [old for old, new in pairs if old is not None and new is None]
    # Of very many files that are gone only what is new here could have been moved from one.
    if len(gone) <= _FEW or _more_than(of_head, map(named, old_grants)):
        old_grants += [grant for old in gone for grant in counted.detect(old, base).grants]
    new_grants = [grant for found in of_head for grant in found.grants]
    aside: list[SetAside] = []
    if not implicit:
        aside += [SetAside(grant, _IMPLICIT) for grant in new_grants if grant.implicit]
        new_grants = [grant for grant in new_grants if not grant.implicit]
        old_grants = [grant for grant in old_grants if not grant.implicit]
    old_names = {id(grant): named(grant) for grant in old_grants}

    def pair(left: Left) -> Left:
        known = list(left.base)
        same = pair_same(left, old_names, by_new)
        moved = pair_moved(left, new_name, by_new)
        pairs = renamed(left.base, left.head, new_name, by_new, (base, head))
        gone = {id(one) for pair in pairs for one in pair}
        left.base = [one for one in left.base if id(one) not in gone]
        left.head = [one for one in left.head if id(one) not in gone]
        moved += [SetAside(new, MOVED) for _, new in pairs]
        split = pair_split(left, same, moved)
        aside.extend((*same, *moved, *split, *pair_narrower(left, known, new_name)))
        both = [one.grant for one in same]
        switches = [grant for grant in left.head if grant.how is How.SWITCH][:_MOST_SWITCHES]
        guards = {id(one): one for one in switches if is_guard(one, both, base, head)}
        aside.extend(SetAside(grant, _GUARD) for grant in guards.values())
        left.head = [grant for grant in left.head if id(grant) not in guards]
        return left

    held_old, free_old = _parted(old_grants, not_held)
    held_new, free_new = _parted(new_grants, not_held)
    first = pair(Left(held_old, held_new))
    second = pair(Left([*free_old, *first.base], free_new))
    left = Left(second.base, [*first.head, *second.head])
    held = {(new_name.get(old.path) or old.path, old.subject, old.resource) for old in old_grants}
    shown: list[tuple[Grant, Anchor]] = []
    lines = _Lines(head)
    for grant in left.head:
        other_image = (grant.path, grant.subject, grant.resource) in held
        text = lines.of(grant.path) if other_image and grant.image else None
        line = image_line(grant, text, by_new) if text is not None else None
        shown.append((grant, anchor(grant, by_new, line, lines.name_a_socket)))
    found = _folded(shown)
    if found:
        from bot.review.remarks import remarked  # noqa: PLC0415 - start-up

        found = remarked(found, head, by_new)
    return Review(
        findings=found,
        unknowns=_new_unknowns(of_base, of_head, new_name),
        set_aside=tuple(aside),
        scanned=sum(1 for one in of_head if one.formats),
        removed=tuple(left.base),
    )


class _Counted:
    """Detects file by file, with as much effort for all of them as a few of the worst may take."""

    def __init__(self) -> None:
        self._left = _MOST_FILES * effort.MOST

    def detect(self, path: str, source: Source) -> Detected:
        found = detect(path, source, min(effort.MOST, self._left))
        self._left -= found.units
        return found


def _more_than(of_head: Iterable[Detected], known: Iterable[str]) -> bool:
    """Tell whether the head's files grant anything that is not among the known fingerprints."""
    left = Counter(grant.fingerprint for found in of_head for grant in found.grants)
    return bool(left - Counter(known))


def _parted(grants: list[Grant], apart: Callable[[Grant], bool]) -> tuple[list[Grant], list[Grant]]:
    return [one for one in grants if not apart(one)], [one for one in grants if apart(one)]


class _Lines:
    """The lines of the head's files, read when something asks for them."""

    def __init__(self, head: Source) -> None:
        self._head = head
        self._texts: dict[str, Text] = {}

    def of(self, path: str) -> Text:
        """Return the text of a file, an empty one where it cannot be read."""
        if path not in self._texts:
            self._texts[path] = Text(decode(self._head.read(path) or b"") or "")
        return self._texts[path]

    def name_a_socket(self, path: str, line: int) -> bool:
        """Tell whether a line spells a socket, or a switch for one, out."""
        text = self.of(path)
        return line <= len(text) and mentions(text.line(line)) is not None


def survey(source: Source, paths: Iterable[str], *, implicit: bool = False) -> Review:
    """Return every grant of one commit or folder, each shown where its subject says it."""
    found = [detect(path, source) for path in paths if in_scope(path)]
    shown: list[tuple[Grant, Anchor]] = [
        (grant, InSummary())
        for one in found
        for grant in one.grants
        if implicit or not grant.implicit
    ]
    return Review(
        findings=tuple(Finding(grant, place) for grant, place in shown),
        unknowns=tuple(unknown for one in found for unknown in one.unknowns),
        scanned=sum(1 for one in found if one.formats),
    )


_GRAVITY = {Severity.CRITICAL: 0, Severity.HIGH: 1}


def _folded(shown: list[tuple[Grant, Anchor]]) -> tuple[Finding, ...]:
    """Make one finding of what stands on one line, the gravest grant first."""
    together: dict[tuple[object, ...], list[Grant]] = defaultdict(list)
    for grant, place in shown:
        match place:
            case OnFile() | InSummary():
                key: tuple[object, ...] = (place, grant.path, grant.line)
            case _:
                key = (place,)
        together[key].append(grant)
    findings = []
    for key, grants in together.items():
        first, *also = sorted(grants, key=lambda g: (_GRAVITY[g.severity], g.resource[:1] == "/"))
        findings.append(Finding(first, key[0], tuple(also)))  # type: ignore[arg-type]
    return tuple(sorted(findings, key=lambda one: (one.path, one.line, one.fingerprint)))


def _new_unknowns(
    of_base: list[Detected], of_head: list[Detected], new_name: dict[str, str]
) -> tuple[Unknown, ...]:
    """Return the unknowns that the merge base does not have, as multisets of what is mentioned."""
    old = Counter(
        (new_name.get(unknown.path) or unknown.path, unknown.mentions, unknown.digest)
        for found in of_base
        for unknown in found.unknowns
    )
    fresh = []
    for found in of_head:
        for unknown in found.unknowns:
            key = (unknown.path, unknown.mentions, unknown.digest)
            if old[key]:
                old[key] -= 1
            else:
                fresh.append(unknown)
    return tuple(fresh)
