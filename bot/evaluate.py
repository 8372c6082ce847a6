"""The one way through; read it and you have read the program.

One evaluation, always the same. Its steps are numbered as they follow each other:

1. read the pull request afresh, and remember its head;
2. read the policy from a trusted branch, never from the pull request;
3. find what the head grants and its merge base does not (`bot.reviewed`);
4. without findings it is green; with anything unknown it is red;
5. with findings, look for a label that justifies them;
6. a check belongs to a commit: the gravest verdict on this head is shown;
7. read the head again: if it moved, throw the result away;
8. write the check, and only then comments, label and audit record.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from structlog.contextvars import bind_contextvars

from bot import traces
from bot.detect.grant import Unknown
from bot.detect.source import SourceError
from bot.forge import read, write
from bot.forge.changes import is_in_default
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.label import with_label
from bot.forge.read import Now
from bot.gate.facts import Facts, was_replaced
from bot.gate.justification import Why, labelled
from bot.gate.verdict import Verdict, gravest, policy_of, verdict
from bot.memory import Memory, MemoryFailedError, NoMemory
from bot.publish.audit import audit, ended
from bot.publish.check import broken
from bot.publish.plan import missing, plan
from bot.publish.writes import Write
from bot.pull import PullRef
from bot.remembered import remembered
from bot.review.model import Review
from bot.reviewed import reviewed

Clock = Callable[[], datetime]
Told = Callable[[str, str], None]

_ANNOUNCED = 2.0  # seconds: what was just announced may not be found yet
_NO_MEMORY = NoMemory()
_LISTED = 5.0  # seconds: likewise who put a label on
_SECOND = 1.0  # GitHub's times have whole seconds


@dataclass(frozen=True, slots=True)
class Done:
    """The pull request is as it should be; `writes` is what had to be written for that.

    `is_queued`: a merge queue has it, so what it would merge next rests on this verdict too.
    `is_unread`: the check is red because GitHub did not find a part of what it had just told of,
    which may pass.
    """

    verdict: Verdict
    head: str
    writes: tuple[Write, ...]
    is_queued: bool = False
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """The head is another one by now: evaluate again."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is nothing to evaluate: closed, deleted, or not visible any more."""

    why: str


Outcome = Done | Moved | Gone


@dataclass(frozen=True, slots=True)
class _Answer:
    """The verdict, the facts it rests on, and the head after all was read."""

    verdict: Verdict
    facts: Facts
    seen: Now
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class _Means:
    """What one evaluation works with."""

    client: Client
    app_id: int
    memory: Memory
    now: Clock
    pause: Callable[[float], None]
    failed: Told


def evaluate(
    github: GitHub,
    pull: PullRef,
    *,
    memory: Memory = _NO_MEMORY,
    now: Clock = lambda: datetime.now(UTC),
    pause: Callable[[float], None] = time.sleep,
    failed: Told = lambda _what, _why: None,
) -> Outcome:
    """Bring one pull request's check, comments and label up to date, and the audit log.

    `failed` is told of comments and labels that could not be written. Raises ForgeError: where the
    check did not land, the job is done again until it does or the head is another one. Any other
    exception is a defect, and the check says so before it is raised.
    """
    try:
        client = github.client(pull.installation)
        return _evaluate(_Means(client, github.app_id, memory, now, pause, failed), pull)
    except MemoryFailedError as error:
        raise ForgeError(f"nothing can be recorded: {error}", retry=True) from error
    except ForgeError as error:
        if error.gone:
            return Gone(error.reason)
        raise


def _evaluate(means: _Means, pull: PullRef) -> Outcome:
    facts = _announced(means, pull)  # 1, and the policy of 2
    bind_contextvars(head=facts.head)  # for what the job says later, too
    traces.tell({"head": facts.head})
    if not facts.is_open:
        return _closed(means, facts)
    answer = _answer(means, facts)  # 3 to 5
    facts = answer.facts
    worst, seen = _worst(means, facts, answer.verdict, answer.seen)  # 6
    if seen.head != facts.head:  # 7
        return Moved()
    facts = replace(facts, same_head=seen.same_head)
    done = _written(means, facts, answer.verdict, worst)  # 8
    return replace(done, is_unread=answer.is_unread)


def _written(means: _Means, facts: Facts, answer: Verdict, worst: Verdict) -> Done:
    """Write what is missing, the check first. What fails after it changes no verdict."""
    writes = plan(answer, facts, worst)
    try:
        sent = write.apply(means.client, facts, writes, means.failed)
    except ForgeError as error:
        if error.gone:  # it was there to be read: this is no pull request that has gone
            raise ForgeError(f"the check was not taken: {error.reason}", retry=False) from error
        raise
    for number in {facts.pull.number, *facts.same_head}:
        means.memory.remember(replace(facts.pull, number=number), sent.published)
    means.memory.record(audit(answer, facts, means.now()))
    if sent.left is not None:
        raise sent.left
    if any(was_replaced(run, facts) for run in sent.published):
        raise ForgeError("shown in the second of a forced push", retry=True, after=_SECOND)
    if answer.refusal is not None and answer.refusal.why is Why.NOT_YET:
        raise ForgeError(f"not listed yet: {answer.refusal.why}", retry=True, after=_LISTED)
    return Done(answer, facts.head, writes, facts.is_queued)


def _closed(means: _Means, facts: Facts) -> Outcome:
    """Record the end. The check of this commit spoke of the closed one, too: judge the others."""
    end = ended(facts, means.now())
    if end is not None:
        means.memory.record(end)
    others = read.now(means.client, facts).same_head
    if not others:
        return Gone("closed")
    return _evaluate(means, replace(facts.pull, number=others[0]))


def _announced(means: _Means, pull: PullRef) -> Facts:
    """Read the facts; what was just announced and is not found is asked for a second time."""
    try:
        return _facts(means, pull)
    except ForgeError as error:
        if not error.gone:
            raise
    means.pause(_ANNOUNCED)
    return _facts(means, pull)


def _facts(means: _Means, pull: PullRef) -> Facts:
    facts = read.facts(means.client, pull, means.app_id, means.now())
    if facts.default_head and facts.base_branch != facts.default_branch:
        facts = replace(facts, is_in_default=is_in_default(means.client, facts))
    return remembered(means.memory, facts)


def _answer(means: _Means, facts: Facts) -> _Answer:
    """Read what differs, and judge it.

    What GitHub will not let us read, however often it is asked, is red. So is a defect of ours.
    """
    try:
        return _judged(means, facts)
    except SourceError as error:
        if not isinstance(error.__cause__, ForgeError):
            raise
        cause = error.__cause__
    except ForgeError as error:
        cause = error
    except Exception as error:
        red = broken(facts.head, f"{type(error).__name__}: {error}")
        write.apply(means.client, facts, missing(red, facts), lambda _what, _why: None)
        raise
    if cause.retry:
        raise cause
    unread = Unknown(".", None, f"GitHub does not let this change be read: {cause.reason}")
    seen = read.now(means.client, facts)
    held = verdict(Review(unknowns=(unread,)), facts, means.now().date())
    return _Answer(held, facts, seen, is_unread=cause.gone)


def _judged(means: _Means, facts: Facts) -> _Answer:
    facts, review, seen = reviewed(means.client, facts, means.pause)  # 3
    policy, _ = policy_of(facts)
    if review.findings and labelled(facts, policy):
        facts = with_label(means.client, facts, policy)
        seen = read.now(means.client, facts)
    return _Answer(verdict(review, facts, means.now().date()), facts, seen)  # 4 and 5


def _worst(means: _Means, facts: Facts, answer: Verdict, seen: Now) -> tuple[Verdict, Now]:
    """Return the gravest verdict on this head.

    Where there are others, the head is read again after them: one more may have come meanwhile.
    """
    if seen.head != facts.head or set(seen.same_head) <= {facts.pull.number}:
        return answer, seen
    verdicts = [answer]
    for number in seen.same_head:
        if number != facts.pull.number:
            theirs = _theirs(means, replace(facts.pull, number=number), facts.head)
            verdicts += [theirs] if theirs is not None else []
    last = read.now(means.client, facts)
    return gravest(verdicts), last if last == seen else replace(last, head="")


def _theirs(means: _Means, pull: PullRef, head: str) -> Verdict | None:
    """Return the verdict on another pull request, None where it has left this head."""
    try:
        facts = _facts(means, pull)
        if not facts.is_open or facts.head != head:
            return None
        return _answer(means, facts).verdict
    except ForgeError as error:
        if error.gone:
            return None
        raise
