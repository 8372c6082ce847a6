"""Durable jobs: accepted is stored, stored is done, one at a time for each pull request.

A delivery becomes a DBOS workflow whose identity is the delivery's, on a queue partitioned by what
the job looks at. A job that starts takes along all that wait for the same thing, so a burst is one
evaluation, and what arrives while it runs is exactly one more. A job that failed for a passing
reason is put back with a delay; it holds neither a thread nor a place in the queue meanwhile.
Machines that share a database share the queue: see `bot.machines` for one that dies, and `bot.room`
for an installation that is slow.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import structlog
from dbos import (
    DBOS,
    DBOSClient,
    DBOSConfig,
    EnqueueOptions,
    WorkflowSerializationFormat,
)
from dbos._utils import GlobalParams
from structlog.contextvars import bound_contextvars

from bot import traces
from bot.database import Database
from bot.forge import client as forge
from bot.forge.error import ForgeError
from bot.inbox import Inbox
from bot.jobs import Job, job
from bot.keeper import Keeper, Task
from bot.ledger import Ledger
from bot.machines import Alone, Machines, Permit, Times
from bot.metrics import Depth, Metrics
from bot.pull import PullRef
from bot.records.upgrade import upgrade
from bot.retention import remove_old
from bot.room import Room
from bot.shared import Lease
from bot.wake import Repository, Target, WakeGroup, WakeLeave, WakePull, WakeScan

APPLICATION = "sockgate"
QUEUE = "jobs"
WORKFLOW = "job"
# Pinned: DBOS leaves the jobs of another version alone, and ours outlive upgrades (see `jobs`).
VERSION = "1"

WORKERS = 16
POLL = 0.2  # seconds between two looks into the queue
BATCH = 200  # deliveries stored in one transaction
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
WRITE_SECONDS = 1.0  # that a write still gets at the end, when its job gets no more
LOOKS = 3  # times that what is missing is looked for again, also a part of a pull request
KEEP = 7 * 86_400.0  # seconds that a finished job is remembered
_RETENTION = 600.0  # seconds between two times that those past it are removed
_STEP = 0.1  # seconds between two looks for a place
_AGAIN = 0.5  # seconds after which a job is tried again that could not be begun
# What all jobs have in common, as DBOS stores it; see `options`.
ROW = {
    "status": "ENQUEUED",
    "name": WORKFLOW,
    "queue_name": QUEUE,
    "application_version": VERSION,
    "application_name": APPLICATION,
    "recovery_attempts": 0,
    "priority": 0,
    "serialization": "portable_json",
    "attributes": "null",
}
LAST_ATTEMPT = 40  # about five hours at these pauses

_log = structlog.stdlib.get_logger("sockgate.queue")


class Outcome(StrEnum):
    """What became of one evaluation."""

    DONE = "done"
    MOVED = "moved"  # the head is another one by now: once more, at once
    GONE = "gone"  # closed: nothing is to be done for it
    QUEUED = "queued"  # done, and in a merge queue: what that would merge next is looked at, too
    UNREAD = "unread"  # red, since a part of it was not to be seen; that may pass
    MISSING = "missing"  # not to be seen; of a pull request just announced that may pass


class Receipt(StrEnum):
    """What became of a delivery that was handed in."""

    NEW = "accepted"
    KNOWN = "known"  # a redelivery of what is done or under way
    AGAIN = "again"  # a redelivery of what was given up


def _no_queues(group: WakeGroup) -> Outcome:
    raise ForgeError(f"merge groups are not evaluated here: {group.head_sha}", retry=False)


@dataclass(frozen=True, slots=True)
class Work:
    """What the queue does, injected. All raise ForgeError where GitHub fails."""

    evaluate: Callable[[PullRef], Outcome]
    expand: Callable[[Target], Iterable[PullRef]]  # the pull requests that a wider wake means
    group: Callable[[WakeGroup], Outcome] = _no_queues
    groups: Callable[[Target], Iterable[WakeGroup]] = lambda _target: ()  # that rest on it
    # For the register: what else to scan, and doing it.
    scans: Callable[[Target], Iterable[Repository]] = lambda _target: ()
    register: Callable[[WakeScan | WakeLeave], None] = lambda _asked: None


class DeadLetterError(Exception):
    """A job that was given up: the reason stays in the database."""


class Queue:
    """The jobs of one server. DBOS allows one in a process at a time."""

    def __init__(
        self,
        database: Database,
        work: Work,
        metrics: Metrics,
        *,
        times: Times | None = None,
        keep: float = KEEP,
        poll: float = POLL,
        first_pause: float = FIRST_PAUSE,
        last_attempt: int = LAST_ATTEMPT,
    ) -> None:
        self.database = database
        self._work = work
        self._metrics = metrics
        self.machines = Alone() if database.is_sqlite else Machines(database, _rename, times)
        self._room = Room(WORKERS)
        self._keep = keep
        self._keeper: Keeper | None = None
        self._poll, self._first_pause, self._last_attempt = poll, first_pause, last_attempt
        self._ledger = Ledger(database, QUEUE)
        self._client = DBOSClient(
            system_database_engine=database.engine, application_name=APPLICATION, lazy=True
        )
        self._table = Inbox(database, ROW)
        self._inbox: SimpleQueue[tuple[Job, Future[Receipt]] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._running = 0
        self._counting = threading.Lock()
        self._open = False

    def start(self) -> None:
        """Take up what an earlier run left, then new jobs."""
        logging.getLogger("dbos").addFilter(_is_news)
        # The tables, and this machine among the others, before anything of it can be claimed.
        upgrade(self.database.engine)
        DBOS.migrate(self.database.url)
        self.machines.start()
        config: DBOSConfig = {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": self.machines.machine,
            "system_database_engine": self.database.engine,
            # Nobody waits for notifications, but stopping waits for whoever polls for them.
            "notification_listener_polling_interval_sec": self._poll,
            "log_level": logging.getLevelName(logging.getLogger("dbos").getEffectiveLevel()),
        }
        # The queue is registered before the launch, which then takes it up at once.
        self._client.register_queue(
            QUEUE,
            partition_concurrency=1,
            worker_concurrency=WORKERS,
            polling_interval_sec=self._poll,
        )
        DBOS(config=config)

        @DBOS.workflow(name=WORKFLOW)
        def run(document: dict[str, Any]) -> str:
            return self._run(job(document))

        DBOS.launch()
        self._writer.start()
        self._open = True

    def tend(self, tasks: Iterable[Task]) -> None:
        """Do these from time to time, one machine for all, besides removing what is old."""
        lease = Lease(self.database, self.machines.machine)
        if self.machines.living == 1:  # nobody else did it while this one was away
            lease.forget()
        self._keeper = Keeper(lease, (*tasks, Task("retention", _RETENTION, self._remove_old)))
        self._keeper.start()

    def _remove_old(self, go_on: Callable[[], bool]) -> None:
        removed = remove_old(self.database, self._client, self._keep, go_on)
        if removed:
            _log.info("finished jobs removed", jobs=removed)

    def stop(self, seconds: float) -> bool:
        """Finish what runs, within so many seconds; return whether all of it was finished.

        What was not is taken up by another machine at once, else at the next start.
        """
        self._open = False
        if self._keeper is not None:
            self._keeper.stop(1.0)
        self._inbox.put(None)
        self._writer.join(seconds)
        DBOS.destroy(
            destroy_registry=True,
            workflow_completion_timeout_sec=round(seconds) if self._running else 0,
        )
        self.machines.stop(WRITE_SECONDS)
        return not self._running

    def accept(self, asked: Job) -> "Future[Receipt]":
        """Store a job; the answer comes when it is on the disk. May be called from any thread."""
        answer: Future[Receipt] = Future()
        if self._open:
            self._inbox.put((asked, answer))
        else:
            answer.set_exception(ConnectionError("the queue is closed"))
        return answer

    def is_ready(self) -> bool:
        """Tell whether jobs are accepted and taken up; raises where the database is away."""
        self._ledger.ping()
        names = {thread.name for thread in threading.enumerate()}
        return self._open and self._writer.is_alive() and f"queue-worker-{QUEUE}" in names

    def depth(self) -> Depth:
        """Count the jobs by state."""
        return self._ledger.depth()

    # Storing: one thread, one transaction for all that came in meanwhile.

    def _write(self) -> None:
        going = True
        while going:
            taken = [self._inbox.get()]
            while len(taken) < BATCH and taken[-1]:
                try:
                    taken.append(self._inbox.get_nowait())
                except Empty:
                    break
            going = taken[-1] is not None
            # Whoever stopped waiting was answered that nothing is stored: so be it.
            self._store_all([one for one in taken if one and one[1].set_running_or_notify_cancel()])

    def _store_all(self, batch: list[tuple[Job, "Future[Receipt]"]]) -> None:
        if not batch:
            return
        try:
            receipts = self._store([asked for asked, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            for _, answer in batch:
                answer.set_exception(error)
            return
        for (_, answer), receipt in zip(batch, receipts, strict=True):
            answer.set_result(receipt)

    def _store(self, batch: list[Job]) -> list[Receipt]:
        with self.database.engine.begin() as connection:
            stored = self._table.store(connection, batch)
        receipts = []
        for asked in batch:
            receipts.append(Receipt.NEW if asked.id in stored else self._redelivered(asked))
            stored.discard(asked.id)
        return receipts

    def _redelivered(self, asked: Job) -> Receipt:
        if not self._ledger.dead(asked.key) or self._ledger.waiting(asked.key):
            return Receipt.KNOWN
        self._enqueue(Job(f"{asked.root}~{uuid4().hex[:8]}", asked.delivery, asked.target))
        return Receipt.AGAIN

    def _enqueue(self, asked: Job, pause: float | None = None) -> None:
        stored = options(asked)
        if pause:
            stored["delay_seconds"] = pause
        self._client.enqueue(stored, asked.document())

    # Doing: in the threads of DBOS.

    def _run(self, asked: Job) -> str:
        with self._counting:
            self._running += 1
        try:
            names = asked.names()
            # The head of a pull request is known once it was read; no line is without the key.
            with (
                bound_contextvars(**{"head": None} | names),
                traces.span("job", names, asked.trace),
            ):
                return self._admit(asked)
        finally:
            with self._counting:
                self._running -= 1

    def _admit(self, asked: Job) -> str:
        """Do a job where it is this machine's, alone in its place, and its installation's turn."""
        machine = self.machines.machine
        others = self._ledger.running(asked.key)
        if others.pop(asked.id, None) != machine or not self.machines.may(machine):
            self._later(asked, _AGAIN)
            return "lost"
        if others:
            # Two machines began at the same moment. Each that sees the other gives way, so that
            # never both go on; chance decides who is first next time, and takes the other along.
            self._later(asked, _AGAIN * (1 + random.random()))  # noqa: S311 - no secret
            return "gave way"
        while (pause := self._room.enter(asked.installation)) is not None:
            full = not self._open or self._ledger.others_wait(asked.installation)
            if pause.is_limited or full:
                self._later(asked, pause.first)
                self._ledger.hold(asked.installation, pause)
                return "held"
            time.sleep(_STEP)
        began = time.monotonic()
        token = forge.permit.set(Permit(self.machines, machine))
        try:
            return self._attempt(asked, machine)
        finally:
            forge.permit.reset(token)
            self._room.leave(asked.installation, time.monotonic() - began)

    def _attempt(self, asked: Job, machine: str) -> str:
        served = self._ledger.serve(asked.key)
        began = time.monotonic()
        try:
            outcome = self._do(asked)
        except ForgeError as error:
            if not self.machines.may(machine):
                _log.warning("job dropped: out of touch with the database")
                self._later(asked, _AGAIN)
                return "lost"
            if not error.retry or asked.attempt >= self._last_attempt:
                self._count(asked, "dead", began)
                _log.error("job given up", reason=error.reason, attempt=asked.attempt)
                self._metrics.dead_letter()
                raise DeadLetterError(error.reason) from error
            self._postpone(asked, error)
            outcome = "postponed"
        except Exception as error:
            self._count(asked, "error", began)
            _log.exception("job given up: a defect")
            self._metrics.dead_letter()
            raise DeadLetterError(f"{type(error).__name__}: {error}") from error
        self._count(asked, outcome, began)
        _log.info("job", outcome=outcome, served=served + 1)
        return outcome

    def _do(self, asked: Job) -> str:
        if isinstance(asked.target, WakePull):
            try:
                outcome = self._work.evaluate(asked.target.pull)
            except ForgeError as error:
                # What a merge queue would merge does not wait for a comment that cannot be written.
                if not error.reason.startswith("rate limit"):
                    with suppress(ForgeError):
                        self._groups(asked)
                raise
            if outcome is Outcome.MOVED:
                self._enqueue(asked.again(0))
                return outcome
            if outcome in {Outcome.MISSING, Outcome.UNREAD} and asked.looks < LOOKS:
                again = replace(asked.again(asked.attempt), looks=asked.looks + 1)
                self._enqueue(again, self._first_pause * 4**asked.looks)
            if outcome in {Outcome.QUEUED, Outcome.UNREAD}:
                self._groups(asked)
                outcome = Outcome.DONE
            if outcome is Outcome.GONE:
                self._scans(asked)
        elif isinstance(asked.target, WakeGroup):
            outcome = self._work.group(asked.target)
        elif isinstance(asked.target, WakeScan | WakeLeave):
            self._work.register(asked.target)
            outcome = Outcome.DONE
        else:
            for pull in self._work.expand(asked.target):
                root = f"{asked.root}:{pull.owner}/{pull.repo}#{pull.number}"
                self._enqueue(Job(root, asked.delivery, WakePull(pull), trace=traces.here()))
            self._groups(asked)
            self._scans(asked)
            outcome = Outcome.DONE
        dead = self._ledger.dead(asked.key)
        if dead:
            self._client.delete_workflows(dead)
        return outcome

    def _groups(self, asked: Job) -> None:
        """Have every merge group evaluated that rests on what was asked for."""
        for group in self._work.groups(asked.target):
            root = f"{asked.root}~{asked.serial}:{group.head_sha}"
            self._enqueue(Job(root, asked.delivery, group, trace=traces.here()))

    def _scans(self, asked: Job) -> None:
        """Have the default branches scanned that what was asked for is about."""
        for at in self._work.scans(asked.target):
            root = f"{asked.root}~{asked.serial}:scan {at.owner}/{at.repo}"
            self._enqueue(Job(root, asked.delivery, WakeScan(at), trace=traces.here()))

    def _postpone(self, asked: Job, error: ForgeError) -> None:
        pause = min(self._first_pause * 2**asked.attempt, LONGEST_PAUSE)
        pause = max(pause, error.after or 0)
        if error.reason.startswith("rate limit"):
            self._room.limit(asked.installation, pause)
        self._enqueue(asked.again(asked.attempt + 1), pause)
        _log.warning("job postponed", reason=error.reason, attempt=asked.attempt, pause=pause)

    def _later(self, asked: Job, pause: float) -> None:
        """Put a job back that was not tried."""
        self._enqueue(asked.again(asked.attempt), pause)

    def _count(self, asked: Job, outcome: str, began: float) -> None:
        if isinstance(asked.target, WakePull):
            self._metrics.evaluation(outcome, time.monotonic() - began)


def options(asked: Job) -> EnqueueOptions:
    """Say how DBOS is to store a job."""
    return {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": asked.id,
        "queue_partition_key": asked.key,
        "app_version": VERSION,
        "serialization_type": WorkflowSerializationFormat.PORTABLE,
    }


def _rename(machine: str) -> None:
    """Tell DBOS under which name this process claims jobs from now on."""
    GlobalParams.executor_id = machine


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what DBOS says of a job given up: it was logged, with its names, where it happened."""
    return not (record.exc_info and isinstance(record.exc_info[1], DeadLetterError))
