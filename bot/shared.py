"""What machines on one database share: its clock, the tables, and who does a task for all.

Times are seconds since 1970 by the database's clock, since those of the machines differ.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from bot.database import SCHEMA, Database
from bot.records.tables import leases


def jobs_table(*, is_sqlite: bool) -> sa.TableClause:
    """Return DBOS's documented system table of workflows."""
    return sa.table(
        "workflow_status",
        sa.column("workflow_uuid", sa.Text),
        sa.column("status", sa.Text),
        sa.column("queue_name", sa.Text),
        sa.column("queue_partition_key", sa.Text),
        sa.column("created_at", sa.BigInteger),
        sa.column("updated_at", sa.BigInteger),
        sa.column("completed_at", sa.BigInteger),
        sa.column("started_at_epoch_ms", sa.BigInteger),
        sa.column("delay_until_epoch_ms", sa.BigInteger),
        sa.column("deduplication_id", sa.Text),
        sa.column("executor_id", sa.Text),
        sa.column("owner_xid", sa.Text),
        schema=None if is_sqlite else SCHEMA,
    )


def clock(*, is_sqlite: bool) -> sa.ColumnElement[float]:
    """Return the database's own time."""
    if is_sqlite:
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Double)
    return sa.literal_column("CAST(extract(epoch FROM clock_timestamp()) AS double precision)")


@dataclass(frozen=True, slots=True)
class Lease:
    """A task that one machine does for all, and not again before its time."""

    database: Database
    machine: str

    def take(self, name: str, seconds: float) -> bool:
        """Take a task for so many seconds; False where another has it, or it was just done."""
        now = clock(is_sqlite=self.database.is_sqlite)
        mine = {"machine": self.machine, "until": now + seconds}
        with self.database.engine.begin() as connection:
            taken = connection.execute(
                sa.update(leases).where(leases.c.name == name, leases.c.until <= now).values(mine)
            ).rowcount
            if taken:
                return True
            fresh = sa.select(sa.literal(name), sa.literal(self.machine), now + seconds).where(
                ~sa.exists().where(leases.c.name == name)
            )
            columns = ["name", "machine", "until"]
            try:
                with connection.begin_nested():
                    statement = sa.insert(leases).from_select(columns, fresh)
                    return connection.execute(statement).rowcount == 1
            except sa.exc.IntegrityError:
                return False

    def forget(self) -> None:
        """Let every task be due at once."""
        with self.database.engine.begin() as connection:
            connection.execute(sa.update(leases).values(until=0.0))

    def extend(self, name: str, seconds: float) -> bool:
        """Keep a task for so many seconds from now; False where it was lost meanwhile."""
        now = clock(is_sqlite=self.database.is_sqlite)
        with self.database.engine.begin() as connection:
            kept = connection.execute(
                sa.update(leases)
                .where(leases.c.name == name, leases.c.machine == self.machine)
                .values(until=now + seconds)
            ).rowcount
        return kept == 1
