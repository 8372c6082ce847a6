"""Durable jobs: what is stored is done, one at a time for each pull request.

A delivery becomes a DBOS workflow whose identity is the delivery's (`bot.intake`), on a queue
partitioned by what the job looks at. A job that starts takes along all that wait for the same
thing, so a burst is one evaluation, and what arrives while it runs is exactly one more. How one is
done, and tried again: `bot.worker`. Machines that share a database share the queue: see
`bot.machines` for one that dies, `bot.lost` for a job that nobody does, and `bot.room` for an
installation that is slow.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any

import structlog
from dbos import DBOS, DBOSConfig
from dbos._utils import GlobalParams

from bot.database import Database
from bot.jobs import job
from bot.keeper import Keeper, Task
from bot.ledger import Ledger
from bot.lost import Lost
from bot.machines import Alone, Machines, Times
from bot.metrics import Metrics
from bot.records.upgrade import upgrade
from bot.retention import remove_old
from bot.shared import Lease
from bot.stored import APPLICATION, QUEUE, VERSION, WORKFLOW, client_of
from bot.work import Work
from bot.worker import FIRST_PAUSE, LAST_ATTEMPT, WORKERS, DeadLetterError, Patient, Worker

POLL = 0.2  # seconds between two looks into the queue
WRITE_SECONDS = 1.0  # that a write still gets at the end, when its job gets no more
# Seconds after which what a killed process had sent to GitHub was done, or never will be (the same
# for a process that lives: `bot.forge.pace.Pace`).
LANDS = 10.0
KEEP = 7 * 86_400.0  # seconds that a finished job is remembered
_RETENTION = 600.0  # seconds between two times that those past it are removed

_log = structlog.stdlib.get_logger("sockgate.queue")


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
        lands: float = LANDS,
    ) -> None:
        self.database = database
        self._lands = lands
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
        self._open = False

    def start(self) -> None:
        """Take up what an earlier run left, then new jobs."""
        logging.getLogger("dbos").addFilter(_is_news)
        # The tables, and this machine among the others, before anything of it can be claimed.
        prepare(self.database)
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

        if self.database.is_sqlite:
            # On PostgreSQL the machine is another one, and was silent for longer than that.
            self.worker.let_land(self._ledger.interrupted(), self._lands)
        self._open = self.worker.is_open = True
        DBOS.launch()
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
        DBOS.destroy(
            destroy_registry=True,
            workflow_completion_timeout_sec=round(seconds) if self.worker.under_way() else 0,
        )
        self.machines.stop(WRITE_SECONDS)
        return not self.worker.under_way()

    def is_ready(self) -> bool:
        """Tell whether jobs are taken up."""
        names = {thread.name for thread in threading.enumerate()}
        return self._open and f"queue-worker-{QUEUE}" in names


def prepare(database: Database) -> None:
    """Create or alter the tables, ours and those of DBOS. Raises NewerError, SQLAlchemyError."""
    upgrade(database.engine)
    DBOS.migrate(database.url)


def _rename(machine: str) -> None:
    """Tell DBOS under which name this process claims jobs from now on."""
    GlobalParams.executor_id = machine


def _is_news(record: logging.LogRecord) -> bool:
    """Drop what DBOS says of a job given up: it was logged, with its names, where it happened."""
    return not (record.exc_info and isinstance(record.exc_info[1], DeadLetterError))
