"""Jobs that count as running here while nothing does them: put back, so that none waits for good.

DBOS (3.4, `_queue.py` and `_core.py`) marks a job as running before it reads it, and writes what
became of it afterwards. Where either fails for another reason than a lost connection, as on a full
disk or with a database that takes no writes for a while, it forgets the job: the row says that it
runs, on a machine that is alive, and what comes later for the same pull request waits behind it.
"""

import threading
from collections.abc import Callable

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.ledger import Ledger
from bot.machines import Alone, Machines

LOOK = 30.0  # seconds between two looks; what is lost in two of them is put back

_log = structlog.stdlib.get_logger("sockgate.lost")


class Lost:
    """Looks after the jobs of one machine."""

    def __init__(
        self,
        ledger: Ledger,
        machines: Alone | Machines,
        under_way: Callable[[], frozenset[str]],
    ) -> None:
        self._ledger, self._machines, self._under_way = ledger, machines, under_way
        self._before: frozenset[tuple[str, str]] = frozenset()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="lost", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End; a look that has begun is not waited for."""
        self._end.set()

    def look(self) -> int:
        """Put back what is lost now and was at the look before; return how many jobs.

        A claim is named by the owner that DBOS gives it: a job claimed anew is not the one of
        before. If what is put back is done after all, its outcome is not taken any more.
        """
        claims = self._ledger.claims(self._machines.machine)
        here = self._under_way()  # after that: what ended meanwhile is lost in one look at most
        lost = frozenset((job, owner) for job, owner in claims if job not in here)
        again = self._before & lost
        self._before = lost
        put_back = sum(self._ledger.put_back(job, owner) for job, owner in again)
        if put_back:
            _log.warning("jobs put back that nothing did", jobs=put_back)
        return put_back

    def _go_on(self) -> None:
        while not self._end.wait(LOOK):
            try:
                self.look()
            except SQLAlchemyError as error:
                _log.warning("no look for lost jobs", reason=type(error).__name__)
