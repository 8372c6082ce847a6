"""A machine that stops hands its jobs over only when nothing of them can still land at GitHub."""

import threading
import time

import pytest
import sqlalchemy as sa

from bot.database import Database
from bot.forge.error import ForgeError
from bot.machines import Machines, Permit
from bot.outgoing import Outgoing
from bot.records.tables import machines
from bot.records.upgrade import upgrade
from tests.postgres import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]


def test_closing_waits_for_what_is_under_way() -> None:
    outgoing, ended = Outgoing(), threading.Event()

    def write() -> None:
        with outgoing.one():
            begun.set()
            ended.wait(10)

    begun = threading.Event()
    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(10)
    assert not outgoing.close(0.05)
    ended.set()
    assert outgoing.close(10)
    thread.join()


def test_nothing_begins_once_it_is_closed() -> None:
    outgoing = Outgoing()
    assert outgoing.close(0)
    with pytest.raises(ForgeError) as raised, outgoing.one():
        pass
    assert raised.value.retry


def test_a_write_that_failed_is_not_under_way() -> None:
    outgoing = Outgoing()
    with pytest.raises(ForgeError), outgoing.one():
        raise ForgeError("status 502", retry=True)
    began = time.monotonic()
    assert outgoing.close(10)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("under_way", [False, True])
def test_jobs_are_handed_over_at_once_unless_a_write_may_still_land(
    postgres: str, *, under_way: bool
) -> None:
    database = Database(postgres)
    upgrade(database.engine)
    with database.engine.begin() as connection:  # what DBOS makes when it starts
        connection.execute(sa.text("CREATE SCHEMA dbos"))
        connection.execute(
            sa.text(
                "CREATE TABLE dbos.workflow_status (workflow_uuid text, status text, "
                "queue_name text, executor_id text, owner_xid text, started_at_epoch_ms bigint)"
            )
        )
    stopping = Machines(database, lambda _name: None)
    stopping.start()
    with database.engine.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO dbos.workflow_status VALUES ('a', 'PENDING', 'jobs', :machine)"),
            {"machine": stopping.machine},
        )
    if under_way:
        with Permit(stopping, stopping.machine).writing():
            stopping.stop(0.05)
    else:
        stopping.stop(0.05)
    assert not stopping.may(stopping.machine)
    with database.engine.connect() as connection:
        known = connection.execute(sa.select(sa.func.count()).select_from(machines)).scalar()
        status = connection.execute(sa.text("SELECT status FROM dbos.workflow_status")).scalar()
    database.close()
    assert (known, status) == ((1, "PENDING") if under_way else (0, "ENQUEUED"))
