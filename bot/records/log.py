"""Reading the audit log: which entries, and in which form."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import sqlalchemy as sa

from bot.publish.plain import visible
from bot.records.tables import audit, audited_grants

_FORMULA = frozenset("=+-@\t\r\n")  # what a cell begins with that is not taken for a text
_AT_ONCE = 500  # entries read in one go


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries to read; all of them where nothing is said."""

    repository: str = ""  # "owner/repo", in any case
    pull: int = 0
    since: str = ""  # "2026-11-24" or a longer prefix of a time in UTC
    until: str = ""  # likewise; up to and with it
    actor: str = ""  # login of who justified


@dataclass(frozen=True, slots=True)
class LoggedGrant:
    """One grant that an entry is about."""

    standing: str
    path: str
    line: int
    subject: str
    image: str | None
    resource: str
    how: str
    severity: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry of the log, as it was written."""

    id: int
    at: str
    event: str
    repository: str
    pull: int
    head: str
    author: str
    conclusion: str
    because: str
    actor: str
    role: str
    reason: str
    labelled_at: str | None
    refused_actor: str
    refused_why: str
    policy: str
    grants: tuple[LoggedGrant, ...]

    def document(self) -> dict[str, object]:
        """Return it as plain JSON values."""
        values: dict[str, object] = {one.name: getattr(self, one.name) for one in fields(self)}
        values["grants"] = [
            {one.name: getattr(grant, one.name) for one in fields(grant)} for grant in self.grants
        ]
        return values


def read(engine: sa.Engine, wanted: Wanted) -> Iterator[Logged]:
    """Yield the entries, oldest first."""
    at = audit.c
    last = 0
    while True:
        query = sa.select(audit).where(*_conditions(wanted), at.id > last)
        with engine.connect() as connection:
            rows = connection.execute(query.order_by(at.id).limit(_AT_ONCE)).all()
            grants = _grants(connection, [row.id for row in rows])
        for row in rows:
            yield Logged(
                **{
                    one.name: getattr(row, one.name)
                    for one in fields(Logged)
                    if one.name != "grants"
                },
                grants=tuple(grants.get(row.id, ())),
            )
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def as_json(entries: Iterable[Logged]) -> Iterator[str]:
    """Write one JSON object a line."""
    for entry in entries:
        yield json.dumps(entry.document(), ensure_ascii=True)


def as_csv(entries: Iterable[Logged]) -> Iterator[str]:
    """Write one line a grant, for a spreadsheet."""
    of_entry = [one.name for one in fields(Logged) if one.name != "grants"]
    of_grant = [one.name for one in fields(LoggedGrant)]
    yield csv_line([*of_entry, *of_grant])
    for entry in entries:
        start = [getattr(entry, name) for name in of_entry]
        for grant in entry.grants or (None,):
            yield csv_line([*start, *(getattr(grant, name) if grant else "" for name in of_grant)])


def as_table(entries: Iterable[Logged]) -> Iterator[str]:
    """Write a few columns for a person."""
    yield f"{'when':20}  {'pull request':32}  {'grants':>6}  what"
    for entry in entries:
        where = f"{entry.repository}#{entry.pull}"
        yield f"{entry.at:20}  {where:32}  {len(entry.grants):>6}  {_plain(_told(entry))}"


def _told(entry: Logged) -> str:
    match entry.event:
        case "merged":
            state = "" if entry.conclusion == "success" else ", while the check was red"
            return f"merged by {entry.actor or 'nobody known'}{state}"
        case "closed":
            return "closed"
    if entry.actor:
        why = f": {entry.reason}" if entry.reason else ", without a reason"
        return f"justified by {entry.actor} ({entry.role}){why}"
    if entry.refused_why:
        return f"{entry.conclusion}; {entry.refused_why} ({entry.refused_actor or 'nobody known'})"
    return f"{entry.conclusion}: {entry.because}, asked for by {entry.author or 'nobody known'}"


def _plain(text: str) -> str:
    """Keep a text on its line, and a terminal from obeying it."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return shown if len(shown) <= 160 else shown[:159] + "…"


def csv_line(values: Iterable[object]) -> str:
    """Write one line of CSV. What a spreadsheet would take for a formula is kept a text."""
    out = io.StringIO()
    texts = ["" if value is None else visible(str(value)) for value in values]
    csv.writer(out, lineterminator="\r\n").writerow(
        [f"'{text}" if text[:1] in _FORMULA else text for text in texts]
    )
    return out.getvalue().removesuffix("\r\n")


def _conditions(wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    at = audit.c
    if wanted.repository:
        yield at.place == wanted.repository.lower()
    if wanted.pull:
        yield at.pull == wanted.pull
    if wanted.since:
        yield at.at >= wanted.since
    if wanted.until:
        yield at.at < f"{wanted.until}~"
    if wanted.actor:
        yield sa.func.lower(at.actor) == wanted.actor.lower()


def _grants(connection: sa.Connection, numbers: list[int]) -> dict[int, list[LoggedGrant]]:
    found: dict[int, list[LoggedGrant]] = {}
    if not numbers:
        return found
    columns = [audited_grants.c[one.name] for one in fields(LoggedGrant)]
    query = (
        sa.select(audited_grants.c.audit, *columns)
        .where(audited_grants.c.audit.between(numbers[0], numbers[-1]))
        .order_by(audited_grants.c.id)
    )
    for number, *values in connection.execute(query):
        found.setdefault(number, []).append(LoggedGrant(*values))
    return found
