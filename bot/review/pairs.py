"""Pairing what the head grants with what the merge base grants; what stays unpaired was added."""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import islice

from bot.detect.grant import Grant, How, Step
from bot.review.anchor import Changes, says_it
from bot.review.covers import covers
from bot.review.model import SetAside

MOVED = "it was only renamed or moved: the same definition is gone elsewhere"
# What is put into an image's name: by a template, by a shell, by whatever reads the file.
_EXPRESSION = re.compile(
    r"\$?\{\{[^{}]*\}\}|\$\{[^{}]*\}|\$\(\w+\)|\$\w+|<%[^%]*%>|%\w+%|#\{[^{}]*\}"
)
_LONGEST = 500
_MOST_LOOKED_AT = 200  # grants alike, one of which may be the twin; what finds none stays added

Keys = tuple[Hashable, ...]
Likeness = Callable[[Grant, str], Keys]
_SAME = "the merge base has it too"
_NARROWER = "the same container already reaches more"


@dataclass(slots=True)
class Left:
    """Grants of both sides that nothing has paired yet."""

    base: list[Grant]
    head: list[Grant]


class _Pool:
    """Grants of the merge base that wait for a twin, found by keys that twins share."""

    def __init__(self, grants: Iterable[Grant], keys: Callable[[Grant], Keys]) -> None:
        self._keys = keys
        self._waiting = dict(enumerate(grants))
        self._numbers: dict[Hashable, dict[int, None]] = defaultdict(dict)
        for number, grant in self._waiting.items():
            for key in keys(grant):
                self._numbers[key][number] = None

    def take(self, key: Hashable, fits: Callable[[Grant], bool] | None = None) -> Grant | None:
        """Take the first grant with a key that fits, of not too many that are looked at."""
        for number in islice(self._numbers.get(key, ()), _MOST_LOOKED_AT):
            grant = self._waiting[number]
            if fits is None or fits(grant):
                del self._waiting[number]
                for one in self._keys(grant):
                    del self._numbers[one][number]
                return grant
        return None

    def rest(self) -> list[Grant]:
        """Return what still waits, in its order."""
        return list(self._waiting.values())


def pair_same(left: Left, old_names: dict[int, str], changes: Changes) -> list[SetAside]:
    """Pair grants of one fingerprint; of several, those on lines that nobody touched first."""

    def keys(old: Grant) -> Keys:
        name = old_names[id(old)]
        return name, (name, old.text.strip())

    pool = _Pool(left.base, keys)
    aside, unpaired = [], []
    for grant in sorted(left.head, key=lambda one: says_it(one, changes)):
        name = grant.fingerprint
        if pool.take((name, grant.text.strip())) or pool.take(name):
            aside.append(SetAside(grant, _SAME))
        else:
            unpaired.append(grant)
    left.base = pool.rest()
    left.head = unpaired
    return aside


def pair_moved(left: Left, new_name: dict[str, str], changes: Changes) -> list[SetAside]:
    """Pair what has another name or place now, its definition otherwise the same.

    What stands on lines that nobody touched goes first: `pair_same` leaves it in that order.
    """
    aside: list[SetAside] = []
    for likeness in (_same_definition, _same_step, _same_subject, _same_elsewhere, _same_lines):

        def keys(old: Grant, alike: Likeness = likeness) -> Keys:
            return alike(old, new_name.get(old.path) or old.path)

        pool = _Pool(left.base, keys)
        unpaired = []
        for grant in left.head:
            if likeness is _same_lines and says_it(grant, changes):
                unpaired.append(grant)
                continue
            fits = partial(_maybe, grant) if likeness is _same_subject else None
            found = (pool.take(key, fits) for key in likeness(grant, grant.path))
            if any(found):
                aside.append(SetAside(grant, MOVED))
            else:
                unpaired.append(grant)
        left.base, left.head = pool.rest(), unpaired
    return aside


def _same_definition(grant: Grant, _path: str) -> Keys:
    return ((grant.definition, grant.resource, grant.image),) if grant.definition else ()


def _same_step(grant: Grant, path: str) -> Keys:
    """Twins where only the name of a step, or its number, is another."""
    job = grant.subject.split(", step ")[0]
    return ((path, grant.resource, grant.image, job, grant.text.strip()),)


def _same_subject(grant: Grant, path: str) -> Keys:
    """Twins, perhaps: see `_maybe`."""
    return ((path, grant.resource, grant.subject),)


def _maybe(new: Grant, old: Grant) -> bool:
    """Tell whether a subject's image is gone, or may be the same, or matters to no job."""
    return _maybe_one(old.image, new.image) or _job(old, new)


def _same_elsewhere(grant: Grant, _path: str) -> Keys:
    """Twins whose subject of one name and image says the same in another file now."""
    if grant.image is None:
        return ()
    return ((grant.subject, grant.image, grant.resource, grant.text.strip()),)


def _same_lines(grant: Grant, path: str) -> Keys:
    """Twins where one image has what it had, on lines that nobody touched, by another name."""
    if grant.image is None:
        return ()
    return ((path, grant.resource, grant.image, grant.how, grant.text),)


def _job(old: Grant, new: Grant) -> bool:
    """Tell whether a job is pointed at a daemon as before: whichever image its commands run in."""
    return old.how is new.how is How.ADDRESS and new.subject.startswith("job ")


def _maybe_one(old: str | None, new: str | None) -> bool:
    """Tell whether the image is gone, or what is put into its name may make both of them one."""
    if new is None:
        return True
    return old is not None and (_may_be(old, new) or _may_be(new, old))


def _may_be(name: str, other: str) -> bool:
    """Tell whether a name that something is put into may come to another one."""
    around = _EXPRESSION.split(name[:_LONGEST])
    return len(around) > 1 and other.startswith(around[0]) and other.endswith(around[-1])


def pair_split(left: Left, same: list[SetAside], moved: list[SetAside]) -> list[SetAside]:
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
            aside.append(SetAside(grant, MOVED))
        else:
            kept.append(grant)
    left.head = kept
    return aside


def _direct(grant: Grant) -> bool:
    return grant.steps[0] == Step(grant.path, grant.line)


def _telling(grant: Grant) -> tuple[str, int, str, str | None]:
    first = grant.steps[0]
    return first.path, first.line, grant.resource, grant.image


def pair_narrower(left: Left, old_grants: list[Grant], new_name: dict[str, str]) -> list[SetAside]:
    """Set aside what the same container of the merge base could reach by a wider mount."""
    wide: dict[tuple[str, str, str | None], set[str]] = defaultdict(set)
    for grant in old_grants:
        path = new_name.get(grant.path) or grant.path
        known = wide[path, grant.subject, grant.image]
        if grant.resource.startswith("/") and len(known) < _MOST_LOOKED_AT:
            known.add(grant.resource)
    aside, kept = [], []
    for grant in left.head:
        known = wide.get((grant.path, grant.subject, grant.image), set())
        if any(covers(old, grant.resource) for old in known):
            aside.append(SetAside(grant, _NARROWER))
        else:
            kept.append(grant)
    left.head = kept
    return aside
