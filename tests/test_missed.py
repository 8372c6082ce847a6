"""What GitHub could not hand over, and what has no check of ours: found and made good."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.database import Database
from bot.missed import redeliver
from bot.records.upgrade import upgrade
from bot.shared import Lease
from bot.sweep import sweep
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.pulls import GRANTED, Team, team

__all__ = ["github"]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/jobs.sqlite")
    upgrade(made.engine)
    yield made
    made.close()


def again(world: Team, database: Database) -> int:
    found = redeliver(world.forge, database, world.github.clock.now)
    world.github.settle()
    return found


def test_what_was_missed_is_asked_for_once_an_hour(github: SmallGitHub, database: Database) -> None:
    world = team(github)
    github.webhooks.lose(lambda _one: True)
    world.open({"compose.yaml": GRANTED})
    github.settle()
    lost = {one.guid for one in github.webhooks.log if one.event == "pull_request"}
    assert lost
    github.webhooks.lose(None)
    assert again(world, database) >= len(lost)
    asked = [one.guid for one in github.webhooks.log if one.redelivery]
    assert lost <= set(asked)
    assert len(asked) == len(set(asked))  # the App has no server here: each failed again
    assert again(world, database) == 0
    with database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE redeliveries SET asked_at = asked_at - 3601"))
    assert again(world, database) == len(asked)


def test_what_is_older_than_three_days_or_of_no_matter_is_left(
    github: SmallGitHub, database: Database
) -> None:
    world = team(github)
    github.webhooks.lose(lambda _one: True)
    world.open({"compose.yaml": GRANTED})
    github.settle()
    github.clock.advance(timedelta(days=3, minutes=1).total_seconds())
    assert again(world, database) == 0


def test_what_was_answered_well_at_any_attempt_is_left(
    github: SmallGitHub, database: Database
) -> None:
    world = team(github)
    github.webhooks.lose(lambda _one: True)
    world.open({"compose.yaml": GRANTED})
    github.settle()
    for one in github.webhooks.log[::2]:
        one.status, one.status_code = "OK", 202
    bad = {one.guid for one in github.webhooks.log if one.status_code != 202}
    github.webhooks.lose(None)
    again(world, database)
    assert {one.guid for one in github.webhooks.log if one.redelivery} <= bad


def test_only_what_lacks_our_check_is_swept(github: SmallGitHub) -> None:
    world = team(github)
    done = world.open({"compose.yaml": GRANTED})
    world.done(done)
    bare = world.open({"README.md": "y\n"})
    found: list[object] = []
    assert sweep(world.forge, lambda _name, pull: found.append(pull), lambda: True) == 1
    assert found == [world.ref(bare)]
    assert sweep(world.forge, lambda _name, pull: found.append(pull), lambda: False) == 0


def test_half_of_the_rate_limit_is_left_to_evaluations(github: SmallGitHub) -> None:
    world = team(github)
    world.open({"README.md": "y\n"})
    found: list[object] = []
    github.limits.requests = 10
    client = world.forge.client(world.installation)
    for _ in range(6):
        client.get("/repos/acme/shop")
    assert sweep(world.forge, lambda _name, pull: found.append(pull), lambda: True) == 0
    assert found == []


def test_half_of_the_apps_own_limit_is_left_when_deliveries_are_asked_for_again(
    github: SmallGitHub, database: Database
) -> None:
    world = team(github)
    github.webhooks.lose(lambda _one: True)
    for number in range(6):
        world.open({"README.md": f"{number}\n"})
    github.settle()
    github.webhooks.lose(None)
    github.limits.requests = 10
    for _ in range(3):
        world.forge.ask("/app")
    # The list takes the fourth, so two more may be asked for until less than half is left.
    assert again(world, database) == 2
    assert again(world, database) == 1  # that much is known only by asking


def test_a_task_is_one_machines_at_a_time(database: Database) -> None:
    first, second = Lease(database, "a"), Lease(database, "b")
    assert first.take("missed", 60)
    assert not second.take("missed", 60)
    assert not first.take("missed", 60)
    assert not second.extend("missed", 60)
    assert first.extend("missed", -1)
    assert second.take("missed", 60)
    assert not first.extend("missed", 60)
    second.forget()
    assert first.take("missed", 60)
