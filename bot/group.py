"""The way of a merge group: what the queue would merge next gets the same check on its own commit.

As with a pull request, an event only says where to look. What the commit adds to its branch is
found afresh, and so is what each member's label is worth now. A commit that the queue has given up
gets nothing: it will not be merged.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from structlog.contextvars import bound_contextvars

from bot.detect.grant import Unknown
from bot.detect.source import SourceError
from bot.forge import read, write
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.groups import Group, group, members
from bot.forge.label import with_label
from bot.gate.facts import Facts
from bot.gate.group import GroupVerdict, Member, group_verdict, member
from bot.gate.justification import Refusal, Why, labelled
from bot.gate.verdict import Because, Verdict, policy_of, verdict
from bot.memory import Memory, MemoryFailedError, NoMemory
from bot.publish.audit import audit
from bot.publish.check import broken
from bot.publish.group import group_check
from bot.publish.plan import missing
from bot.pull import PullRef
from bot.remembered import remembered
from bot.review.model import Review
from bot.reviewed import reviewed_group
from bot.wake import WakeGroup

Clock = Callable[[], datetime]

_LOOKS = 3  # times that a group just announced is looked for in the queue
_ANNOUNCED = 2.0  # seconds between them
_LISTED = 5.0  # seconds until who put a label on is listed
_NO_MEMORY = NoMemory()


@dataclass(frozen=True, slots=True)
class GroupDone:
    """The group's commit has its check; `members` are the pull requests that were asked."""

    answer: GroupVerdict
    head: str
    wrote: bool


@dataclass(frozen=True, slots=True)
class GroupGone:
    """The queue does not have this commit any more."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """A group that GitHub does not let us read, however often it is asked."""

    facts: Facts
    why: str


@dataclass(frozen=True, slots=True)
class _Means:
    """What one evaluation works with."""

    client: Client
    app_id: int
    memory: Memory
    now: Clock
    pause: Callable[[float], None]


def evaluate_group(
    github: GitHub,
    asked: WakeGroup,
    *,
    memory: Memory = _NO_MEMORY,
    now: Clock = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
) -> GroupDone | GroupGone:
    """Write the check of one merge group.

    Raises ForgeError where GitHub could not be asked or told: the job is done again. Any other
    exception is a defect, and the check says so before it is raised.
    """
    means = _Means(github.client(asked.repository.installation), github.app_id, memory, now, pause)
    with bound_contextvars(head=asked.head_sha):
        try:
            return _evaluate(means, asked)
        except MemoryFailedError as error:
            raise ForgeError(f"nothing can be recorded: {error}", retry=True) from error


def _evaluate(means: _Means, asked: WakeGroup) -> GroupDone | GroupGone:
    try:
        found: Group | _Unread | None = _announced(means, asked)
    except ForgeError as error:
        if error.retry:
            raise
        found = None if error.gone else _unread(asked, error.reason)
    if found is None:
        return GroupGone()
    answer, facts = _answer(means, found)
    early = any(
        isinstance(one.label, Refusal) and one.label.why is Why.NOT_YET for one in answer.members
    )
    waits = ForgeError("a label of a member is not listed yet", retry=True, after=_LISTED)
    if early and facts.own_check() is None:  # red would take the pull requests out of the queue
        raise waits
    writes = missing(group_check(answer, facts.head), facts)
    write.apply(means.client, facts, writes, lambda _what, _why: None)
    if answer.verdict.findings and facts.pull.number:
        means.memory.record(audit(answer.verdict, facts, means.now()))
    if early:
        raise waits
    return GroupDone(answer, facts.head, bool(writes))


def _announced(means: _Means, asked: WakeGroup) -> Group | None:
    """Read the group; None where the queue has given it up.

    Its branch may be there before the queue lists it: then it is asked for again.
    """
    found = None
    for look in range(_LOOKS):
        if look:
            means.pause(_ANNOUNCED)
        found = group(means.client, asked, means.app_id, means.now())
        if found is None or found.own is not None:
            return found
    return found if found is not None and found.is_queued else None


def _unread(asked: WakeGroup, why: str) -> _Unread:
    at = asked.repository
    pull = PullRef(at.installation, at.owner, at.repo, 0)
    return _Unread(Facts(pull, asked.head_sha, asked.base_sha, is_open=True, author=None), why)


def _answer(means: _Means, found: Group | _Unread) -> tuple[GroupVerdict, Facts]:
    """Return the verdict and the facts it rests on.

    What GitHub will not let us read, however often it is asked, is red. So is a defect of ours.
    """
    facts = found.facts
    if isinstance(found, _Unread):
        return _unknown(means, facts, f"GitHub does not let the merge queue be read: {found.why}")
    if found.own is None:
        why = "the merge queue does not tell which pull requests this commit is made of"
        return _unknown(means, facts, f"{why}: take them out of the queue and queue them again")
    try:
        return _judged(means, found), facts
    except SourceError as error:
        cause = error.__cause__ if isinstance(error.__cause__, ForgeError) else None
        if cause is None:
            raise
        if cause.retry:
            raise cause from error
        why = cause.reason
    except ForgeError as error:
        if error.retry:
            raise
        why = error.reason
    except MemoryFailedError:
        raise
    except Exception as error:
        red = broken(facts.head, f"{type(error).__name__}: {error}")
        write.apply(means.client, facts, missing(red, facts), lambda _what, _why: None)
        raise
    return _unknown(means, facts, f"GitHub does not let this merge group be read: {why}")


def _unknown(means: _Means, facts: Facts, why: str) -> tuple[GroupVerdict, Facts]:
    review = Review(unknowns=(Unknown(".", None, why),))
    return GroupVerdict(verdict(review, facts, means.now().date())), facts


def _judged(means: _Means, found: Group) -> GroupVerdict:
    """Judge what the commit adds; the labels are read last, right before the check is written."""
    answer = verdict(reviewed_group(means.client, found.facts), found.facts, means.now().date())
    pulls = members(means.client, found)
    if answer.because is not Because.UNJUSTIFIED:
        return group_verdict(answer, [Member(pull.number, None) for pull in pulls])
    return group_verdict(answer, [_member(means, pull, answer) for pull in pulls])


def _member(means: _Means, pull: PullRef, answer: Verdict) -> Member:
    facts = read.facts(means.client, pull, means.app_id, means.now())
    facts = remembered(means.memory, facts)
    policy, _ = policy_of(facts)
    if labelled(facts, policy):
        facts = with_label(means.client, facts, policy)
    return member(replace(facts, read_at=means.now()), policy, answer.fingerprints)
