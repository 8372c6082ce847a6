"""What the inbox stores is, column by column, what DBOS would have stored."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS, DBOSClient

from bot.database import SCHEMA, Database
from bot.inbox import Inbox
from bot.jobs import Job
from bot.pull import PullRef
from bot.stored import APPLICATION, ROW, options
from bot.wake import Repository, WakePull, WakeRepository
from tests.postgres import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]

PULL = Job("id-1", "id-1", WakePull(PullRef(7, "Octo", "hello", 5)), trace="00-a-b-01")
# What a label is called comes from people.
LABEL = Job("id-2", "id-2", WakeRepository(Repository(7, "octo", "hello"), ('é"\\\u2028', "b")))


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path}/x" if sqlite else request.getfixturevalue("postgres")
    made = Database(url)
    DBOS.migrate(url)
    yield made
    made.close()


def plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what differs each time but is there, and read what is JSON."""
    found = dict(row)
    for each in {"created_at", "updated_at", "creator_xid", "retention_timestamp"} & set(row):
        assert found.pop(each)
    return found | ({"inputs": json.loads(found["inputs"])} if found["inputs"] else {})


def rows(database: Database, name: str) -> dict[str, dict[str, Any]]:
    prefix = "" if database.is_sqlite else f"{SCHEMA}."
    with database.engine.connect() as connection:
        found = connection.execute(sa.text(f"SELECT * FROM {prefix}{name}")).mappings()
        return {row["workflow_uuid"]: plain(dict(row)) for row in found}


@pytest.mark.parametrize("asked", [PULL, LABEL])
def test_each_column_is_as_dbos_writes_it(database: Database, asked: Job) -> None:
    client = DBOSClient(
        system_database_engine=database.engine, application_name=APPLICATION, lazy=True
    )
    tables = ("workflow_status", "workflow_input")
    with database.engine.begin() as connection:
        client.enqueue_in_transaction(connection, options(asked), asked.document())
    theirs = [rows(database, name) for name in tables]
    assert all(theirs)
    client.delete_workflows([asked.id])
    with database.engine.begin() as connection:
        assert Inbox(database, ROW).store(connection, [asked]) == {asked.id}
    assert [rows(database, name) for name in tables] == theirs


def test_a_job_is_stored_once_and_the_first_form_stays(database: Database) -> None:
    inbox = Inbox(database, ROW)
    other = Job(PULL.root, "another", PULL.target)
    with database.engine.begin() as connection:
        assert inbox.store(connection, [PULL, LABEL, other]) == {"id-1", "id-2"}
    with database.engine.begin() as connection:
        assert inbox.store(connection, [other]) == set()
    [call] = rows(database, "workflow_input")["id-1"]["inputs"]["positionalArgs"]
    assert call == PULL.document()
    assert len(rows(database, "workflow_status")) == 2
