"""How a job lies in the tables of DBOS: under which names, and in which form."""

from dbos import DBOSClient, EnqueueOptions, WorkflowSerializationFormat

from bot.database import Database
from bot.jobs import Job

APPLICATION = "sockgate"
QUEUE = "jobs"
WORKFLOW = "job"
# Pinned: DBOS leaves the jobs of another version alone, and ours outlive upgrades (see `jobs`).
VERSION = "1"
# What all jobs have in common; a test compares it with what `options` leads to.
ROW = {
    "status": "ENQUEUED",
    "name": WORKFLOW,
    "queue_name": QUEUE,
    "application_version": VERSION,
    "application_name": APPLICATION,
    "recovery_attempts": 0,
    "priority": 0,
    "serialization": "portable_json",
    "attributes": "null",
}


def client_of(database: Database) -> DBOSClient:
    """Return a client of DBOS that shares the database's connections."""
    return DBOSClient(
        system_database_engine=database.engine, application_name=APPLICATION, lazy=True
    )


def options(asked: Job) -> EnqueueOptions:
    """Say how DBOS is to store a job."""
    return {
        "workflow_name": WORKFLOW,
        "queue_name": QUEUE,
        "workflow_id": asked.id,
        "queue_partition_key": asked.key,
        "app_version": VERSION,
        "serialization_type": WorkflowSerializationFormat.PORTABLE,
    }


def enqueue(client: DBOSClient, asked: Job, pause: float | None = None) -> None:
    """Store a job, to be done after so many seconds; one that is known already stays as it is."""
    stored = options(asked)
    if pause:
        stored["delay_seconds"] = pause
    client.enqueue(stored, asked.document())
