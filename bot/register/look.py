"""What the register's pages ask of the database. Every question names the session it is for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.records.tables import people, register_grants, repositories, session_repositories

PAGE = 50  # grants a page
_LONGEST = 200  # characters of a filter
_STATES = ("now", "gone", "all")
_JUSTIFIED = ("", "yes", "no", "orphaned")
LOST = ("none", "read", "triage")  # roles that justify nothing under any policy's default

_g, _r, _s, _p = register_grants.c, repositories.c, session_repositories.c, people.c
_PLACE = _r.owner + "/" + _r.name
SORTS: Mapping[str, sa.ColumnElement[Any]] = {
    "since": _g.first_seen,
    "repository": _r.place,
    "severity": _g.severity,
    "path": _g.path,
}
_FROM = (
    register_grants.join(repositories, _r.id == _g.repository)
    .join(session_repositories, _s.repository == _g.repository)
    .outerjoin(
        people, sa.and_(_p.repository == _g.repository, _p.login == sa.func.lower(_g.justified_by))
    )
)
_ORPHANED = sa.and_(
    _g.justified_by != "",
    sa.or_(sa.func.trim(_g.reason) == "", _p.role.in_(LOST)),
)
_COLUMNS = (
    _PLACE.label("repository"),
    _r.private,
    _r.branch,
    _r.head,
    _g.path,
    _g.line,
    _g.subject,
    _g.image,
    _g.resource,
    _g.how,
    _g.severity,
    _g.count,
    _g.first_seen,
    _g.gone_at,
    _g.justified_by,
    _g.justified_at,
    _g.reason,
    sa.func.coalesce(_p.role, "").label("role_now"),
)
FIELDS = tuple(column.key or column.name for column in _COLUMNS)


@dataclass(frozen=True, slots=True)
class Filter:
    """What to show, as the address says it. What makes no sense there counts as not said."""

    text: str = ""
    repository: str = ""
    severity: str = ""
    how: str = ""
    image: str = ""
    state: str = "now"
    justified: str = ""
    sort: str = "since"
    down: bool = True
    page: int = 1


def said(query: Mapping[str, str], name: str) -> str:
    """Return one value of an address, cut to what a filter may be."""
    return query.get(name, "").strip()[:_LONGEST].replace("\0", "")


def page_of(query: Mapping[str, str]) -> int:
    """Return the page that an address asks for, from 1."""
    page = said(query, "page")
    return min(int(page), 1_000_000) if page.isascii() and page.isdigit() and int(page) else 1


def filter_of(query: Mapping[str, str]) -> Filter:
    """Read the filter of an address."""
    state, justified, sort = (said(query, name) for name in ("state", "justified", "sort"))
    return Filter(
        text=said(query, "text"),
        repository=said(query, "repository"),
        severity=said(query, "severity"),
        how=said(query, "how"),
        image=said(query, "image"),
        state=state if state in _STATES else "now",
        justified=justified if justified in _JUSTIFIED else "",
        sort=sort if sort in SORTS else "since",
        down=said(query, "order") != "up",
        page=page_of(query),
    )


def count(engine: sa.Engine, session: str, wanted: Filter) -> int:
    """Count the grants that a session may see and that fit."""
    query = sa.select(sa.func.count()).select_from(_FROM).where(*_conditions(session, wanted))
    with engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


def one_page(engine: sa.Engine, session: str, wanted: Filter) -> list[dict[str, Any]]:
    """Return one page of the grants that a session may see and that fit."""
    # The numbers first: a database that sorts whole rows is many times slower on a late page.
    chosen = _query(session, wanted).with_only_columns(_g.id)
    chosen = chosen.limit(PAGE).offset((wanted.page - 1) * PAGE)
    with engine.connect() as connection:
        numbers = list(connection.execute(chosen).scalars())
        rows = connection.execute(_query(session, wanted).where(_g.id.in_(numbers))).mappings()
        return [dict(row) for row in rows]


def everything(engine: sa.Engine, session: str, wanted: Filter) -> Iterator[dict[str, Any]]:
    """Yield all that a session may see and that fits, in the order of the pages."""
    with engine.connect() as connection:
        answer = connection.execution_options(yield_per=500).execute(_query(session, wanted))
        for row in answer.mappings():
            yield dict(row)


def unread(engine: sa.Engine, session: str) -> list[tuple[str, str]]:
    """Return some repositories that the last scan could not read, and why."""
    query = (
        sa.select(_PLACE, _r.failed)
        .select_from(repositories.join(session_repositories, _s.repository == _r.id))
        .where(_s.session == session, _r.failed != "")
        .order_by(_r.place)
        .limit(PAGE)
    )
    with engine.connect() as connection:
        return [(place, why) for place, why in connection.execute(query)]


def _query(session: str, wanted: Filter) -> sa.Select[Any]:
    by = SORTS[wanted.sort]
    order = (by.desc(), _g.id.desc()) if wanted.down else (by.asc(), _g.id.asc())
    chosen = sa.select(*_COLUMNS).select_from(_FROM)
    return chosen.where(*_conditions(session, wanted)).order_by(*order)


def _conditions(session: str, wanted: Filter) -> Iterator[sa.ColumnElement[bool]]:
    yield _s.session == session
    if wanted.state != "all":
        yield _g.gone_at.is_(None) if wanted.state == "now" else _g.gone_at.is_not(None)
    for column, value in (
        (_r.place, wanted.repository.lower()),
        (_g.severity, wanted.severity),
        (_g.how, wanted.how),
        (_g.image, wanted.image),
    ):
        if value:
            yield column == value
    if wanted.text:
        places = (_r.place, _g.path, _g.subject, _g.image, _g.resource, _g.justified_by, _g.reason)
        yield sa.or_(*(column.icontains(wanted.text, autoescape=True) for column in places))
    match wanted.justified:
        case "yes":
            yield _g.justified_by != ""
        case "no":
            yield _g.justified_by == ""
        case "orphaned":
            yield _ORPHANED
