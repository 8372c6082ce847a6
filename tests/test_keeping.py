"""What stays bounded, what is tried again by hand, and who waits for whom."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from bot.cli import main
from bot.database import Database, DatabaseError
from bot.forge.error import ForgeError
from bot.intake import Receipt
from bot.jobs import Job
from bot.letters import letters_of
from bot.pull import PullRef
from bot.retention import remove_old
from bot.stored import APPLICATION, options
from bot.wake import WakePull
from bot.worker import WORKERS
from tests.here import hand_in
from tests.postgres import postgres, postgres_server
from tests.test_queue import Running, asked, until

__all__ = ["postgres", "postgres_server"]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


def client_of(running: Running) -> DBOSClient:
    engine = running.database.engine
    return DBOSClient(system_database_engine=engine, application_name=APPLICATION, lazy=True)


def other(delivery: str, number: int) -> Job:
    return Job(delivery, delivery, WakePull(PullRef(8, "acme", "shop", number)))


def test_a_dead_letter_is_seen_and_tried_again(
    running: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    running.fake.errors = [ForgeError("403: \x1b[31mno", retry=False)]
    running.put(asked("one"))
    until(lambda: running.intake.depth().dead == 1)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{running.file}")
    capsys.readouterr()  # the log
    assert main(["jobs", "--dead", "--format", "json"]) == 0
    (seen,) = json.loads(capsys.readouterr().out)
    assert (seen["id"], seen["state"], seen["delivery"]) == ("one", "dead", "one")
    assert "403" in seen["why"]
    assert main(["jobs"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    assert main(["jobs", "retry", "two"]) == 2
    assert main(["jobs", "retry"]) == 2
    assert running.fake.ended == []
    assert main(["jobs", "retry", "one"]) == 0
    until(lambda: running.fake.ended == [1])
    running.settled()
    assert letters_of(os.environ["DATABASE_URL"]).read(dead=False) == []


def test_letters_of_no_database_are_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="There is no database"):
        letters_of(f"sqlite:///{tmp_path}/none.sqlite")


def test_what_is_over_is_removed_after_a_while_and_nothing_else(running: Running) -> None:
    running.fake.errors = [ForgeError("403", retry=False)]
    running.put(asked("dead", 9))
    until(lambda: running.intake.depth().dead == 1)
    for number in range(5):
        running.put(asked(f"id-{number}", number))
    until(lambda: len(running.fake.ended) == 5)
    running.settled(dead=1)
    client = client_of(running)
    assert remove_old(running.database, client, 3600) == 0
    assert remove_old(running.database, client, -60) == 5
    assert running.intake.depth().dead == 1
    for table in ("workflow_status", "workflow_input", "workflow_output"):
        with running.database.engine.connect() as connection:
            rows = connection.execute(sa.text(f"SELECT count(*) FROM {table}"))
            assert rows.scalar() == 1
    # Whoever redelivers what was forgotten gets another evaluation; what failed is tried again.
    assert running.put(asked("id-0", 0)) is Receipt.NEW
    assert running.put(asked("dead", 9)) is Receipt.AGAIN
    until(lambda: max(running.fake.ended) == 9)
    running.settled()


def test_of_a_pull_request_that_is_given_up_again_and_again_one_letter_stays(
    running: Running,
) -> None:
    """An App that lost a permission fails at each delivery, for as long as nobody mends it."""
    running.fake.errors = [ForgeError(f"403: {n}", retry=False) for n in range(5)]
    for number in range(5):
        running.put(asked(f"id-{number}"))
        until(lambda: running.metric("dead_letters_total") == number + 1)  # noqa: B023 - at once
        running.settled(dead=1)
    (letter,) = letters_of(f"sqlite:///{running.file}").read()
    assert (letter.id, letter.why) == ("id-4", "403: 4")
    assert running.put(asked("id-4")) is Receipt.AGAIN
    until(lambda: running.fake.ended == [1])
    running.settled()


def deliver_and_forget(running: Running, batch: int, number: int) -> None:
    jobs = [asked(f"id-{batch}-{n}", n % 10) for n in range(number)]
    hand_in(running.intake, *jobs)
    running.settled()
    assert remove_old(running.database, client_of(running), -60) >= number


def test_the_file_stays_as_large_as_what_it_remembers(running: Running) -> None:
    sizes = []
    for batch in range(5):
        deliver_and_forget(running, batch, 400)
        sizes.append(running.file.stat().st_size)
    assert sizes[-1] <= sizes[0] * 1.5, sizes
    assert sizes[-1] < 400 * 4000, sizes


def test_postgresql_stays_as_large_as_what_it_remembers(tmp_path: Path, postgres: str) -> None:
    running = Running(tmp_path, postgres)
    at_once = running.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    sizes = []
    try:
        for batch in range(5):
            deliver_and_forget(running, batch, 400)
            with at_once.connect() as connection:
                connection.exec_driver_sql("VACUUM")  # as PostgreSQL does by itself in time
                query = sa.text("SELECT pg_database_size(current_database())")
                sizes.append(connection.execute(query).scalar_one())
    finally:
        running.stop()
    # Each takes some 2 kB; how full its indexes are kept is PostgreSQL's business.
    assert sizes[-1] - sizes[1] < 3 * 400 * 1000, sizes


def test_an_installation_that_hangs_leaves_room_for_another(running: Running) -> None:
    running.fake.gate.clear()
    for number in range(2 * WORKERS):
        running.put(asked(f"slow-{number}", number))
    until(lambda: len(running.fake.began) >= WORKERS // 2)
    running.put(other("quick", 99))
    until(lambda: 99 in running.fake.began, 5)
    assert len(running.fake.began) <= WORKERS - 3  # the rest waits in the database
    running.fake.gate.set()
    until(lambda: len(set(running.fake.ended)) == 2 * WORKERS + 1, 60)


def test_a_limited_installation_waits_without_a_thread(running: Running) -> None:
    running.fake.errors = [ForgeError("rate limit: reached", retry=True, after=600)]
    running.put(asked("one", 1))
    until(lambda: running.intake.depth().postponed == 1)
    for number in range(2, 8):
        running.put(asked(f"id-{number}", number))
    until(lambda: running.intake.depth().postponed >= 7)
    assert running.fake.began == [1]
    running.put(other("quick", 99))
    until(lambda: 99 in running.fake.ended, 5)
    assert running.fake.began == [1, 99]


def test_a_newer_postgresql_is_refused_in_a_sentence(postgres: str) -> None:
    DBOS.migrate(postgres)
    Database(postgres).close()
    engine = sa.create_engine(postgres)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE dbos.dbos_migrations SET version = version + 1"))
    with pytest.raises(DatabaseError, match="newer version"):
        Database(postgres)
    engine.dispose()


def test_a_job_of_another_build_is_done(running: Running) -> None:
    stored = options(asked("older"))
    assert stored["app_version"] == "1"  # pinned: jobs in databases out there carry it
    client_of(running).enqueue(stored, asked("older", 5).document())
    until(lambda: running.fake.ended == [5])


def test_each_pooled_connection_survives_a_loss_of_power(running: Running) -> None:
    opened = [running.database.engine.connect() for _ in range(8)]
    try:
        for connection in opened:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2  # FULL
            assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
    finally:
        for connection in opened:
            connection.close()
