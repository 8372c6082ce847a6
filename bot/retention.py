"""Jobs that are over are removed after a while, so that the database stays bounded.

What was given up stays, however old: it waits for a person, or for a later success.
"""

import time
from collections.abc import Callable

import sqlalchemy as sa
from dbos import DBOSClient

from bot.database import Database
from bot.records.tables import redeliveries
from bot.shared import clock, jobs_table

BATCH = 500  # jobs removed in one transaction
_OVER = ("SUCCESS", "CANCELLED")
_REDELIVERIES = 4 * 86_400.0  # seconds: longer than GitHub keeps what they name


def remove_old(
    database: Database,
    client: DBOSClient,
    seconds: float,
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Remove the jobs that were over so long ago; return how many."""
    jobs = jobs_table(is_sqlite=database.is_sqlite)
    before = round((time.time() - seconds) * 1000)
    removed = 0
    for state in _OVER:
        query = (
            sa.select(jobs.c.workflow_uuid)
            .where(jobs.c.status == sa.literal_column(f"'{state}'"))
            .where(sa.func.coalesce(jobs.c.completed_at, jobs.c.updated_at) < before)
            .where(jobs.c.created_at < before)
            .limit(BATCH)
        )
        while go_on():
            with database.engine.connect() as connection:
                old = list(connection.execute(query).scalars())
            if old:
                client.delete_workflows(old)
                removed += len(old)
            if len(old) < BATCH:
                break
    with database.engine.begin() as connection:
        past = clock(is_sqlite=database.is_sqlite) - _REDELIVERIES
        connection.execute(sa.delete(redeliveries).where(redeliveries.c.asked_at < past))
    if database.is_sqlite and removed:
        # What was removed is used again; the write-ahead log goes back to its usual size.
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return removed
