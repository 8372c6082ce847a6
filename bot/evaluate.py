"""The one way through; read it and you have read the program (GATE.md, "One evaluation")."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.detect.grant import Unknown
from bot.detect.source import SourceError
from bot.forge import read, write
from bot.forge.changes import changes
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.label import with_label
from bot.forge.read import Now
from bot.forge.source import Files
from bot.gate.facts import Facts
from bot.gate.justification import Why, labelled
from bot.gate.verdict import Verdict, gravest, policy_of, verdict
from bot.memory import Memory, MemoryFailedError, NoMemory
from bot.publish.audit import audit, ended
from bot.publish.check import broken
from bot.publish.plan import missing, plan
from bot.publish.writes import Write
from bot.pull import PullRef
from bot.review.compare import compare, in_scope, wanted
from bot.review.incomplete import incomplete
from bot.review.model import Review

Clock = Callable[[], datetime]
Told = Callable[[str, str], None]

_ANNOUNCED = 2.0  # seconds: what was just announced may not be found yet
_NO_MEMORY = NoMemory()
_LISTED = 5.0  # seconds: likewise who put a label on


@dataclass(frozen=True, slots=True)
class Done:
    """The pull request is as it should be; `writes` is what had to be written for that."""

    verdict: Verdict
    head: str
    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """The head is another one by now: evaluate again."""


@dataclass(frozen=True, slots=True)
class Gone:
    """There is nothing to evaluate: closed, deleted, or not visible any more."""

    why: str


Outcome = Done | Moved | Gone


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

    `failed` is told of comments and labels that could not be written. Raises ForgeError; any other
    exception is a defect, and the check says so before it is raised.
    """
    try:
        return _evaluate(github, pull, memory, now, pause, failed)
    except MemoryFailedError as error:
        raise ForgeError(f"nothing can be recorded: {error}", retry=True) from error


def _evaluate(
    github: GitHub,
    pull: PullRef,
    memory: Memory,
    now: Clock,
    pause: Callable[[float], None],
    failed: Told,
) -> Outcome:
    try:
        client = github.client(pull.installation)
        facts = _remembered(_facts(github, client, pull, now, pause), memory)
        if not facts.is_open:
            end = ended(facts, now())
            if end is not None:
                memory.record(end)
            others = read.now(client, facts).same_head
            if not others:
                return Gone("closed")
            # The check of this commit spoke of the closed one, too.
            next_one = replace(pull, number=others[0])
            return _evaluate(github, next_one, memory, now, pause, failed)
        answer, facts, seen = _answer(client, facts, now)
        worst, seen = _worst(github, client, facts, answer, seen, memory, now)
        if seen.head != facts.head:
            return Moved()
        facts = replace(facts, same_head=seen.same_head)
        writes = plan(answer, facts, worst)
    except ForgeError as error:
        if error.gone:
            return Gone(error.reason)
        raise
    sent = write.apply(client, facts, writes, failed)
    for number in {pull.number, *facts.same_head}:
        memory.remember(replace(pull, number=number), sent.published)
    memory.record(audit(answer, facts, now()))
    if sent.left is not None:
        raise sent.left
    if answer.refusal is not None and answer.refusal.why is Why.NOT_YET:
        raise ForgeError(f"not listed yet: {answer.refusal.why}", retry=True, after=_LISTED)
    return Done(answer, facts.head, writes)


def _remembered(facts: Facts, memory: Memory) -> Facts:
    """Add the runs of ours that GitHub does not list any more, and keep those that it does.

    What GitHub says of a run is taken over what was remembered of it.
    """
    listed = {run.id for run in facts.checks}
    memory.remember(facts.pull, facts.checks)
    also = [run for run in memory.checks(facts.pull) if run.id not in listed]
    return replace(facts, checks=tuple(sorted((*facts.checks, *also), key=read.when)))


def _facts(
    github: GitHub, client: Client, pull: PullRef, now: Clock, pause: Callable[[float], None]
) -> Facts:
    """Read the facts; what was just announced and is not found is asked for a second time."""
    try:
        return read.facts(client, pull, github.app_id, now())
    except ForgeError as error:
        if not error.gone:
            raise
    pause(_ANNOUNCED)
    return read.facts(client, pull, github.app_id, now())


def _answer(client: Client, facts: Facts, now: Clock) -> tuple[Verdict, Facts, Now]:
    """Return the verdict, the facts it rests on, and the head after all was read.

    What GitHub will not let us read, however often it is asked, is red. So is a defect of ours.
    """
    try:
        return _judged(client, facts, now)
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
    except Exception as error:
        red = broken(facts.head, f"{type(error).__name__}: {error}")
        write.apply(client, facts, missing(red, facts), lambda _what, _why: None)
        raise
    unread = Unknown(".", None, f"GitHub does not let this change be read: {why}")
    seen = read.now(client, facts)
    return verdict(Review(unknowns=(unread,)), facts, now().date()), facts, seen


def _judged(client: Client, facts: Facts, now: Clock) -> tuple[Verdict, Facts, Now]:
    facts, review, seen = _reviewed(client, facts)
    policy, _ = policy_of(facts)
    if review.findings and labelled(facts, policy):
        facts = with_label(client, facts, policy.label)
        seen = read.now(client, facts)
    return verdict(review, facts, now().date()), facts, seen


def _reviewed(client: Client, facts: Facts) -> tuple[Facts, Review, Now]:
    differing = changes(client, facts)
    files = Files(client, facts, differing.merge_base, differing.changes)
    paths = {path for change in differing.changes for path in (change.old, change.new) if path}
    if any(in_scope(path) for path in paths):
        _prefetch(files)
    if read.POLICY_FILE in paths:
        text = files.read(facts.head, read.POLICY_FILE)
        facts = replace(facts, changes_policy=(text or b"").decode("utf-8", "replace"))
    policy, _ = policy_of(facts)
    review = compare(files.base_side, files.head_side, differing.changes, implicit=policy.implicit)
    if not differing.complete:
        review = incomplete(review, f"only the first {len(differing.changes):,} files that changed")
    if not files.complete:
        review = incomplete(review, "not all files of this repository")
    return facts, review, files.now or read.now(client, facts)


def _prefetch(files: Files) -> None:
    """Read in one go what the comparison is going to ask for."""
    sides = [
        (commit, path)
        for change in files.changes
        for commit, path in ((files.merge_base, change.old), (files.head, change.new))
        if path is not None and in_scope(path)
    ]
    also = [(files.head, path) for path in wanted(files.changes, files.paths())]
    files.fetch((*sides, *also))


def _worst(
    github: GitHub,
    client: Client,
    facts: Facts,
    answer: Verdict,
    seen: Now,
    memory: Memory,
    now: Clock,
) -> tuple[Verdict, Now]:
    """Return the gravest verdict on this head: a check belongs to a commit (GATE.md, step 6).

    Where there are others, the head is read again after them: one more may have come meanwhile.
    """
    if seen.head != facts.head or set(seen.same_head) <= {facts.pull.number}:
        return answer, seen
    verdicts = [answer]
    for number in seen.same_head:
        if number != facts.pull.number:
            other = replace(facts.pull, number=number)
            theirs = _theirs(github, client, other, facts.head, memory, now)
            verdicts += [theirs] if theirs is not None else []
    last = read.now(client, facts)
    return gravest(verdicts), last if last == seen else replace(last, head="")


def _theirs(
    github: GitHub, client: Client, pull: PullRef, head: str, memory: Memory, now: Clock
) -> Verdict | None:
    """Return the verdict on another pull request, None where it has left this head."""
    try:
        facts = _remembered(read.facts(client, pull, github.app_id, now()), memory)
        if not facts.is_open or facts.head != head:
            return None
        return _answer(client, facts, now)[0]
    except ForgeError as error:
        if error.gone:
            return None
        raise
