"""Taking deliveries in: accepted is stored, and whoever waits is told once it is on the disk.

One thread stores what came in meanwhile in one transaction, so a burst costs one turn of the disk.
It needs nobody who does the jobs: those find them in the database, now or at their next start.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from enum import StrEnum
from queue import Empty, SimpleQueue

from bot.database import Database
from bot.inbox import Inbox
from bot.jobs import Job
from bot.ledger import Ledger
from bot.metrics import Depth
from bot.stored import QUEUE, ROW, client_of, enqueue

BATCH = 200  # deliveries stored in one transaction


class Receipt(StrEnum):
    """What became of a delivery that was handed in."""

    NEW = "accepted"
    KNOWN = "known"  # a redelivery of what is done or under way
    AGAIN = "again"  # a redelivery of what was given up


_Asked = tuple[Job, "asyncio.Future[Receipt]"]


class Intake:
    """Stores jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ledger = Ledger(database, QUEUE)
        self._client = client_of(database)
        self._table = Inbox(database, ROW)
        self._waiting: SimpleQueue[_Asked | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="inbox", daemon=True)
        self._open = False

    def start(self) -> None:
        """Accept from now on."""
        self._open = True
        self._writer.start()

    def stop(self, seconds: float) -> None:
        """Accept no more; what was handed in gets so many seconds to be stored."""
        self._open = False
        self._waiting.put(None)
        if self._writer.is_alive():
            self._writer.join(seconds)

    def accept(self, asked: Job) -> "asyncio.Future[Receipt]":
        """Store a job; the answer comes to the loop that runs here when it is on the disk.

        All who ask share one loop.
        """
        answer: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        if self._open:
            self._waiting.put((asked, answer))
        else:
            answer.set_exception(ConnectionError("nothing is accepted any more"))
        return answer

    def store(self, batch: Sequence[Job]) -> list[Receipt]:
        """Store jobs in one transaction. Raises SQLAlchemyError: then none of them is stored."""
        with self._database.inbox.begin() as connection:
            stored = self._table.store(connection, batch)
        receipts = []
        for asked in batch:
            receipts.append(Receipt.NEW if asked.id in stored else self._redelivered(asked))
            stored.discard(asked.id)
        return receipts

    def is_ready(self) -> bool:
        """Tell whether jobs are accepted; raises SQLAlchemyError where the database is away."""
        self._ledger.ping()
        return self._open and self._writer.is_alive()

    def depth(self) -> Depth:
        """Count the jobs by state. Raises SQLAlchemyError."""
        return self._ledger.depth()

    def _write(self) -> None:
        going = True
        while going:
            taken = [self._waiting.get()]
            while len(taken) < BATCH and taken[-1]:
                try:
                    taken.append(self._waiting.get_nowait())
                except Empty:
                    break
            going = taken[-1] is not None
            # Whoever stopped waiting was answered that nothing is stored: so be it.
            self._store_all([one for one in taken if one and not one[1].cancelled()])

    def _store_all(self, batch: list[_Asked]) -> None:
        if not batch:
            return
        receipts: Sequence[Receipt | Exception]
        try:
            receipts = self.store([asked for asked, _ in batch])
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            receipts = [error] * len(batch)
        answers = [answer for _, answer in batch]
        # Woken once for all: to wake a loop costs more than what an answer takes.
        with suppress(RuntimeError):  # it is closed: nobody waits any more
            answers[0].get_loop().call_soon_threadsafe(_settle, answers, receipts)

    def _redelivered(self, asked: Job) -> Receipt:
        if not self._ledger.dead(asked.key) or self._ledger.waiting(asked.key):
            return Receipt.KNOWN
        enqueue(self._client, asked.anew())
        return Receipt.AGAIN


def _settle(
    answers: Sequence["asyncio.Future[Receipt]"], receipts: Sequence[Receipt | Exception]
) -> None:
    for answer, receipt in zip(answers, receipts, strict=True):
        if answer.done():  # nobody waited so long
            continue
        if isinstance(receipt, Exception):
            answer.set_exception(receipt)
        else:
            answer.set_result(receipt)
