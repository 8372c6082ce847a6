"""Storing many deliveries at once: two statements for all, where DBOS takes two for each.

At a few hundred deliveries a second building those statements was half of the processor's time.
The rows are the ones that `DBOSClient.enqueue_in_transaction` writes; a test compares them column
by column.
"""

import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bot.database import SCHEMA, Database
from bot.jobs import Job

_STATUS = (
    "workflow_uuid",
    "status",
    "name",
    "queue_name",
    "queue_partition_key",
    "application_version",
    "application_name",
    "recovery_attempts",
    "priority",
    "serialization",
    "creator_xid",
    "attributes",
)


class Inbox:
    """The tables that a job is stored in; `same` is what all jobs have in common."""

    def __init__(self, database: Database, same: dict[str, Any]) -> None:
        insert = sqlite.insert if database.is_sqlite else postgresql.insert
        schema = None if database.is_sqlite else SCHEMA
        self._same = same
        jobs = sa.table("workflow_status", *map(_column, _STATUS), schema=schema)
        inputs = sa.table(
            "workflow_input", sa.column("workflow_uuid"), sa.column("inputs"), schema=schema
        )
        self._jobs = (
            insert(jobs)
            .on_conflict_do_nothing(index_elements=["workflow_uuid"])
            .returning(jobs.c.workflow_uuid)
        )
        self._inputs = insert(inputs).on_conflict_do_nothing(index_elements=["workflow_uuid"])

    def store(self, connection: sa.Connection, batch: Iterable[Job]) -> set[str]:
        """Store each job whose id is not known yet; return the ids of those."""
        jobs: dict[str, Job] = {}
        for one in batch:
            jobs.setdefault(one.id, one)
        rows = [
            self._same
            | {"workflow_uuid": one.id, "queue_partition_key": one.key, "creator_xid": str(uuid4())}
            for one in jobs.values()
        ]
        stored = set(connection.execute(self._jobs, rows).scalars())
        inputs = [
            {"workflow_uuid": one.id, "inputs": _inputs(one)}
            for one in jobs.values()
            if one.id in stored
        ]
        if inputs:
            connection.execute(self._inputs, inputs)
        return stored


def _column(name: str) -> "sa.ColumnClause[Any]":
    return sa.column(name)


def _inputs(one: Job) -> str:
    """Write a job as the argument of its workflow, in DBOS's portable form."""
    call = {"namedArgs": {}, "positionalArgs": [one.document()]}
    return json.dumps(call, separators=(",", ":"))
