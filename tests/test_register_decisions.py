"""The register's other page: who justified what, when and why."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bot.publish.audit import MERGED, VERDICT, AuditedGrant, Entry
from bot.pull import PullRef
from bot.records.store import Records
from bot.records.tables import people, repositories
from tests.github.fixtures import github
from tests.test_register import HOSTILE, Place, place

__all__ = ["github", "place"]

AT = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.fixture
def signed_in(place: Place) -> Place:
    """Some decisions about two repositories, one of which dev may not see."""
    grant = AuditedGrant(
        "held", "compose.yaml", 6, "service web", "nginx", "docker", "bind-mount", "critical", "f1"
    )
    records = Records(place.engine)

    def put(repo: str, number: int, event: str = VERDICT, **other: Any) -> None:
        conclusion = other.pop("conclusion", "success")
        pull = PullRef(1, "Acme", repo, number)
        entry = Entry(
            pull, event, AT + timedelta(days=number), "a" * 40, "dev", conclusion, "justified",
            grants=(grant,), **other,
        )  # fmt: skip
        records.record(entry)

    put("shop", 1, actor="mia", role="maintain", reason=HOSTILE)
    put("shop", 2, actor="mia", role="maintain")
    put("shop", 3, conclusion="failure", refused_actor="tess", refused_why="the role is not enough")
    put("shop", 4, conclusion="failure")
    put("shop", 4, MERGED, actor="ada", conclusion="failure")
    put("hidden", 5, actor="secret-person", role="admin", reason="secret reason")
    place.acme.github.signing_in.person = place.acme.dev
    place.back(place.to_github())
    return place


def test_a_person_sees_the_decisions_of_what_they_may_see(signed_in: Place) -> None:
    page = signed_in.browser.get("/register/justifications").text
    assert "2 decisions" in page
    assert "justified by mia (maintain)" in page
    assert "without a reason" in page
    assert "<script>alert" not in page
    everything = [page]
    for kind in ("justified", "orphaned", "refused", "past-red", "all", "?"):
        for path in ("", ".csv", ".json"):
            where = f"/register/justifications{path}?kind={kind}&page=7"
            answer = signed_in.browser.get(where)
            assert answer.status_code == 200
            everything.append(answer.text)
    assert not any("secret" in text or "hidden" in text for text in everything)


def test_each_kind_of_decision_can_be_asked_for(signed_in: Place) -> None:
    def pulls(query: str) -> list[int]:
        answer = signed_in.browser.get(f"/register/justifications.json?{query}")
        return [one["pull"] for one in answer.json()]

    assert pulls("kind=justified") == [2, 1]
    assert pulls("kind=orphaned") == [2]  # without a reason
    assert pulls("kind=refused") == [3]
    assert pulls("kind=past-red") == [4]
    assert pulls("kind=all") == [4, 4, 3, 2, 1]
    assert pulls("kind=justified&by=MIA&repository=acme/SHOP") == [2, 1]
    assert pulls("kind=justified&by=nobody") == []


def test_a_person_who_has_lost_the_role_is_told(signed_in: Place) -> None:
    with signed_in.engine.begin() as connection:
        shop = connection.execute(
            sa.select(repositories.c.id).where(repositories.c.place == "acme/shop")
        ).scalar_one()
        connection.execute(
            sa.insert(people).values(
                repository=shop, login="mia", role="none", looked_up_at="2026-11-24T00:00:00Z"
            )
        )
    answer = signed_in.browser.get("/register/justifications.json?kind=orphaned")
    assert [one["pull"] for one in answer.json()] == [2, 1]
    page = signed_in.browser.get("/register/justifications?kind=orphaned").text
    assert "now: none" in page


def test_a_merge_past_a_red_check_stands_out(signed_in: Place) -> None:
    page = signed_in.browser.get("/register/justifications?kind=past-red").text
    assert "merged by ada" in page
    assert "while the check was red" in page


def test_a_spreadsheet_gets_the_same(signed_in: Place) -> None:
    answer = signed_in.browser.get("/register/justifications.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["pull"], row["actor"], row["grants"]) for row in rows] == [
        ("2", "mia", "1"),
        ("1", "mia", "1"),
    ]


def test_nobody_who_is_not_signed_in_sees_decisions(place: Place) -> None:
    assert "Sign in with GitHub" in place.browser.get("/register/justifications").text
    for path in (".csv", ".json"):
        assert place.browser.get(f"/register/justifications{path}").status_code == 401
