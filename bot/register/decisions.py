"""Who decided what: the audit log, as far as a session may see its repositories."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.publish.audit import MERGED, VERDICT
from bot.records.tables import audit, audited_grants, people, repositories, session_repositories
from bot.register.look import LOST, PAGE, page_of, said

KINDS = ("justified", "refused", "past-red", "orphaned", "all")

_a, _r, _s, _p = audit.c, repositories.c, session_repositories.c, people.c
_FROM = (
    audit.join(repositories, _r.place == _a.place)
    .join(session_repositories, _s.repository == _r.id)
    .outerjoin(people, sa.and_(_p.repository == _r.id, _p.login == sa.func.lower(_a.actor)))
)
_GRANTS = (
    sa.select(sa.func.count())
    .where(audited_grants.c.audit == _a.id)
    .correlate(audit)
    .scalar_subquery()
)
_COLUMNS = (
    _a.at,
    _a.repository,
    _a.pull,
    _a.event,
    _a.conclusion,
    _a.author,
    _a.actor,
    _a.role,
    _a.reason,
    _a.refused_actor,
    _a.refused_why,
    _a.head,
    _a.policy,
    _GRANTS.label("grants"),
    sa.func.coalesce(_p.role, "").label("role_now"),
)
FIELDS = tuple(column.key or column.name for column in _COLUMNS)
_JUSTIFIED = sa.and_(_a.event == VERDICT, _a.actor != "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which decisions to show, as the address says it."""

    kind: str = "justified"
    repository: str = ""
    by: str = ""
    page: int = 1


def wanted_of(query: Mapping[str, str]) -> Wanted:
    """Read what is wanted from an address. What makes no sense there counts as not said."""
    kind = said(query, "kind")
    return Wanted(
        kind=kind if kind in KINDS else "justified",
        repository=said(query, "repository"),
        by=said(query, "by"),
        page=page_of(query),
    )


def count(engine: sa.Engine, session: str, wanted: Wanted) -> int:
    """Count the decisions that a session may see and that fit."""
    query = sa.select(sa.func.count()).select_from(_FROM).where(*_conditions(session, wanted))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def one_page(engine: sa.Engine, session: str, wanted: Wanted) -> list[dict[str, Any]]:
    """Return one page of the decisions that a session may see and that fit, newest first."""
    chosen = _query(session, wanted).limit(PAGE).offset((wanted.page - 1) * PAGE)
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(chosen).mappings()]


def everything(engine: sa.Engine, session: str, wanted: Wanted) -> Iterator[dict[str, Any]]:
    """Yield all that a session may see and that fits, in the order of the pages."""
    with engine.connect() as connection:
        answer = connection.execution_options(yield_per=500).execute(_query(session, wanted))
        for row in answer.mappings():
            yield dict(row)


def _query(session: str, wanted: Wanted) -> sa.Select[Any]:
    chosen = sa.select(*_COLUMNS).select_from(_FROM).where(*_conditions(session, wanted))
    return chosen.order_by(_a.id.desc())


def _conditions(session: str, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    yield _s.session == session
    if wanted.repository:
        yield _a.place == wanted.repository.lower()
    if wanted.by:
        yield sa.func.lower(_a.actor) == wanted.by.lower()
    match wanted.kind:
        case "justified":
            yield _JUSTIFIED
        case "refused":
            yield _a.refused_why != ""
        case "past-red":
            yield sa.and_(_a.event == MERGED, _a.conclusion != "success")
        case "orphaned":
            yield sa.and_(_JUSTIFIED, sa.or_(sa.func.trim(_a.reason) == "", _p.role.in_(LOST)))
