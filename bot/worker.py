"""Doing a job: whether it is this machine's turn, what it leads to, and when it is tried again.

A job that failed for a passing reason is put back with a delay; it holds neither a thread nor a
place in the queue meanwhile. That goes for GitHub and for the database alike.
"""

import random
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from threading import Lock

import structlog
from dbos import DBOSClient
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bound_contextvars

from bot import traces
from bot.forge import pace
from bot.forge.error import ForgeError
from bot.jobs import Job
from bot.ledger import Ledger
from bot.machines import Alone, Machines, Permit
from bot.metrics import Metrics
from bot.room import Room
from bot.stored import enqueue
from bot.wake import WakeGroup, WakeLeave, WakePull, WakeScan
from bot.work import Outcome, Work

WORKERS = 32  # jobs at once on a machine: they wait for GitHub most of the time
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 600.0
LAST_ATTEMPT = 40  # about five hours at these pauses
LOOKS = 3  # times that what is missing is looked for again, also a part of a pull request
_STEP = 0.1  # seconds between two looks for a place
_AGAIN = 0.5  # seconds after which a job is tried again that could not be begun

_log = structlog.stdlib.get_logger("sockgate.queue")


class DeadLetterError(Exception):
    """A job that was given up: the reason stays in the database."""


@dataclass(frozen=True, slots=True)
class Patient:
    """How a job that failed is tried again: the first pause in seconds, and the last attempt."""

    first_pause: float = FIRST_PAUSE
    last_attempt: int = LAST_ATTEMPT


class Worker:
    """Does the jobs of one machine, in the threads of DBOS."""

    def __init__(
        self,
        work: Work,
        ledger: Ledger,
        client: DBOSClient,
        machines: Alone | Machines,
        metrics: Metrics,
        patient: Patient,
    ) -> None:
        self.work = work
        self.is_open = False  # whether jobs that wait for a place may go on waiting
        self._ledger, self._client, self._machines = ledger, client, machines
        self._metrics = metrics
        self._patient = patient
        self._room = Room(WORKERS)
        self._under_way: list[str] = []
        self._landing: dict[str, float] = {}
        self._counting = Lock()

    def let_land(self, keys: Collection[str], seconds: float) -> None:
        """Do nothing for these keys so long: a process that was killed may have written there.

        Whoever looked at GitHub before that landed would write it once more.
        """
        self._landing = dict.fromkeys(keys, time.monotonic() + seconds)

    def under_way(self) -> frozenset[str]:
        """Return the ids of the jobs that are being done."""
        with self._counting:
            return frozenset(self._under_way)

    def run(self, asked: Job) -> str:
        """Do a job; return what became of it. Raises DeadLetterError where it is given up."""
        names = asked.names()
        # The head of a pull request is known once it was read; no line is without the key.
        with (
            self._noted(asked.id),
            bound_contextvars(**{"head": None} | names),
            traces.span("job", names, asked.trace),
        ):
            try:
                return self._admit(asked)
            except SQLAlchemyError as error:
                return self._outlast(asked, error)

    @contextmanager
    def _noted(self, job: str) -> Iterator[None]:
        with self._counting:
            self._under_way.append(job)
        try:
            yield
        finally:
            with self._counting:
                self._under_way.remove(job)

    def _admit(self, asked: Job) -> str:
        """Do a job where it is this machine's, alone in its place, and its installation's turn."""
        machine = self._machines.machine
        others = self._ledger.running(asked.key)
        if others.pop(asked.id, None) != machine or not self._machines.may(machine):
            self._later(asked, _AGAIN)
            return "lost"
        if others:
            # Two machines began at the same moment. Each that sees the other gives way, so that
            # never both go on; chance decides who is first next time, and takes the other along.
            self._later(asked, _AGAIN * (1 + random.random()))  # noqa: S311 - no secret
            return "gave way"
        left = self._landing.get(asked.key, 0.0) - time.monotonic()
        if left > 0:
            self._later(asked, left)
            return "landing"
        while (pause := self._room.enter(asked.installation)) is not None:
            full = not self.is_open or self._ledger.others_wait(asked.installation)
            if pause.is_limited or full:
                self._later(asked, pause.first)
                self._ledger.hold(asked.installation, pause)
                return "held"
            time.sleep(_STEP)
        began = time.monotonic()
        token = pace.permit.set(Permit(self._machines, machine))
        try:
            return self._attempt(asked, machine)
        finally:
            pace.permit.reset(token)
            self._room.leave(asked.installation, time.monotonic() - began)

    def _attempt(self, asked: Job, machine: str) -> str:
        served = self._ledger.serve(asked.key)
        began = time.monotonic()
        try:
            outcome = self._do(asked)
        except ForgeError as error:
            if not self._machines.may(machine):
                _log.warning("job dropped: out of touch with the database")
                self._later(asked, _AGAIN)
                return "lost"
            outcome = self._failed(asked, error, began)
        except SQLAlchemyError:
            raise
        except Exception as error:
            self._settle(asked)
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
                outcome = self.work.evaluate(asked.target.pull)
            except ForgeError as error:
                # What a merge queue would merge does not wait for a comment that cannot be written.
                if not error.reason.startswith("rate limit"):
                    with suppress(ForgeError):
                        self._groups(asked)
                raise
            if outcome is Outcome.MOVED:
                enqueue(self._client, asked.again(0))
                return outcome
            if outcome in {Outcome.MISSING, Outcome.UNREAD} and asked.looks < LOOKS:
                again = replace(asked.again(asked.attempt), looks=asked.looks + 1)
                enqueue(self._client, again, self._patient.first_pause * 4**asked.looks)
            if outcome in {Outcome.QUEUED, Outcome.UNREAD}:
                self._groups(asked)
                outcome = Outcome.DONE
            if outcome is Outcome.GONE:
                self._scans(asked)
        elif isinstance(asked.target, WakeGroup):
            outcome = self.work.group(asked.target)
        elif isinstance(asked.target, WakeScan | WakeLeave):
            self.work.register(asked.target)
            outcome = Outcome.DONE
        else:
            for pull in self.work.expand(asked.target):
                root = f"{asked.root}:{pull.owner}/{pull.repo}#{pull.number}"
                made = Job(root, asked.delivery, WakePull(pull), trace=traces.here())
                enqueue(self._client, made)
            self._groups(asked)
            self._scans(asked)
            outcome = Outcome.DONE
        self._settle(asked)
        return outcome

    def _settle(self, asked: Job) -> None:
        """Remove what was given up of this key before: this job speaks for it."""
        dead = self._ledger.dead(asked.key)
        if dead:
            self._client.delete_workflows(dead)

    def _groups(self, asked: Job) -> None:
        """Have every merge group evaluated that rests on what was asked for."""
        for group in self.work.groups(asked.target):
            root = f"{asked.root}~{asked.serial}:{group.head_sha}"
            enqueue(self._client, Job(root, asked.delivery, group, trace=traces.here()))

    def _scans(self, asked: Job) -> None:
        """Have the default branches scanned that what was asked for is about."""
        for at in self.work.scans(asked.target):
            root = f"{asked.root}~{asked.serial}:scan {at.owner}/{at.repo}"
            enqueue(self._client, Job(root, asked.delivery, WakeScan(at), trace=traces.here()))

    def _outlast(self, asked: Job, error: SQLAlchemyError) -> str:
        """Put a job back once the database takes it: that it was away says nothing of the job."""
        why = ForgeError(f"database: {type(error).__name__}", retry=True)
        while True:
            try:
                return self._failed(asked, why, time.monotonic())
            except SQLAlchemyError:
                if not self.is_open:
                    raise  # it stays as it is: the next start takes it up, or another machine
                time.sleep(_AGAIN)

    def _failed(self, asked: Job, error: ForgeError, began: float) -> str:
        """Put a job back where trying again can help. Raises DeadLetterError where it cannot."""
        if not error.retry or asked.attempt >= self._patient.last_attempt:
            self._settle(asked)  # so that one letter stays, however often
            self._count(asked, "dead", began)
            _log.error("job given up", reason=error.reason, attempt=asked.attempt)
            self._metrics.dead_letter()
            raise DeadLetterError(error.reason) from error
        pause = min(self._patient.first_pause * 2**asked.attempt, LONGEST_PAUSE)
        pause = max(pause, error.after or 0)
        if error.reason.startswith("rate limit"):
            self._room.limit(asked.installation, pause)
        enqueue(self._client, asked.again(asked.attempt + 1), pause)
        _log.warning("job postponed", reason=error.reason, attempt=asked.attempt, pause=pause)
        return "postponed"

    def _later(self, asked: Job, pause: float) -> None:
        """Put a job back that was not tried."""
        enqueue(self._client, asked.again(asked.attempt), pause)

    def _count(self, asked: Job, outcome: str, began: float) -> None:
        if isinstance(asked.target, WakePull):
            self._metrics.evaluation(outcome, time.monotonic() - began)
