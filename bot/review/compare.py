"""grants(head) - grants(merge base), as multisets of fingerprints: what a pull request adds."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from bot.detect.engine import Detected, detect
from bot.detect.grant import Grant, Severity, Step, Unknown
from bot.detect.lines import Text, decode
from bot.detect.sockets import mentions
from bot.detect.source import Source
from bot.review.affected import affected, in_scope, wanted
from bot.review.anchor import Changes, anchor, image_line, says_it
from bot.review.covers import covers
from bot.review.guards import is_guard
from bot.review.model import Anchor, Change, Finding, InSummary, OnFile, Review, SetAside
from bot.review.renamed import renamed

__all__ = ["compare", "in_scope", "survey", "wanted"]

_SAME = "the merge base has it too"
_MOVED = "it was only renamed or moved: the same definition is gone elsewhere"
_GUARD = "it is a condition now for what the template mounted before"
_NARROWER = "the same container already reaches more"
_FEW = 200  # deleted files that are read anyway
_IMPLICIT = "the platform grants it by itself, and the policy does not ask for such"


@dataclass(slots=True)
class _Left:
    """Grants of both sides that nothing has paired yet."""

    base: list[Grant]
    head: list[Grant]


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
    of_head = [detect(new, head) for _, new in pairs if new is not None]
    of_base = [detect(old, base) for old, new in pairs if old is not None and new is not None]

    def named(grant: Grant) -> str:
        return grant.identity(new_name.get(grant.path) or grant.path)

    old_grants = [grant for found in of_base for grant in found.grants]
    gone = [old for old, new in pairs if old is not None and new is None]
    # Of very many files that are gone only what is new here could have been moved from one.
    if len(gone) <= _FEW or _more_than(of_head, map(named, old_grants)):
        old_grants += [grant for old in gone for grant in detect(old, base).grants]
    new_grants = [grant for found in of_head for grant in found.grants]
    aside: list[SetAside] = []
    if not implicit:
        aside += [SetAside(grant, _IMPLICIT) for grant in new_grants if grant.implicit]
        new_grants = [grant for grant in new_grants if not grant.implicit]
        old_grants = [grant for grant in old_grants if not grant.implicit]
    old_names = {id(grant): named(grant) for grant in old_grants}

    def pair(left: _Left) -> _Left:
        known = list(left.base)
        same = _pair_same(left, old_names, by_new)
        moved = _pair_moved(left, new_name, by_new)
        for old, new in renamed(left.base, left.head, new_name, by_new, (base, head)):
            left.base.remove(old)
            left.head.remove(new)
            moved.append(SetAside(new, _MOVED))
        split = _pair_split(left, same, moved)
        aside.extend((*same, *moved, *split, *_pair_narrower(left, known, new_name)))
        both = [one.grant for one in same]
        guards = [grant for grant in left.head if is_guard(grant, both, base, head)]
        aside.extend(SetAside(grant, _GUARD) for grant in guards)
        left.head = [grant for grant in left.head if grant not in guards]
        return left

    held_old, free_old = _parted(old_grants, not_held)
    held_new, free_new = _parted(new_grants, not_held)
    first = pair(_Left(held_old, held_new))
    second = pair(_Left([*free_old, *first.base], free_new))
    left = _Left(second.base, [*first.head, *second.head])
    held = {(new_name.get(old.path) or old.path, old.subject, old.resource) for old in old_grants}
    shown: list[tuple[Grant, Anchor]] = []
    lines = _Lines(head)
    for grant in left.head:
        other_image = (grant.path, grant.subject, grant.resource) in held
        line = _image_line(grant, head, by_new) if other_image and grant.image else None
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

    def name_a_socket(self, path: str, line: int) -> bool:
        """Tell whether a line spells a socket, or a switch for one, out."""
        if path not in self._texts:
            self._texts[path] = Text(decode(self._head.read(path) or b"") or "")
        text = self._texts[path]
        return line <= len(text) and mentions(text.line(line)) is not None


def _image_line(grant: Grant, head: Source, changes: Changes) -> int | None:
    """Return the added line that names the image of a subject that had another one."""
    content = decode(head.read(grant.path) or b"")
    return image_line(grant, Text(content), changes) if content is not None else None


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


def _pair_same(left: _Left, old_names: dict[int, str], changes: Changes) -> list[SetAside]:
    """Pair grants of one fingerprint; of several, those on lines that nobody touched first."""
    old: dict[str, list[Grant]] = defaultdict(list)
    for grant in left.base:
        old[old_names[id(grant)]].append(grant)
    aside, unpaired = [], []
    for grant in sorted(left.head, key=lambda one: says_it(one, changes)):
        candidates = old.get(grant.fingerprint)
        if candidates:
            same_text = (g for g in candidates if g.text.strip() == grant.text.strip())
            candidates.remove(next(same_text, candidates[0]))
            aside.append(SetAside(grant, _SAME))
        else:
            unpaired.append(grant)
    left.base = [grant for grants in old.values() for grant in grants]
    left.head = unpaired
    return aside


def _pair_moved(left: _Left, new_name: dict[str, str], changes: Changes) -> list[SetAside]:
    """Pair what has another name or place now, its definition otherwise the same.

    What stands on lines that nobody touched goes first: `_pair_same` leaves it in that order.
    """
    aside: list[SetAside] = []
    for alike in (_same_definition, _same_command, _same_lines):
        unpaired = []
        for grant in left.head:
            told = alike is _same_lines and says_it(grant, changes)
            twins = (old for old in left.base if not told and alike(old, grant, new_name))
            twin = next(twins, None)
            if twin is None:
                unpaired.append(grant)
            else:
                left.base.remove(twin)
                aside.append(SetAside(grant, _MOVED))
        left.head = unpaired
    return aside


def _same_definition(old: Grant, new: Grant, _new_name: dict[str, str]) -> bool:
    return (
        bool(new.definition)
        and old.definition == new.definition
        and old.resource == new.resource
        and old.image == new.image
    )


def _same_command(old: Grant, new: Grant, new_name: dict[str, str]) -> bool:
    """Tell whether only the name of a step, or its number, is another, or its image is gone."""
    if (new_name.get(old.path) or old.path) != new.path or old.resource != new.resource:
        return False
    if new.image is None and old.subject == new.subject:
        return True
    return (
        old.image == new.image
        and old.subject.split(", step ")[0] == new.subject.split(", step ")[0]
        and old.text.strip() == new.text.strip()
    )


def _same_lines(old: Grant, new: Grant, new_name: dict[str, str]) -> bool:
    """Tell whether one image has what it had, on lines that nobody touched, by another name."""
    return (
        new.image is not None
        and (new_name.get(old.path) or old.path) == new.path
        and (old.resource, old.image, old.how) == (new.resource, new.image, new.how)
        and old.text == new.text
    )


def _pair_split(left: _Left, same: list[SetAside], moved: list[SetAside]) -> list[SetAside]:
    """Set aside what is one text in two files now: one refers to it, the other one holds it.

    A file that was split: what refers (`include`, `extends`, COMPOSE_FILE) is what was there, so
    the text that it leads to is no further grant; or the text was moved, and so is what refers.
    """
    through = {
        (step.path, step.line, one.grant.resource, one.grant.image)
        for one in (*same, *moved)
        for step in one.grant.steps
        if step.path != one.grant.path
    }
    direct = {_telling(one.grant) for one in moved if _direct(one.grant)}
    aside, kept = [], []
    for grant in left.head:
        elsewhere = grant.steps[0].path != grant.path
        if _telling(grant) in (direct if elsewhere else through if _direct(grant) else ()):
            aside.append(SetAside(grant, _MOVED))
        else:
            kept.append(grant)
    left.head = kept
    return aside


def _direct(grant: Grant) -> bool:
    return grant.steps[0] == Step(grant.path, grant.line)


def _telling(grant: Grant) -> tuple[str, int, str, str | None]:
    first = grant.steps[0]
    return first.path, first.line, grant.resource, grant.image


def _pair_narrower(
    left: _Left, old_grants: list[Grant], new_name: dict[str, str]
) -> list[SetAside]:
    """Set aside what the same container of the merge base could reach by a wider mount."""
    wide: dict[tuple[str, str, str | None], list[Grant]] = defaultdict(list)
    for grant in old_grants:
        path = new_name.get(grant.path) or grant.path
        wide[path, grant.subject, grant.image].append(grant)
    aside, kept = [], []
    for grant in left.head:
        known = wide.get((grant.path, grant.subject, grant.image), [])
        if any(covers(old.resource, grant.resource) for old in known):
            aside.append(SetAside(grant, _NARROWER))
        else:
            kept.append(grant)
    left.head = kept
    return aside


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
        (new_name.get(unknown.path) or unknown.path, unknown.mentions)
        for found in of_base
        for unknown in found.unknowns
    )
    fresh = []
    for found in of_head:
        for unknown in found.unknowns:
            key = (unknown.path, unknown.mentions)
            if old[key]:
                old[key] -= 1
            else:
                fresh.append(unknown)
    return tuple(fresh)
