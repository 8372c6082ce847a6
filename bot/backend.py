"""GitHub as the jobs need it: evaluations, scans, and looking for what was missed."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import assert_never

import structlog

from bot import traces
from bot.evaluate import Done, Gone, Moved, evaluate
from bot.expand import expand, groups, scans
from bot.forge.client import GitHub
from bot.group import GroupDone, GroupGone, evaluate_group
from bot.intake import Intake
from bot.jobs import Job
from bot.keeper import Task
from bot.memory import Memory
from bot.metrics import Metrics
from bot.missed import redeliver
from bot.pull import PullRef
from bot.queue import Queue
from bot.records.register import Register
from bot.records.store import Records
from bot.scan import scan
from bot.settings import Settings
from bot.sweep import sweep
from bot.wake import WakeGroup, WakeLeave, WakePull, WakeScan
from bot.work import Outcome, Work

MISSED_SECONDS, SWEEP_SECONDS = 300.0, 3600.0  # between two looks for what was missed

_log = structlog.stdlib.get_logger("sockgate.server")


@dataclass(frozen=True, slots=True)
class Backend:
    """GitHub as the server needs it, injected."""

    work: Work
    login: Callable[[], str]  # of our App, `slug[bot]`; asks GitHub
    # What it looks for by itself, from the start on; the queue removes what is old.
    sweep: Callable[[Queue], None] = lambda queue: queue.tend(())


Connect = Callable[[Settings, Metrics, Records], Backend]


def connect(given: Settings, metrics: Metrics, memory: Records) -> Backend:
    """Make what the queue and the server need of GitHub; nothing is asked yet."""
    github = _github(given, metrics)
    return Backend(
        Work(
            partial(_evaluated, github, memory),
            partial(expand, github),
            partial(_group, github, memory),
            partial(groups, github),
            partial(scans, github),
            partial(_registered, github, Register(memory.engine)),
        ),
        lambda: f"{github.slug()}[bot]",
        lambda queue: queue.tend(_tasks(github, queue, metrics)),
    )


def _github(given: Settings, metrics: Metrics) -> GitHub:
    return GitHub(
        given.app_id,
        given.private_key,
        given.api_url,
        count=metrics.github,
        rate=metrics.rate,
    )


def _tasks(github: GitHub, queue: Queue, metrics: Metrics) -> tuple[Task, ...]:
    """Return what the server does by itself: look for what it was never told."""
    intake = Intake(queue.database)

    def put(name: str, pull: PullRef) -> None:
        root = f"{name}:{pull.owner}/{pull.repo}#{pull.number}"
        intake.store([Job(root, name, WakePull(pull))])

    def missed(go_on: Callable[[], bool]) -> None:
        metrics.redelivered(redeliver(github, queue.database, go_on=go_on))

    def swept(go_on: Callable[[], bool]) -> None:
        metrics.swept(sweep(github, put, go_on))

    return (Task("missed", MISSED_SECONDS, missed), Task("sweep", SWEEP_SECONDS, swept))


def _evaluated(github: GitHub, memory: Memory, pull: PullRef) -> Outcome:
    with traces.span("evaluation", _names(pull)):
        found = evaluate(github, pull, memory=memory, failed=_not_written)
    match found:
        case Done(verdict, head, writes, is_queued, is_unread):
            _log.info("evaluated", head=head, conclusion=verdict.conclusion, writes=len(writes))
            if is_unread:
                return Outcome.UNREAD
            return Outcome.QUEUED if is_queued else Outcome.DONE
        case Moved():
            return Outcome.MOVED
        case Gone(why):
            _log.info("nothing to evaluate", why=why)
            return Outcome.GONE if why == "closed" else Outcome.MISSING


def _names(pull: PullRef) -> dict[str, str | int]:
    return {"repository": f"{pull.owner}/{pull.repo}", "pull": pull.number}


def _group(github: GitHub, memory: Memory, asked: WakeGroup) -> Outcome:
    match evaluate_group(github, asked, memory=memory):
        case GroupDone(answer, head, wrote):
            members = [one.number for one in answer.members]
            conclusion = answer.verdict.conclusion
            _log.info("group", head=head, conclusion=conclusion, members=members, wrote=wrote)
            return Outcome.DONE
        case GroupGone():
            _log.info("nothing to evaluate", why="the merge queue does not have it any more")
            return Outcome.GONE


def _registered(github: GitHub, register: Register, asked: WakeScan | WakeLeave) -> None:
    match asked:
        case WakeScan(at):
            found = scan(github, register, at)
            _log.info("scanned", head=found.head, changed=found.changed, failed=found.failed)
        case WakeLeave(installation, repositories):
            register.forget(installation, [f"{at.owner}/{at.repo}" for at in repositories])
        case _:
            assert_never(asked)


def _not_written(what: str, why: str) -> None:
    _log.warning("not written", what=what, why=why)
