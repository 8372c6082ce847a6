"""The register of 10,000 repositories: every page is a page of the database, and quick."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
import sqlalchemy as sa

from bot.records.tables import audit, people, register_grants, repositories, stamp
from bot.records.upgrade import upgrade
from bot.register import decisions
from bot.register.look import PAGE, count, everything, filter_of, one_page, unread
from bot.register.sessions import find_session, open_session
from bot.register.trend import trend

REPOSITORIES, EACH = 10_000, 5
GRANTS = REPOSITORIES * EACH
NOW = datetime(2026, 11, 23, tzinfo=UTC)
SECONDS = 2.0  # of the processor, for a page with all that stands on it; it takes a fifth of it


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    folder = tmp_path_factory.mktemp("register")
    engine = sa.create_engine(f"sqlite:///{folder / 'sockgate.sqlite'}")
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(repositories), [_repository(n) for n in range(REPOSITORIES)])
        connection.execute(sa.insert(register_grants), [_grant(n) for n in range(GRANTS)])
        connection.execute(sa.insert(audit), [_decision(n) for n in range(REPOSITORIES)])
        role = {"login": "mia", "role": "none", "looked_up_at": stamp(NOW)}
        known = [{"repository": n + 1} | role for n in range(0, REPOSITORIES, 10)]
        connection.execute(sa.insert(people), known)
    yield engine
    engine.dispose()


def _repository(number: int) -> dict[str, object]:
    name = f"shop-{number}"
    return {
        "id": number + 1, "installation": 1, "place": f"acme/{name}", "owner": "Acme",
        "name": name, "private": True, "branch": "main", "head": "a" * 40, "digest": "d",
        "scanned_at": stamp(NOW), "failed": "too large" if number % 500 == 0 else "",
    }  # fmt: skip


def _grant(number: int) -> dict[str, object]:
    by = "mia" if number % 3 else ""
    return {
        "repository": number // EACH + 1, "fingerprint": f"{number:032x}",
        "path": f"deploy/{number % 7}/compose.yaml", "line": number % 90 + 1,
        "subject": f"service s{number}", "image": f"acme/{number % 40}", "resource": "docker",
        "how": "bind-mount", "severity": "high" if number % 4 else "critical", "count": 1,
        "first_seen": stamp(NOW - timedelta(days=number % 120)),
        "gone_at": stamp(NOW - timedelta(days=number % 30)) if number % 5 == 0 else None,
        "justified_by": by, "justified_at": stamp(NOW) if by else None,
        "reason": "builds" if number % 2 else "",
    }  # fmt: skip


def _decision(number: int) -> dict[str, object]:
    return {
        "key": f"{number}", "at": stamp(NOW), "event": "verdict", "installation": 1,
        "repository": f"Acme/shop-{number}", "place": f"acme/shop-{number}", "pull": 1,
        "head": "a" * 40, "author": "dev", "conclusion": "success", "because": "justified",
        "actor": "mia", "role": "maintain", "reason": "", "label_event": 1,
        "labelled_at": stamp(NOW), "refused_actor": "", "refused_why": "", "policy": "",
    }  # fmt: skip


@pytest.fixture(scope="module")
def session(engine: sa.Engine) -> str:
    """Sign somebody in who may see all of them."""
    secret = open_session(engine, "ann", range(1, REPOSITORIES + 1), NOW)
    found = find_session(engine, secret, NOW)
    assert found is not None
    return found.id


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"page": "800"},
        {"sort": "repository", "order": "up", "page": "400"},
        {"sort": "severity"},
        {"sort": "path", "page": "799"},
        {"text": "s4999"},
        {"repository": "Acme/shop-77"},
        {"image": "acme/4", "severity": "critical"},
        {"justified": "orphaned", "state": "all", "page": "100"},
        {"state": "gone"},
    ],
    ids=lambda asked: "&".join(f"{name}={text}" for name, text in asked.items()) or "first",
)
def test_a_page_of_grants_is_quick(engine: sa.Engine, session: str, asked: dict[str, str]) -> None:
    wanted = filter_of(asked)
    before = process_time()
    number = count(engine, session, wanted)
    rows = one_page(engine, session, wanted)
    over_time = trend(engine, session, NOW.date())
    failed = unread(engine, session)
    assert process_time() - before < SECONDS
    assert 0 < len(rows) <= min(PAGE, number)
    assert len(over_time.days) == 90
    assert len(failed) == 20


@pytest.mark.parametrize("asked", [{}, {"kind": "all", "page": "190"}, {"kind": "orphaned"}])
def test_a_page_of_decisions_is_quick(
    engine: sa.Engine, session: str, asked: dict[str, str]
) -> None:
    wanted = decisions.wanted_of(asked)
    before = process_time()
    number = decisions.count(engine, session, wanted)
    rows = decisions.one_page(engine, session, wanted)
    assert process_time() - before < SECONDS
    assert 0 < len(rows) <= min(PAGE, number)


def test_all_of_it_comes_out_line_by_line(engine: sa.Engine, session: str) -> None:
    rows = everything(engine, session, filter_of({"state": "all"}))
    assert next(rows)["repository"].startswith("Acme/")
    assert sum(1 for _ in rows) == GRANTS - 1
