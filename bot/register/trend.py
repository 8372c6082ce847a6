"""How many grants there were on each day, drawn by the server as one line."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from bot.records.tables import register_grants, session_repositories

WIDTH, HEIGHT = 720, 160
_DAYS = 90
_POINTS = 13  # rows of the table beside it


@dataclass(frozen=True, slots=True)
class Trend:
    """The last weeks, a day each."""

    days: tuple[tuple[str, int], ...]

    @property
    def most(self) -> int:
        """The height of the chart, in grants."""
        return max(1, *(number for _, number in self.days))

    @property
    def line(self) -> str:
        """The points of the line, as SVG writes them."""
        step = WIDTH / max(1, len(self.days) - 1)
        heights = (HEIGHT - number * HEIGHT / self.most for _, number in self.days)
        return " ".join(f"{n * step:.1f},{height:.1f}" for n, height in enumerate(heights))

    @property
    def rows(self) -> tuple[tuple[str, int], ...]:
        """Some of the days, the last one among them, for the table."""
        step = max(1, len(self.days) // _POINTS)
        return self.days[::-1][::step]


def trend(engine: sa.Engine, session: str, today: date) -> Trend:
    """Count what a session may see, for each of the last ninety days."""
    at = register_grants.c
    start = today - timedelta(days=_DAYS - 1)
    with engine.connect() as connection:
        came = _by_day(connection, session, at.first_seen)
        went = _by_day(connection, session, at.gone_at)
    number = sum(_before(came, start)) - sum(_before(went, start))
    days = []
    for offset in range(_DAYS):
        day = (start + timedelta(days=offset)).isoformat()
        number += came[day] - went[day]
        days.append((day, number))
    return Trend(tuple(days))


def _before(found: Counter[str], start: date) -> Iterable[int]:
    return (number for day, number in found.items() if day < start.isoformat())


def _by_day(
    connection: sa.Connection, session: str, column: sa.ColumnElement[str | None]
) -> Counter[str]:
    day = sa.func.substr(column, 1, 10)
    seen = session_repositories.c
    query = (
        sa.select(day, sa.func.count())
        .select_from(
            register_grants.join(
                session_repositories, seen.repository == register_grants.c.repository
            )
        )
        .where(seen.session == session, column.is_not(None))
        .group_by(day)
    )
    return Counter({str(one): int(number) for one, number in connection.execute(query)})
