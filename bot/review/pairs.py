"""Pairing what the head grants with what the merge base grants; what stays unpaired was added."""

import re
from collections import defaultdict
from dataclasses import dataclass

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
_SAME = "the merge base has it too"
_NARROWER = "the same container already reaches more"


@dataclass(slots=True)
class Left:
    """Grants of both sides that nothing has paired yet."""

    base: list[Grant]
    head: list[Grant]


def pair_same(left: Left, old_names: dict[int, str], changes: Changes) -> list[SetAside]:
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


def pair_moved(left: Left, new_name: dict[str, str], changes: Changes) -> list[SetAside]:
    """Pair what has another name or place now, its definition otherwise the same.

    What stands on lines that nobody touched goes first: `pair_same` leaves it in that order.
    """
    aside: list[SetAside] = []
    for alike in (_same_definition, _same_command, _same_elsewhere, _same_lines):
        unpaired = []
        for grant in left.head:
            told = alike is _same_lines and says_it(grant, changes)
            twins = (old for old in left.base if not told and alike(old, grant, new_name))
            twin = next(twins, None)
            if twin is None:
                unpaired.append(grant)
            else:
                left.base.remove(twin)
                aside.append(SetAside(grant, MOVED))
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
    if old.subject == new.subject and (_maybe_one(old.image, new.image) or _job(old, new)):
        return True
    return (
        old.image == new.image
        and old.subject.split(", step ")[0] == new.subject.split(", step ")[0]
        and old.text.strip() == new.text.strip()
    )


def _same_elsewhere(old: Grant, new: Grant, _new_name: dict[str, str]) -> bool:
    """Tell whether a subject of one name and image says the same in another file now."""
    return (
        new.image is not None
        and (old.subject, old.image, old.resource) == (new.subject, new.image, new.resource)
        and old.text.strip() == new.text.strip()
    )


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


def _same_lines(old: Grant, new: Grant, new_name: dict[str, str]) -> bool:
    """Tell whether one image has what it had, on lines that nobody touched, by another name."""
    return (
        new.image is not None
        and (new_name.get(old.path) or old.path) == new.path
        and (old.resource, old.image, old.how) == (new.resource, new.image, new.how)
        and old.text == new.text
    )


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
