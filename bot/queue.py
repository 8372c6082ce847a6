"""Durable jobs: accepted is stored, stored is done, one at a time for each pull request.

A delivery becomes a DBOS workflow whose identity is the delivery's, on a queue partitioned by what
the job looks at. A job that starts takes along all that wait for the same thing, so a burst is one
evaluation, and what arrives while it runs is exactly one more. How one is done, and tried again:
`bot.worker`. Machines that share a database share the queue: see `bot.machines` for one that dies,
`bot.lost` for a job that nobody does, and `bot.room` for an installation that is slow.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from enum import StrEnum
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

import structlog
from dbos import DBOS, DBOSConfig
from dbos._utils import GlobalParams

from bot.database import Database
from bot.inbox import Inbox
from bot.jobs import Job, job
from bot.keeper import Keeper, Task
from bot.ledger import Ledger
from bot.lost import Lost
from bot.machines import Alone, Machines, Times
from bot.metrics import Depth, Metrics
from bot.records.upgrade import upgrade
from bot.retention import remove_old
from bot.shared import Lease
from bot.stored import APPLICATION, QUEUE, ROW, VERSION, WORKFLOW, client_of, enqueue
from bot.work import Work
from bot.worker import FIRST_PAUSE, LAST_ATTEMPT, WORKERS, DeadLetterError, Patient, Worker

POLL = 0.2  # seconds between two looks into the queue
BATCH = 200  # deliveries stored in one transaction
WRITE_SECONDS = 1.0  # that a write still gets at the end, when its job gets no more
KEEP = 7 * 86_400.0  # seconds that a finished job is remembered
_RETENTION = 600.0  # seconds between two times that those past it are removed

_log = structlog.stdlib.get_logger("sockgate.queue")


class Receipt(StrEnum):
    """What became of a delivery that was handed in."""

    NEW = "accepted"
    KNOWN = "known"  # a redelivery of what is done or under way
    AGAIN = "again"  # a redelivery of what was given up


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
        self.machines = Alone() if database.is_sqlite else Machines(database, _rename, times)
        self._keep, self._poll = keep, poll
        self._keeper: Keeper | None = None
        self._ledger = Ledger(database, QUEUE)
        self._client = client_of(database)
        self.worker = Worker(
            work,
            self._ledger,
            self._client,
            self.machines,
            metrics,
            Patient(first_pause, last_attempt),
        )
        self.lost = Lost(self._ledger, self.machines, self.worker.under_way)
        self._table = Inbox(database, ROW)
        self._inbox: SimpleQueue[tuple[Job, Future[Receipt]] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
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
            return self.worker.run(job(document))

        self._open = self.worker.is_open = True
        DBOS.launch()
        self._writer.start()
        self.lost.start()

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
        self._open = self.worker.is_open = False
        self.lost.stop()
        if self._keeper is not None:
            self._keeper.stop(1.0)
        self._inbox.put(None)
        self._writer.join(seconds)
        DBOS.destroy(
            destroy_registry=True,
            workflow_completion_timeout_sec=round(seconds) if self.worker.under_way() else 0,
        )
        self.machines.stop(WRITE_SECONDS)
        return not self.worker.under_way()

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
        with self.database.inbox.begin() as connection:
            stored = self._table.store(connection, batch)
        receipts = []
        for asked in batch:
            receipts.append(Receipt.NEW if asked.id in stored else self._redelivered(asked))
            stored.discard(asked.id)
        return receipts

    def _redelivered(self, asked: Job) -> Receipt:
        if not self._ledger.dead(asked.key) or self._ledger.waiting(asked.key):
            return Receipt.KNOWN
        again = Job(f"{asked.root}~{uuid4().hex[:8]}", asked.delivery, asked.target)
        enqueue(self._client, again)
        return Receipt.AGAIN


def _rename(machine: str) -> None:
    """Tell DBOS under which name this process claims jobs from now on."""
    GlobalParams.executor_id = machine


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what DBOS says of a job given up: it was logged, with its names, where it happened."""
    return not (record.exc_info and isinstance(record.exc_info[1], DeadLetterError))
