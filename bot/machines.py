"""Which machines are alive, and whose jobs the others take over.

Each process is a machine with a name of its own for each start. It says every few seconds, by the
database's clock, that it is there. Whoever finds one silent for too long strikes it off and puts
its jobs back, in one transaction, so that happens once. A machine that cannot say so stops asking
GitHub for anything well before the others take its jobs over: at once for what has not been sent,
and a write under way ends in between, since it takes 12 s to connect and 12 s more at most.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import uuid4

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.database import Database
from bot.forge.error import ForgeError
from bot.outgoing import Outgoing
from bot.records.tables import machines
from bot.shared import clock, jobs_table

BEAT = 5.0  # seconds between two signs of life
LAPSE = 15.0  # seconds after the last that the database took, within which a machine may work
SILENCE = 40.0  # seconds after which the others take over: LAPSE, and what a write may take

_log = structlog.stdlib.get_logger("sockgate.machines")


@dataclass(frozen=True, slots=True)
class Times:
    """How often, and how long, in seconds."""

    beat: float = BEAT
    lapse: float = LAPSE
    silence: float = SILENCE


class Alone:
    """The one machine of a database in a file: nobody takes over, so nothing can be lost."""

    machine = "local"  # the same at each start, so a restart takes up what was left
    living = 1

    def __init__(self) -> None:
        self.outgoing = Outgoing()

    def start(self) -> None:
        """Begin."""

    def stop(self, seconds: float) -> None:
        """End; what is under way at GitHub gets so many seconds."""
        self.outgoing.close(seconds)

    def may(self, machine: str) -> bool:
        """Tell whether what this machine began may go on."""
        return machine == self.machine


class Machines:
    """This process among the machines of one database."""

    def __init__(
        self, database: Database, renamed: Callable[[str], None], times: Times | None = None
    ) -> None:
        self._times = times or Times()
        self._engine = database.private()
        self._renamed = renamed
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="heartbeat", daemon=True)
        self._good_until = 0.0
        self.machine = _new_name()
        self.living = 1
        self.outgoing = Outgoing()

    def start(self) -> None:
        """Sign on, and take over what is left of machines that are gone."""
        self.beat()
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Sign off: whatever this machine still runs is put back at once for the others.

        What is under way at GitHub gets so many seconds. If it takes longer, the others have to
        notice by themselves that this machine is gone: it has ended by then.
        """
        ended = self.outgoing.close(seconds)
        self._end.set()
        self._thread.join(self._times.beat)
        self._good_until = 0.0
        try:
            if not ended:
                _log.warning("not signed off: a write is under way", seconds=self._times.silence)
                return
            with self._engine.begin() as connection:
                connection.execute(sa.delete(machines).where(machines.c.id == self.machine))
                self._put_back(connection)
        except SQLAlchemyError:
            _log.warning("not signed off: the others notice", seconds=self._times.silence)
        finally:
            self._engine.dispose()

    def may(self, machine: str) -> bool:
        """Tell whether what was begun under this name may go on."""
        return machine == self.machine and _now() < self._good_until

    def beat(self) -> None:
        """Say that this machine is there, and look after the others. Raises SQLAlchemyError."""
        began = _now()
        now = clock(is_sqlite=False)
        with self._engine.begin() as connection:
            known = connection.execute(
                sa.update(machines).where(machines.c.id == self.machine).values(beat_at=now)
            ).rowcount
            name = self.machine if known else _new_name()
            if not known:
                connection.execute(sa.insert(machines).values(id=name, beat_at=now))
        if name != self.machine or not self._good_until:
            if self._good_until:
                _log.warning("taken for dead: this machine goes on under a new name", machine=name)
            self._renamed(name)
            self.machine = name
        self._good_until = began + self._times.lapse
        self._look_after_others()

    def _look_after_others(self) -> None:
        at = machines.c
        with self._engine.begin() as connection:
            silent = connection.execute(
                sa.select(at.id)
                .where(at.beat_at < clock(is_sqlite=False) - self._times.silence)
                .with_for_update(skip_locked=True)
            ).scalars()
            dead = list(silent)
            if dead:
                connection.execute(sa.delete(machines).where(at.id.in_(dead)))
            put_back = self._put_back(connection)
            query = sa.select(sa.func.count()).select_from(machines)
            self.living = max(1, connection.execute(query).scalar_one())
        if dead or put_back:
            _log.warning("jobs taken over", machines=dead, jobs=put_back)

    def _put_back(self, connection: sa.Connection) -> int:
        """Put back the jobs that run on no machine that is there, as DBOS's recovery does."""
        jobs = jobs_table(is_sqlite=False)
        return connection.execute(
            sa.update(jobs)
            .where(jobs.c.status == sa.literal_column("'PENDING'"))
            .where(~sa.exists().where(machines.c.id == jobs.c.executor_id))
            .where(jobs.c.queue_name.is_not(None))
            .values(status="ENQUEUED", owner_xid=None, started_at_epoch_ms=None)
        ).rowcount

    def _go_on(self) -> None:
        while not self._end.wait(self._times.beat):
            try:
                self.beat()
            except SQLAlchemyError as error:
                _log.warning("no sign of life given", reason=type(error).__name__)


@dataclass(frozen=True, slots=True)
class Permit:
    """What a job may still ask of GitHub, and with how many machines it shares the pace."""

    machines: "Machines | Alone"
    machine: str

    def writing(self) -> AbstractContextManager[None]:
        """Have a write under way. Raises ForgeError where this machine is stopping."""
        return self.machines.outgoing.one()

    def sharers(self) -> int:
        """Return with how many machines the pace is shared. Raises ForgeError where all is lost."""
        if not self.machines.may(self.machine):
            raise ForgeError("out of touch with the database", retry=True)
        return self.machines.living


def _new_name() -> str:
    return uuid4().hex


def _now() -> float:
    """Return seconds that go on while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
