"""What the table of jobs says, past DBOS: its documented system table `workflow_status`.

DBOS lists workflows by queue, but not by partition. Conditions on the state are literals, each with
the states that one of its partial indexes is for: SQLite takes such an index only where its own
condition stands in the query, and would read the whole table otherwise.
"""

import time

import sqlalchemy as sa

from bot.database import Database
from bot.metrics import Depth
from bot.room import Pause
from bot.shared import jobs_table

_WAITING, _POSTPONED, _RUNNING = "ENQUEUED", "DELAYED", "PENDING"
_DEAD = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_INDEXED = (  # the states of each partial index of DBOS, in its order
    (_WAITING, _RUNNING),
    (_POSTPONED,),
    ("ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"),
)


class Ledger:
    """Questions about the jobs of one queue."""

    def __init__(self, database: Database, queue: str) -> None:
        self._engine = database.engine
        self._jobs = jobs_table(is_sqlite=database.is_sqlite)
        self._queue = queue

    def ping(self) -> None:
        """Ask the database anything at all."""
        with self._engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))

    def waiting(self, key: str) -> list[str]:
        """Name the jobs of this key that have not started."""
        return self._of(key, (_WAITING, _POSTPONED), self._jobs.c.queue_name == self._queue)

    def serve(self, key: str) -> int:
        """Take the jobs of this key that have not started off the queue: one that runs does them.

        Each was waiting at that very moment, whatever other machines do; the columns are those of
        DBOS's own cancelling.
        """
        at = self._jobs.c
        now = round(time.time() * 1000)
        with self._engine.begin() as connection:
            return sum(
                connection.execute(
                    sa.update(self._jobs)
                    .where(at.queue_partition_key == key, self._is(state))
                    .where(at.queue_name == self._queue)
                    .values(
                        status="CANCELLED",
                        owner_xid=None,
                        queue_name=None,
                        deduplication_id=None,
                        started_at_epoch_ms=None,
                        updated_at=now,
                        completed_at=now,
                    )
                ).rowcount
                for state in (_WAITING, _POSTPONED)
            )

    def running(self, key: str) -> dict[str, str]:
        """Name the jobs of this key that run, with the machine of each."""
        at = self._jobs.c
        query = sa.select(at.workflow_uuid, at.executor_id).where(
            at.queue_partition_key == key, self._is(_RUNNING), at.queue_name == self._queue
        )
        with self._engine.connect() as connection:
            return {row.workflow_uuid: row.executor_id for row in connection.execute(query)}

    def interrupted(self) -> set[str]:
        """Return the keys of all jobs that count as running, before any of this start does."""
        at = self._jobs.c
        query = sa.select(at.queue_partition_key).where(
            self._is(_RUNNING), at.queue_name == self._queue
        )
        with self._engine.connect() as connection:
            return set(connection.execute(query).scalars())

    def claims(self, machine: str) -> list[tuple[str, str]]:
        """Name the jobs that count as running on a machine, each with the owner of its claim."""
        at = self._jobs.c
        query = sa.select(at.workflow_uuid, at.owner_xid).where(
            self._is(_RUNNING),
            at.executor_id == machine,
            at.queue_name == self._queue,
            at.owner_xid.is_not(None),
        )
        with self._engine.connect() as connection:
            return [(row.workflow_uuid, row.owner_xid) for row in connection.execute(query)]

    def put_back(self, job: str, owner: str) -> int:
        """Let a job be claimed anew, as by DBOS's recovery, unless its claim is another by now."""
        at = self._jobs.c
        with self._engine.begin() as connection:
            return connection.execute(
                sa.update(self._jobs)
                .where(at.workflow_uuid == job, at.owner_xid == owner)
                .where(at.status == _literal(_RUNNING))
                .values(status=_WAITING, owner_xid=None, started_at_epoch_ms=None)
            ).rowcount

    def others_wait(self, installation: int) -> bool:
        """Tell whether a job waits that is no pull request of this installation."""
        at = self._jobs.c
        query = sa.select(sa.literal(1)).where(
            self._is(_WAITING),
            at.queue_name == self._queue,
            at.queue_partition_key.not_like(f"pull {installation}/%"),
        )
        with self._engine.connect() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def hold(self, installation: int, pause: Pause) -> int:
        """Have the waiting pull requests of an installation wait longer, one after the other."""
        at = self._jobs.c
        ranked = (
            sa.select(
                at.workflow_uuid, sa.func.row_number().over(order_by=at.created_at).label("n")
            )
            .where(self._is(_WAITING), at.queue_name == self._queue)
            .where(at.queue_partition_key.like(f"pull {installation}/%"))
            .subquery("ranked")
        )
        now = round((time.time() + pause.first) * 1000)
        with self._engine.begin() as connection:
            return connection.execute(
                sa.update(self._jobs)
                .where(at.workflow_uuid == ranked.c.workflow_uuid)
                .where(at.status == _literal(_WAITING))
                .values(
                    status=_POSTPONED,
                    delay_until_epoch_ms=now + ranked.c.n * round(pause.each * 1000),
                )
            ).rowcount

    def dead(self, key: str) -> list[str]:
        """Name the jobs of this key that were given up."""
        return self._of(key, _DEAD)

    def depth(self) -> Depth:
        """Count the jobs by state, all at the same instant."""
        at = self._jobs.c
        states = (_WAITING, _POSTPONED, _RUNNING, *_DEAD)
        query = (
            sa.select(at.status, sa.func.count().label("jobs"), sa.func.min(at.created_at))
            .where(at.status.in_([_literal(state) for state in states]))
            .group_by(at.status)
        )
        with self._engine.connect() as connection:
            rows = {state: (jobs, oldest) for state, jobs, oldest in connection.execute(query)}
        jobs = {state: rows.get(state, (0, None))[0] for state in states}
        oldest = rows.get(_WAITING, (0, None))[1]
        return Depth(
            waiting=jobs[_WAITING],
            postponed=jobs[_POSTPONED],
            running=jobs[_RUNNING],
            dead=sum(jobs[state] for state in _DEAD),
            oldest=max(0.0, time.time() - oldest / 1000) if oldest else 0.0,
        )

    def _is(self, state: str) -> sa.ColumnElement[bool]:
        """Compare the state, so that the index over it and its like is used."""
        at = self._jobs.c
        [like] = [states for states in _INDEXED if state in states]
        has_key = at.queue_partition_key.is_not(None)
        return sa.and_(
            at.status == _literal(state),
            at.status.in_([_literal(one) for one in like]) if len(like) > 1 else sa.true(),
            has_key,
        )

    def _of(
        self, key: str, states: tuple[str, ...], *conditions: sa.ColumnElement[bool]
    ) -> list[str]:
        at = self._jobs.c
        with self._engine.connect() as connection:
            return [
                row.workflow_uuid
                for state in states
                for row in connection.execute(
                    sa.select(at.workflow_uuid)
                    .where(at.queue_partition_key == key, self._is(state))
                    .where(*conditions)
                )
            ]


def _literal(state: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{state}'", sa.Text)
