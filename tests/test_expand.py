"""A wake that is wider than one pull request -> the open pull requests it means."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.expand import expand, groups
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.pace import Pace
from bot.gate.policy import STRICT
from bot.pull import PullRef
from bot.wake import (
    Repository,
    Target,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakePull,
    WakeRepository,
)
from tests.github import PullRequest
from tests.github.fixtures import AFTER, World, github, world
from tests.ports import free_port

CHECK = "docker-socket"

__all__ = ["github", "world"]


class Expanded:
    """The pull requests that a wake means in a world, as repository and number."""

    def __init__(self, world: World) -> None:
        app = world.app
        pace = Pace(0, 0, 0)
        self.world = world
        self.forge = GitHub(app.id, app.private_key, world.github.url, pace=pace)
        self.shop = self.at("shop")

    def at(self, repo: str) -> Repository:
        return Repository(self.world.installation.id, "acme", repo)

    def by(self, target: Target) -> set[tuple[str, int]]:
        found = list(expand(self.forge, target))
        assert {pull.installation for pull in found} <= {self.world.installation.id}
        return {(pull.repo, pull.number) for pull in found}

    def groups(self, target: Target) -> list[WakeGroup]:
        return list(groups(self.forge, target))

    def ref(self, pull: PullRequest) -> PullRef:
        return PullRef(self.shop.installation, "acme", "shop", pull.number)


@pytest.fixture
def expanded(world: World) -> Expanded:
    return Expanded(world)


def test_a_head_means_every_open_pull_request_with_it_forks_included(
    world: World, expanded: Expanded
) -> None:
    stranger = world.github.user("stranger")
    fork = world.shop.fork(stranger)
    first = world.shop.pull({"compose.yml": AFTER}, by=stranger, title="Fork", source=fork)
    fork.push("twin", first.head_sha, by=stranger)
    twin = world.shop.pull(by=stranger, title="Twin", source=fork, branch="twin")
    numbers = {("shop", first.number), ("shop", twin.number)}
    assert expanded.by(WakeHead(expanded.shop, first.head_sha)) == numbers
    assert expanded.by(WakeHead(expanded.shop, "0" * 40)) == set()


def test_a_closed_pull_request_is_not_meant(world: World, expanded: Expanded) -> None:
    sha = world.pull.head_sha
    assert expanded.by(WakeHead(expanded.shop, sha)) == {("shop", world.pull.number)}
    world.pull.close(by=world.dev)
    assert expanded.by(WakeHead(expanded.shop, sha)) == set()


def test_the_policys_label_means_all_and_so_does_the_policy(
    world: World, expanded: Expanded
) -> None:
    other = world.shop.pull({"b.yml": "b: 1\n"}, by=world.dev, title="Other")
    everything = {("shop", pull.number) for pull in (world.pull, other)}
    shop = expanded.shop
    assert expanded.by(WakeRepository(shop, ("old", STRICT.label.upper()))) == everything
    assert expanded.by(WakeRepository(shop, ("old", "new"))) == set()
    assert expanded.by(WakeRepository(shop)) == everything


def test_an_installation_means_all_that_it_sees_or_what_was_added(
    world: World, expanded: Expanded
) -> None:
    barn = world.acme.repository("barn", {"a": "a\n"})
    second = barn.pull({"b": "b\n"}, by=world.mia, title="Second")
    shop, in_barn = ("shop", world.pull.number), ("barn", second.number)
    number = world.installation.id
    assert expanded.by(WakeInstallation(number)) == {shop, in_barn}
    assert expanded.by(WakeInstallation(number, (expanded.at("barn"),))) == {in_barn}


def test_a_repository_that_is_added_gets_the_label_of_its_policy(
    world: World, expanded: Expanded
) -> None:
    named = world.acme.repository("barn", {".github/sockgate.yml": "label: 'agreed: socket'\n"})
    added = WakeInstallation(
        world.installation.id, (expanded.at("barn"), expanded.at("gone"), expanded.shop)
    )
    assert expanded.by(added) == {("shop", world.pull.number)}
    (own,) = named.labels
    assert (own.name, own.color) == ("agreed: socket", "b60205")
    assert own.description
    (usual,) = world.shop.labels
    assert usual.name == STRICT.label

    usual.edit(by=world.mia, color="00ff00", description="ours")
    before = len(world.github.requests.writes())
    expanded.by(added)
    assert [usual.color, usual.description] == ["00ff00", "ours"]
    assert len(world.github.requests.writes()) == before


def test_a_label_is_made_for_a_policy_that_changed_and_not_again_where_it_was_deleted(
    world: World, expanded: Expanded
) -> None:
    expanded.by(WakeRepository(expanded.shop, (STRICT.label,)))
    assert world.shop.labels == []
    world.shop.commit({".github/sockgate.yml": "label: agreed\n"}, by=world.mia)
    expanded.by(WakeRepository(expanded.shop))
    assert [one.name for one in world.shop.labels] == ["agreed"]


def test_where_no_label_may_be_made_the_pull_requests_are_evaluated_all_the_same(
    world: World, expanded: Expanded
) -> None:
    world.github.faults.add("POST", "/repos/*/labels", status=403)
    world.shop.commit({".github/sockgate.yml": "a broken: [policy\n"}, by=world.mia)
    asked = WakeInstallation(world.installation.id, (expanded.shop,))
    assert expanded.by(asked) == {("shop", world.pull.number)}
    assert world.shop.labels == []
    world.github.faults.clear()
    world.github.faults.add("POST", "/repos/*/labels", status=502)
    with pytest.raises(ForgeError):
        expanded.by(asked)


def test_a_repository_gone_meanwhile_does_not_keep_the_others_waiting(
    world: World, expanded: Expanded
) -> None:
    asked = WakeInstallation(world.installation.id, (expanded.at("gone"), expanded.shop))
    assert expanded.by(asked) == {("shop", world.pull.number)}
    with pytest.raises(ForgeError) as caught:
        expanded.by(WakeRepository(expanded.at("gone")))
    assert not caught.value.retry


def test_a_pull_request_means_itself(expanded: Expanded) -> None:
    number = expanded.shop.installation
    assert expanded.by(WakePull(PullRef(number, "acme", "shop", 1))) == {("shop", 1)}


def test_a_queued_pull_request_means_its_own_merge_group_and_those_behind(
    world: World, expanded: Expanded
) -> None:
    pulls = [world.shop.pull({f"{n}.txt": "n\n"}, by=world.dev, title=n) for n in ("b", "c", "d")]
    first = world.shop.queue(pulls[0], by=world.mia)
    own = world.shop.queue(pulls[1], by=world.mia, behind=first)
    last = world.shop.queue(pulls[2], by=world.mia, behind=own)
    heads = [one.head_sha for one in expanded.groups(WakePull(expanded.ref(pulls[1])))]
    assert heads == [own.head_sha, last.head_sha]
    assert expanded.groups(WakePull(expanded.ref(world.pull))) == []


def test_a_commit_means_its_merge_group_but_not_where_it_is_a_pull_requests(
    world: World, expanded: Expanded
) -> None:
    group = world.shop.queue(world.pull, by=world.mia)
    shop = expanded.shop
    asked = WakeGroup(shop, "", group.head_sha, "main")
    assert expanded.groups(WakeHead(shop, group.head_sha)) == [asked]
    world.shop.push("gh-readonly-queue/main/x", world.pull.head_sha, by=world.dev)
    assert expanded.groups(WakeHead(shop, world.pull.head_sha)) == []
    assert expanded.groups(asked) == [asked]
    assert expanded.by(asked) == set()
    assert expanded.groups(WakeRepository(shop)) == []


# The same through the real server, a process of its own.


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[World]:
    port = free_port()
    world.app.webhook_url = f"http://127.0.0.1:{port}/webhook"
    given = {
        "APP_ID": str(world.app.id),
        "PRIVATE_KEY": world.app.private_key,
        "WEBHOOK_SECRET": world.app.secret,
        "GITHUB_API_URL": world.github.url,
        "DATA_DIR": str(tmp_path),
        "PORT": str(port),
    }
    with (tmp_path / "log").open("w") as log_file:
        server = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"], env=os.environ | given, stderr=log_file
        )
    world.github.wait_for(lambda: _is_ready(port), timeout=60)
    world.github.settle()
    world.github.webhooks.log.clear()  # what was sent before there was a server
    yield world
    server.terminate()
    assert server.wait(20) == 0
    log = (tmp_path / "log").read_text()
    for secret in (world.app.secret, "ghs_", "PRIVATE KEY"):
        assert secret not in log
    for line in log.splitlines():
        assert json.loads(line)["level"] in {"info", "warning"}, line


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def test_every_way_to_ask_again_is_answered_by_the_check(served: World) -> None:
    other = served.shop.pull({"README.md": "hello\n"}, by=served.dev, title="Words only")

    def evaluated(*pulls: PullRequest) -> None:
        served.github.wait_for(
            lambda: all(pull.check(CHECK, served.app) for pull in pulls), timeout=60
        )

    evaluated(other)
    assert served.pull.check(CHECK, served.app) is None  # opened before the server was there
    served.pull.comment("/docker-socket recheck", by=served.dev)
    evaluated(served.pull)
    check = served.pull.check(CHECK, served.app)
    assert check is not None
    assert check.conclusion == "failure"

    barn = served.acme.repository("barn", {"a": "a\n"})
    served.installation.selected = {served.shop}
    waiting = barn.pull({"b": "b\n"}, by=served.mia, title="Opened before")
    served.installation.add(barn)
    evaluated(waiting)

    asked = len(served.github.requests)
    served.shop.suite(served.app, served.pull.head_sha).rerequest(by=served.dev)
    served.github.wait_for(lambda: len(served.github.requests) >= asked + 4, timeout=60)
    served.github.settle()
    answers = {(one.name, one.status_code) for one in served.github.webhooks.log}
    assert {code for _, code in answers} == {202, 204}, answers
