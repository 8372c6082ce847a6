"""Scanning default branches for the register, against the small GitHub."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.records.register import Register
from bot.records.store import Records
from bot.records.tables import people, register_grants, repositories
from bot.records.upgrade import upgrade
from bot.scan import Found, scan
from bot.wake import Repository
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.pulls import COMPOSE, GRANTED, LABEL, Team, team

__all__ = ["github"]


class Scans:
    """One repository, and the register that its scans fill."""

    def __init__(self, acme: Team, engine: sa.Engine) -> None:
        self.acme, self.engine = acme, engine
        self.register = Register(engine)
        self.records = Records(engine)
        self.at = Repository(acme.installation, "acme", "shop")

    def scan(self) -> Found:
        self.acme.github.clock.advance(60)
        return scan(self.acme.forge, self.register, self.at, self.acme.github.clock.now)

    def rows(self, table: sa.Table = register_grants) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(sa.select(table)))

    def merge(self, text: str, *, label: bool = True) -> None:
        acme = self.acme
        pull = acme.open({"compose.yaml": text})
        acme.done(pull, memory=self.records)
        if label:
            pull.comment("It routes by labels, and reads nothing else.", by=acme.mia)
            pull.label(LABEL, by=acme.mia)
            acme.done(pull, memory=self.records)
        pull.merge(by=acme.mia)
        acme.evaluate(pull, memory=self.records)


@pytest.fixture
def scans(github: SmallGitHub, tmp_path: Path) -> Iterator[Scans]:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'sockgate.sqlite'}")
    upgrade(engine)
    yield Scans(team(github), engine)
    engine.dispose()


def test_a_merged_grant_is_there_with_who_justified_it_and_leaves_with_a_time(scans: Scans) -> None:
    assert scans.scan().changed
    assert scans.rows() == []
    scans.merge(GRANTED)
    scans.scan()
    [row] = scans.rows()
    assert (row.path, row.line, row.subject, row.image) == (
        "compose.yaml",
        6,
        "service web",
        "nginx",
    )
    assert (row.justified_by, row.gone_at, row.count) == ("mia", None, 1)
    assert row.audit is not None
    [person] = scans.rows(people)
    assert (person.login, person.role) == ("mia", "maintain")
    scans.merge(COMPOSE, label=False)
    scans.scan()
    [row] = scans.rows()
    assert row.gone_at > row.first_seen


def test_what_was_merged_while_the_check_was_red_is_justified_by_nobody(scans: Scans) -> None:
    scans.merge(GRANTED, label=False)
    scans.scan()
    [row] = scans.rows()
    assert (row.justified_by, row.audit) == ("", None)


def test_a_merge_that_is_recorded_after_the_scan_is_still_linked(scans: Scans) -> None:
    acme = scans.acme
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull, memory=scans.records)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull, memory=scans.records)
    pull.merge(by=acme.mia)
    scans.scan()
    assert [row.justified_by for row in scans.rows()] == [""]
    acme.evaluate(pull, memory=scans.records)
    scans.scan()
    assert [row.justified_by for row in scans.rows()] == ["mia"]


def test_an_unchanged_head_costs_one_request_and_an_unchanged_scope_two(scans: Scans) -> None:
    scans.scan()
    before = len(scans.acme.requests())
    assert not scans.scan().changed
    assert len(scans.acme.requests()) == before + 1
    scans.acme.shop.commit({"notes.txt": "no grant\n"}, branch="main", by=scans.acme.dev)
    before = len(scans.acme.requests())
    assert not scans.scan().changed
    assert len(scans.acme.requests()) == before + 2


def test_a_role_that_was_lost_shows_a_day_later(scans: Scans) -> None:
    scans.merge(GRANTED)
    scans.scan()
    scans.acme.shop.add_collaborator(scans.acme.mia, "read")
    scans.scan()
    assert [row.role for row in scans.rows(people)] == ["maintain"]
    later = scans.acme.github.clock.now() + timedelta(days=2)
    scan(scans.acme.forge, scans.register, scans.at, lambda: later)
    assert [row.role for row in scans.rows(people)] == ["read"]


def test_a_repository_that_is_taken_out_leaves_nothing(scans: Scans) -> None:
    scans.merge(GRANTED)
    scans.scan()
    scans.register.forget(scans.at.installation, ["Acme/Shop"])
    assert scans.rows() == scans.rows(repositories) == scans.rows(people) == []


def test_a_repository_that_is_gone_leaves_when_it_is_scanned(scans: Scans) -> None:
    scans.merge(GRANTED)
    scans.scan()
    scans.acme.shop.deleted = True
    assert scans.scan().failed
    assert scans.rows() == scans.rows(repositories) == []
