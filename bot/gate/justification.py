"""The history of a label -> a justification that counts, or why it does not (GATE.md).

Every condition is here and nowhere else: who put the label on, what they may, and what had been
shown red before.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.gate.cover import is_covered
from bot.gate.facts import CheckRun, Facts, LabelEvent, Role, was_replaced
from bot.gate.policy import Policy

_REASON = re.compile(
    r"^\s*(?:[-*]\s*)?\**reason\**\s*:\s*\**\s*(?P<why>\S.*)$", re.IGNORECASE | re.MULTILINE
)
_SHORTEST_REASON = 10
_YOUNG = timedelta(minutes=1)  # GitHub may show a label before it lists who put it on


class Why(StrEnum):
    """Why a label does not count."""

    NOBODY = "the account that put the label on is gone"
    NOT_A_PERSON = "an App or bot put the label on"
    AUTHOR = "the author of the pull request put the label on"
    CONTRIBUTOR = "an author or committer of its commits put the label on"
    UNKNOWN_CONTRIBUTOR = (
        "there are too many commits or co-authors to rule out that the same person wrote a part"
    )
    ROLE = "the role of whoever put the label on is not enough"
    TEAMS = (
        "the policy names teams, and GitHub does not let this App see who is in them; it needs "
        "the organisation permission to read members"
    )
    TOO_EARLY = "the label was put on before the check had shown these findings"
    UNSEEN = "there are findings that the check had not shown when the label was put on"
    PUSHED = "the policy asks for the label again after every push"
    NO_REASON = "the policy asks for a reason, and there is none"
    RENAMED = "the label that was put on then is another one than has this name now"
    NO_EVENT = "nothing tells who put a label of this name on"
    NOT_YET = "GitHub does not tell yet who put the label on"


@dataclass(frozen=True, slots=True)
class Justification:
    """A label that counts."""

    actor: str
    role: Role
    at: datetime
    reason: str
    covers: frozenset[str]
    event: int = 0  # REST id of the label event


@dataclass(frozen=True, slots=True)
class Refusal:
    """A label that is there and does not count. Rendered once."""

    actor: str | None
    why: Why
    at: datetime | None
    event: int = 0  # REST id of the label event


def same_label(one: str, other: str) -> bool:
    """Compare two label names as GitHub does, after NFC and case folding."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def labelled(facts: Facts, policy: Policy) -> bool:
    """Tell whether the pull request carries the label now."""
    return any(same_label(name, policy.label) for name in facts.labels)


def self_justify(facts: Facts, policy: Policy, login: str) -> bool:
    """Tell whether someone may justify a pull request of the own.

    By default only who owns the repository with a user account, and has no one to ask. GitHub Docs,
    "Permission levels for a personal account repository": its collaborators have the role write, so
    above that there is nobody else.
    """
    if policy.self_justify is not None:
        return policy.self_justify
    owner = facts.pull.owner.lower()
    others = policy.teams or any(name.lower() != owner for name in policy.users)
    if not facts.owner_is_user or login.lower() != owner or others:
        return False
    return policy.role != "write" or facts.owner_is_alone


def justification(
    facts: Facts, policy: Policy, found: frozenset[str]
) -> Justification | Refusal | None:
    """Return what the label is worth for the fingerprints `found`; None where there is no label."""
    if not labelled(facts, policy):
        return None
    event = _latest(facts, policy)
    if event is None:
        return Refusal(None, Why.NOT_YET if _young(facts) else Why.NO_EVENT, None)
    if event.actor is None:
        return Refusal(None, Why.NOBODY, event.at, event.id)
    if _is_another(facts, policy, event):
        return Refusal(event.actor.login, Why.RENAMED, event.at, event.id)
    login, listed = event.actor.login, _listed(event.actor.login, policy)

    def refused(why: Why) -> Refusal:
        return Refusal(login, why, event.at, event.id)

    if not event.actor.is_person and not listed:
        return refused(Why.NOT_A_PERSON)
    if event.actor.is_person and event.through and not _lists_app(event.through, policy):
        return refused(Why.NOT_A_PERSON)
    role = facts.role(login)
    if not may_by_role(role, login, policy) and not facts.teams:
        return refused(Why.ROLE if facts.teams_known else Why.TEAMS)
    involved = _involved(facts, login)
    if involved is not None and not self_justify(facts, policy, login):
        return refused(involved)
    runs = _own_runs(facts)
    cover = _cover(runs, facts, event)
    if not is_covered(found, cover):
        return refused(Why.UNSEEN if cover & found else Why.TOO_EARLY)
    if policy.carry == "none":
        cover = _cover([run for run in runs if run.head == facts.head], facts, event)
        if not is_covered(found, cover):
            return refused(Why.PUSHED)
    reason, note = _reason(facts, login)
    if policy.require_reason and len(reason) < _SHORTEST_REASON:
        return refused(Why.NO_REASON)
    return Justification(login, role, event.at, reason + note, cover, event.id)


def _young(facts: Facts) -> bool:
    if facts.updated_at is None or facts.read_at is None:
        return False
    return facts.read_at - facts.updated_at < _YOUNG


def _latest(facts: Facts, policy: Policy) -> LabelEvent | None:
    """Return the event that put the label on as it is on now."""
    of_name = [event for event in facts.events if same_label(event.name, policy.label)]
    return of_name[-1] if of_name and of_name[-1].added else None


def _is_another(facts: Facts, policy: Policy, event: LabelEvent) -> bool:
    """Tell whether the label that was put on is known to be another one than has its name now."""
    then = {label for at, label in facts.put_on if at == event.at}
    now = {label for name, label in facts.label_ids if same_label(name, policy.label)}
    return bool(then) and then.isdisjoint(now)


def may_by_role(role: Role, login: str, policy: Policy) -> bool:
    """Tell whether a role is enough, or the policy lists this person whatever the role is."""
    return role >= Role[policy.role.upper()] or _listed(login, policy)


def _listed(login: str, policy: Policy) -> bool:
    return any(name.lower() == login.lower() for name in policy.users)


def _lists_app(slug: str, policy: Policy) -> bool:
    return _listed(slug, policy) or _listed(f"{slug}[bot]", policy)


def _involved(facts: Facts, login: str) -> Why | None:
    if facts.author is None or facts.author.same(login):
        return Why.AUTHOR
    if login.lower() in {name.lower() for name in facts.contributors}:
        return Why.CONTRIBUTOR
    return None if facts.all_contributors_known else Why.UNKNOWN_CONTRIBUTOR


def _own_runs(facts: Facts) -> list[CheckRun]:
    number = facts.pull.number
    return [run for run in facts.checks if number in run.pulls and run.completed_at is not None]


def _cover(runs: list[CheckRun], facts: Facts, event: LabelEvent) -> frozenset[str]:
    """Return the fingerprints that a label was put on for: those on our page at that moment.

    The first evaluation after the label writes them into its check, where every later one finds
    them. Before that they are what our newest check before the label shows; but not where the head
    was replaced since: a newer check may have gone with it.
    """
    for run in runs:
        if event.id and run.label == event.id:
            return run.covers
    before = [run for run in runs if run.completed_at is not None and run.completed_at < event.at]
    if not before:
        return frozenset()
    return frozenset() if was_replaced(before[-1], facts) else before[-1].shown


def _reason(facts: Facts, login: str) -> tuple[str, str]:
    """Return what the same person wrote as the reason, the latest first, and what to note of it.

    Whoever opened the pull request may write its description, so it is said that it stands there.
    """
    own = [one for one in facts.reasons if one.author.same(login)]
    for one in sorted(own, key=lambda reason: reason.at, reverse=True):
        text = found["why"] if (found := _REASON.search(one.body)) else one.body
        return text.strip(), " (edited)" if one.edited else ""
    found = _REASON.search(facts.body)
    return (found["why"].strip(), " (in the description)") if found else ("", "")
