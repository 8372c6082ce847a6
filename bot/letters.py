"""Dead letters: jobs that were given up, to be seen and to be tried again by hand.

A server may be running on the same database meanwhile.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from dbos import DBOSClient

from bot.database import beside
from bot.jobs import Job, job
from bot.stored import APPLICATION, WORKFLOW, enqueue

_STATES = {
    "ENQUEUED": "waiting",
    "DELAYED": "postponed",
    "PENDING": "running",
    "ERROR": "dead",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "dead",
}
DEAD = tuple(state for state, name in _STATES.items() if name == "dead")


@dataclass(frozen=True, slots=True)
class Letter:
    """One job as people see it."""

    id: str
    state: str  # waiting, postponed, running or dead
    about: str  # the key of what it looks at
    delivery: str
    attempt: int  # failures before this one
    since: str  # UTC
    why: str  # it was given up; empty for the others


class Letters:
    """The jobs of a database that are not over."""

    def __init__(self, engine: sa.Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine, application_name=APPLICATION, lazy=True
        )

    def read(self, *, dead: bool = True, most: int = 500) -> list[Letter]:
        """Return them oldest first, at most so many; `dead`: only those that were given up."""
        return [letter for letter, _ in self._found(DEAD if dead else tuple(_STATES), most)]

    def retry(self, ids: Collection[str] = (), *, every: bool = False) -> list[str]:
        """Try dead letters again, as if nothing had been tried; return the ids of those found.

        A letter is gone then: should the new job be given up too, it leaves another.
        """
        tried = []
        for letter, asked in self._found(DEAD, None):
            if every or letter.id in ids:
                enqueue(self._client, asked.anew())
                self._client.delete_workflows([letter.id])
                tried.append(letter.id)
        return tried

    def _found(self, states: Sequence[str], most: int | None) -> Iterator[tuple[Letter, Job]]:
        for one in self._client.list_workflows(status=list(states), name=WORKFLOW, limit=most):
            if one.input is None:
                continue
            asked = job(one.input["args"][0])
            since = datetime.fromtimestamp((one.created_at or 0) / 1000, UTC)
            yield (
                Letter(
                    one.workflow_id,
                    _STATES[one.status],
                    asked.key,
                    asked.delivery,
                    asked.attempt,
                    since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                    str(one.error) if one.error is not None else "",
                ),
                asked,
            )


def letters_of(url: str) -> Letters:
    """Open the letters of a database beside its server. Raises DatabaseError."""
    return Letters(beside(url))


def as_json(found: Sequence[Letter]) -> str:
    """Write them for a program."""
    return json.dumps([asdict(one) for one in found], indent=2)


def as_table(found: Sequence[Letter]) -> str:
    """Write them for people; what a pull request says cannot steer a terminal."""
    rows = [("ID", "STATE", "ABOUT", "SINCE", "WHY")]
    rows += [(one.id, one.state, one.about, one.since, one.why) for one in found]
    clean = [["".join(c if c.isprintable() else " " for c in cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )
