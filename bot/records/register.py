"""Writing the register: what a scan of a default branch found, compared with the scan before."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from bot.detect.grant import Grant
from bot.publish.audit import HELD, MERGED, VERDICT
from bot.records.store import storable
from bot.records.tables import (
    audit,
    audited_grants,
    people,
    register_grants,
    repositories,
    session_repositories,
    stamp,
)


@dataclass(frozen=True, slots=True)
class Scanned:
    """A repository as a scan saw it."""

    id: int  # REST
    installation: int
    owner: str
    name: str
    is_private: bool
    branch: str
    head: str
    digest: str  # of the files in scope, and of the version that read them
    failed: str = ""  # why nothing could be read


class Register:
    """The register's tables, for scans. Raises SQLAlchemyError where the database is away."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def known(self, repository: int) -> tuple[str, str]:
        """Return head and digest of the last scan that went well, empty where there is none."""
        at = repositories.c
        with self._engine.connect() as connection:
            row = connection.execute(
                sa.select(at.head, at.digest).where(at.id == repository, at.failed == "")
            ).first()
        return (row.head, row.digest) if row else ("", "")

    def seen(self, one: Scanned, now: datetime) -> None:
        """Note a repository whose grants are as they were, or could not be read."""
        with self._engine.begin() as connection:
            _note(connection, one, now)
            _justify(connection, one)

    def found(self, one: Scanned, grants: Iterable[Grant], now: datetime) -> None:
        """Note what a repository grants now: what is new since the last scan, and what is gone."""
        together: dict[str, list[Grant]] = defaultdict(list)
        for grant in grants:
            together[grant.fingerprint].append(grant)
        at = register_grants.c
        with self._engine.begin() as connection:
            _note(connection, one, now)
            present = connection.execute(
                sa.select(at.id, at.fingerprint).where(
                    at.repository == one.id, at.gone_at.is_(None)
                )
            ).all()
            gone = [row.id for row in present if row.fingerprint not in together]
            for number in gone:
                connection.execute(
                    sa.update(register_grants).where(at.id == number).values(gone_at=stamp(now))
                )
            known = {row.fingerprint: row.id for row in present}
            for fingerprint, alike in together.items():
                row = _row(alike)
                if fingerprint in known:
                    change = sa.update(register_grants).where(at.id == known[fingerprint])
                    connection.execute(change.values(row))
                else:
                    new = {"repository": one.id, "first_seen": stamp(now)}
                    new |= {"justified_by": "", "reason": ""}
                    connection.execute(sa.insert(register_grants).values(row | new))
            _justify(connection, one)

    def to_look_up(self, repository: int, before: datetime) -> tuple[str, ...]:
        """Return who justified what is there now, and whose role was not looked up since then."""
        at = register_grants.c
        fresh = sa.select(people.c.login).where(
            people.c.repository == repository, people.c.looked_up_at >= stamp(before)
        )
        query = sa.select(sa.func.lower(at.justified_by)).where(
            at.repository == repository,
            at.gone_at.is_(None),
            at.justified_by != "",
            sa.func.lower(at.justified_by).not_in(fresh),
        )
        with self._engine.connect() as connection:
            return tuple(sorted(set(connection.execute(query).scalars())))

    def roles(self, repository: int, found: Mapping[str, str], now: datetime) -> None:
        """Keep the roles that these logins have now."""
        with self._engine.begin() as connection:
            for login, role in found.items():
                connection.execute(
                    sa.delete(people).where(
                        people.c.repository == repository, people.c.login == login.lower()
                    )
                )
                connection.execute(
                    sa.insert(people).values(
                        repository=repository,
                        login=login.lower(),
                        role=role,
                        looked_up_at=stamp(now),
                    )
                )

    def forget(self, installation: int, places: Iterable[str] = ()) -> None:
        """Remove repositories, by "owner/repo"; all of the installation where none is named."""
        at = repositories.c
        of_them = [at.installation == installation]
        named = [place.lower() for place in places]
        if named:
            of_them.append(at.place.in_(named))
        with self._engine.begin() as connection:
            numbers = list(connection.execute(sa.select(at.id).where(*of_them)).scalars())
            _remove(connection, numbers)


def _remove(connection: sa.Connection, numbers: Iterable[int]) -> None:
    for number in numbers:
        for table in (register_grants, people, session_repositories):
            connection.execute(sa.delete(table).where(table.c.repository == number))
        connection.execute(sa.delete(repositories).where(repositories.c.id == number))


def _note(connection: sa.Connection, one: Scanned, now: datetime) -> None:
    at = repositories.c
    row = {
        "installation": one.installation,
        "place": f"{one.owner}/{one.name}".lower(),
        "owner": one.owner,
        "name": one.name,
        "private": one.is_private,
        "branch": storable(one.branch),
        "head": one.head,
        "digest": one.digest,
        "scanned_at": stamp(now),
        "failed": storable(one.failed),
    }
    changed = connection.execute(sa.update(repositories).where(at.id == one.id).values(row))
    if not changed.rowcount:
        connection.execute(sa.insert(repositories).values(row | {"id": one.id}))


def _row(alike: list[Grant]) -> dict[str, object]:
    """Return what stands for grants of one fingerprint: the first of them, and their number."""
    first = min(alike, key=lambda one: one.line)
    row: dict[str, object] = {
        "fingerprint": first.fingerprint,
        "path": first.path,
        "line": first.line,
        "subject": first.subject,
        "image": first.image,
        "resource": first.resource,
        "how": str(first.how),
        "severity": str(first.severity),
        "count": len(alike),
    }
    return {name: storable(value) for name, value in row.items()}


def _justify(connection: sa.Connection, one: Scanned) -> None:
    """Link each grant that nothing is said of yet to who justified it, from the audit log.

    That is the last verdict before the newest merge that brought it, if that verdict was green by
    somebody's justification. A later merge that brought the same grant again does not count: the
    grant was there.
    """
    at = register_grants.c
    place = f"{one.owner}/{one.name}".lower()
    open_ones = connection.execute(
        sa.select(at.id, at.fingerprint).where(
            at.repository == one.id, at.gone_at.is_(None), at.audit.is_(None)
        )
    ).all()
    for row in open_ones:
        merged = connection.execute(
            sa.select(audit.c.id, audit.c.pull)
            .join(audited_grants, audited_grants.c.audit == audit.c.id)
            .where(
                audited_grants.c.fingerprint == row.fingerprint,
                audited_grants.c.standing == HELD,
                audit.c.place == place,
                audit.c.event == MERGED,
            )
            .order_by(audit.c.id.desc())
            .limit(1)
        ).first()
        if merged is None:
            continue
        said = connection.execute(
            sa.select(audit)
            .where(
                audit.c.place == place,
                audit.c.pull == merged.pull,
                audit.c.event == VERDICT,
                audit.c.id < merged.id,
            )
            .order_by(audit.c.id.desc())
            .limit(1)
        ).first()
        if said is None or said.conclusion != "success" or not said.actor:
            continue
        connection.execute(
            sa.update(register_grants)
            .where(at.id == row.id)
            .values(
                audit=said.id,
                justified_by=said.actor,
                justified_at=said.labelled_at or said.at,
                reason=said.reason,
            )
        )
