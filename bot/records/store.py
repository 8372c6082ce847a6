"""The memory of an evaluation, kept in the database."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.gate.facts import CheckRun
from bot.memory import MemoryFailedError
from bot.publish.audit import VERDICT, AuditedGrant, Entry
from bot.pull import PullRef
from bot.records.tables import audit, audited_grants, moment, published_checks, stamp

_GRANT = (
    "standing",
    "path",
    "line",
    "subject",
    "image",
    "resource",
    "how",
    "severity",
    "fingerprint",
)
_LONGEST = 4_000  # characters of one value; whatever a pull request says, a row stays small


class Records:
    """Keeps what was published and decided. Safe to share between threads."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine

    def checks(self, pull: PullRef) -> tuple[CheckRun, ...]:
        """Return our runs that spoke of this pull request, oldest first."""
        at = published_checks.c
        query = (
            sa.select(published_checks)
            .where(at.place == _place(pull), at.pull == pull.number)
            .order_by(at.completed_at, at.run)
        )
        with self._open() as connection:
            return tuple(
                CheckRun(
                    head=row.head,
                    completed_at=moment(row.completed_at),
                    pulls=frozenset(row.pulls),
                    shown=frozenset(row.shown),
                    label=row.label_event,
                    covers=frozenset(row.covers),
                    digest=row.digest,
                    id=row.run,
                )
                for row in connection.execute(query)
            )

    def remember(self, pull: PullRef, runs: Iterable[CheckRun]) -> None:
        """Keep runs that showed something; those known already stay as they are."""
        of_worth = {run.id: run for run in runs if run.shown and run.completed_at is not None}
        if not of_worth:
            return
        at = published_checks.c
        with self._open() as connection:
            known = connection.execute(
                sa.select(at.run).where(at.place == _place(pull), at.pull == pull.number)
            )
            new = [of_worth[run] for run in of_worth.keys() - {row.run for row in known}]
            if new:
                connection.execute(
                    sa.insert(published_checks), [_row_of_run(pull, run) for run in new]
                )

    def record(self, entry: Entry) -> None:
        """Append an entry to the audit log.

        Not where the newest entry of the pull request says the same, nor where nothing was ever
        found in it. The end of a pull request is recorded with what was said of it last.
        """
        with self._open() as connection:
            last = connection.execute(
                sa.select(audit)
                .where(audit.c.place == _place(entry.pull), audit.c.pull == entry.pull.number)
                .order_by(audit.c.id.desc())
                .limit(1)
            ).first()
            if last is None and not entry.grants:
                return
            row = _row_of_entry(entry)
            grants = [_row_of_grant(one) for one in entry.grants]
            if last is not None and entry.event != VERDICT:
                row |= {"conclusion": last.conclusion, "because": last.because}
                row |= {"policy": last.policy}
                grants = _grants_of(connection, last.id)
            if last is not None and last.key == row["key"]:
                return
            number = connection.execute(
                sa.insert(audit).values(row).returning(audit.c.id)
            ).scalar_one()
            if grants:
                connection.execute(
                    sa.insert(audited_grants), [one | {"audit": number} for one in grants]
                )

    @contextmanager
    def _open(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or error
            raise MemoryFailedError(f"the database: {type(cause).__name__}") from error


def _place(pull: PullRef) -> str:
    return f"{pull.owner}/{pull.repo}".lower()


def _row_of_run(pull: PullRef, run: CheckRun) -> dict[str, object]:
    return {
        "place": _place(pull),
        "pull": pull.number,
        "run": run.id,
        "head": run.head,
        "completed_at": stamp(run.completed_at) if run.completed_at else "",
        "pulls": sorted(run.pulls),
        "shown": sorted(run.shown),
        "label_event": run.label,
        "covers": sorted(run.covers),
        "digest": run.digest,
    }


def _row_of_entry(entry: Entry) -> dict[str, object]:
    row: dict[str, object] = {
        "at": stamp(entry.at),
        "event": entry.event,
        "installation": entry.pull.installation,
        "repository": f"{entry.pull.owner}/{entry.pull.repo}",
        "place": _place(entry.pull),
        "pull": entry.pull.number,
        "head": entry.head,
        "author": entry.author,
        "conclusion": entry.conclusion,
        "because": entry.because,
        "actor": entry.actor,
        "role": entry.role,
        "reason": entry.reason,
        "label_event": entry.label_event,
        "labelled_at": stamp(entry.labelled_at) if entry.labelled_at else None,
        "refused_actor": entry.refused_actor,
        "refused_why": entry.refused_why,
        "policy": entry.policy,
        "key": entry.key,
    }
    return {name: storable(value) for name, value in row.items()}


def _row_of_grant(one: AuditedGrant) -> dict[str, object]:
    return {name: storable(getattr(one, name)) for name in _GRANT}


def storable(value: object) -> object:
    """Make a text one that every database takes: PostgreSQL has no NUL, UTF-8 no lone surrogate."""
    if not isinstance(value, str):
        return value
    text = value[:_LONGEST].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode()


def _grants_of(connection: sa.Connection, number: int) -> list[dict[str, object]]:
    columns = [audited_grants.c[name] for name in _GRANT]
    query = sa.select(*columns).where(audited_grants.c.audit == number)
    return [dict(row) for row in connection.execute(query).mappings()]
