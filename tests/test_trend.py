"""How many grants there were on each day, counted from when each came and went."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from bot.detect.grant import Grant, How
from bot.records.register import Register, Scanned
from bot.records.upgrade import upgrade
from bot.register.sessions import find_session, open_session
from bot.register.trend import HEIGHT, WIDTH, Trend, trend

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def engine() -> Iterator[sa.Engine]:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    upgrade(engine)
    yield engine
    engine.dispose()


def found(engine: sa.Engine, repository: int, days: int, *paths: str) -> None:
    """Note what a scan found so many days ago."""
    one = Scanned(
        repository,
        1,
        "acme",
        f"r{repository}",
        is_private=True,
        branch="main",
        head="a" * 40,
        digest=str(days),
    )
    grants = [Grant(path, 1, "", "service a", None, "docker", How.MOUNT) for path in paths]
    Register(engine).found(one, grants, NOW - timedelta(days=days))


def seen(engine: sa.Engine, *repositories: int) -> Trend:
    session = find_session(engine, open_session(engine, "ann", repositories, NOW), NOW)
    assert session is not None
    return trend(engine, session.id, NOW.date())


def test_each_day_has_what_was_there(engine: sa.Engine) -> None:
    found(engine, 1, 200, "old")
    found(engine, 1, 10, "old", "short")
    found(engine, 1, 5, "old")
    found(engine, 1, 0, "old", "new", "newer")
    found(engine, 2, 3, "of a repository that is not to be seen")
    days = dict(seen(engine, 1).days)
    assert len(days) == 90
    wanted = {"2026-08-26": 1, "2026-11-12": 1, "2026-11-13": 2, "2026-11-17": 2, "2026-11-18": 1}
    assert {day: days[day] for day in wanted} == wanted
    assert days["2026-11-23"] == 3
    assert dict(seen(engine, 1, 2).days)["2026-11-23"] == 4


def test_the_line_is_drawn_from_edge_to_edge_and_the_table_begins_with_today(
    engine: sa.Engine,
) -> None:
    nothing = seen(engine, 1)
    assert nothing.most == 1
    assert {point.split(",")[1] for point in nothing.line.split()} == {f"{HEIGHT:.1f}"}
    found(engine, 1, 0, "new")
    over_time = seen(engine, 1)
    assert over_time.line.split()[0] == f"0.0,{HEIGHT:.1f}"
    assert over_time.line.split()[-1] == f"{WIDTH:.1f},0.0"
    assert over_time.rows[0] == ("2026-11-23", 1)
    assert len(over_time.rows) == 15
