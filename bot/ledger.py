"""What the table of jobs says, read past DBOS: its documented system table `workflow_status`.

DBOS lists workflows by queue, but not by partition; states are written as literals because
its partial indexes are chosen by them.
"""

import time

import sqlalchemy as sa

from bot.database import SCHEMA, Database
from bot.metrics import Depth

_WAITING, _POSTPONED, _RUNNING = "ENQUEUED", "DELAYED", "PENDING"
_DEAD = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Ledger:
    """Questions about the jobs of one queue."""

    def __init__(self, database: Database, queue: str) -> None:
        self._engine = database.engine
        self._jobs = sa.table(
            "workflow_status",
            sa.column("workflow_uuid", sa.Text),
            sa.column("status", sa.Text),
            sa.column("queue_name", sa.Text),
            sa.column("queue_partition_key", sa.Text),
            sa.column("created_at", sa.BigInteger),
            schema=None if database.is_sqlite else SCHEMA,
        )
        self._queue = queue

    def ping(self) -> None:
        """Ask the database anything at all."""
        with self._engine.connect() as connection:
            connection.execute(sa.text("SELECT 1"))

    def waiting(self, key: str) -> list[str]:
        """Name the jobs of this key that have not started."""
        return self._of(key, (_WAITING, _POSTPONED), self._jobs.c.queue_name == self._queue)

    def dead(self, key: str) -> list[str]:
        """Name the jobs of this key that were given up."""
        return self._of(key, _DEAD)

    def depth(self) -> Depth:
        """Count the jobs by state."""
        at = self._jobs.c
        with self._engine.connect() as connection:

            def count(state: str) -> int:
                query = sa.select(sa.func.count()).select_from(self._jobs)
                return connection.execute(query.where(at.status == _literal(state))).scalar_one()

            oldest = connection.execute(
                sa.select(sa.func.min(at.created_at)).where(at.status == _literal(_WAITING))
            ).scalar_one()
            return Depth(
                waiting=count(_WAITING),
                postponed=count(_POSTPONED),
                running=count(_RUNNING),
                dead=sum(map(count, _DEAD)),
                oldest=max(0.0, time.time() - oldest / 1000) if oldest else 0.0,
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
                    .where(at.queue_partition_key == key, at.status == _literal(state))
                    .where(*conditions)
                )
            ]


def _literal(state: str) -> sa.ColumnElement[str]:
    return sa.literal_column(f"'{state}'", sa.Text)
