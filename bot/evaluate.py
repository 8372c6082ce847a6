"""The one way through; read it and you have read the program (GATE.md, "One evaluation")."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.detect.source import SourceError
from bot.forge import read, write
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.source import Files
from bot.gate.facts import Facts
from bot.gate.justification import labelled
from bot.gate.verdict import Verdict, policy_of, verdict
from bot.publish.check import broken
from bot.publish.plan import plan
from bot.publish.writes import Write
from bot.pull import PullRef
from bot.review.compare import compare, in_scope, wanted
from bot.review.incomplete import incomplete
from bot.review.model import Review


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
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    failed: Callable[[str, str], None] = lambda _what, _why: None,
) -> Outcome:
    """Bring one pull request's check, comments and label up to date.

    `failed` is told of comments and labels that could not be written. Raises ForgeError; any other
    exception is a defect, and the check says so before it is raised.
    """
    try:
        client = github.client(pull.installation)
        facts = read.facts(client, pull, github.app_id, now())
    except ForgeError as error:
        if not error.gone:
            raise
        return Gone(error.reason)
    if not facts.is_open:
        return Gone("closed")
    try:
        facts, answer, head = _judged(client, facts, now)
        worst = _worst(github, client, facts, answer, now)
        writes = plan(answer, facts, worst)
    except SourceError as error:
        raise ForgeError(str(error), retry=True) from error
    except ForgeError:
        raise
    except Exception as error:
        what = f"{type(error).__name__}: {error}"
        write.apply(client, pull, (broken(facts.head, what),), failed)
        raise
    if head != facts.head:
        return Moved()
    write.apply(client, pull, writes, failed)
    return Done(answer, facts.head, writes)


def _judged(
    client: Client, facts: Facts, now: Callable[[], datetime]
) -> tuple[Facts, Verdict, str]:
    """Return the facts, with what only a review makes worth reading, the verdict, the head now."""
    facts, review, head = _reviewed(client, facts)
    policy, _ = policy_of(facts)
    if review.findings and labelled(facts, policy):
        actors = {event.actor.login for event in facts.events if event.actor is not None}
        facts = read.with_roles(client, facts, sorted(actors))
    return facts, verdict(review, facts, now().date()), head


def _reviewed(client: Client, facts: Facts) -> tuple[Facts, Review, str]:
    differing = read.changes(client, facts)
    files = Files(client, facts.pull, differing.merge_base, facts.head, differing.changes)
    paths = {path for change in differing.changes for path in (change.old, change.new) if path}
    if read.POLICY_FILE in paths:
        text = files.read(facts.head, read.POLICY_FILE)
        facts = replace(facts, changes_policy=(text or b"").decode("utf-8", "replace"))
    if any(in_scope(path) for path in paths):
        _prefetch(files)
    policy, _ = policy_of(facts)
    review = compare(files.base_side, files.head_side, differing.changes, implicit=policy.implicit)
    if not differing.complete:
        review = incomplete(review, len(differing.changes))
    return facts, review, files.seen_head or read.head(client, facts.pull)


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
    now: Callable[[], datetime],
) -> Verdict:
    """Return the gravest verdict on this head: a check belongs to a commit (GATE.md, step 6)."""
    for number in facts.same_head:
        if answer.conclusion == "failure":
            break
        other = replace(facts.pull, number=number)
        theirs = read.facts(client, other, github.app_id, now())
        if theirs.is_open and theirs.head == facts.head:
            _, answer, _ = _judged(client, theirs, now)
    return answer
