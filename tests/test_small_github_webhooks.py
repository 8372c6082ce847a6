"""Webhooks of the small GitHub: who hears what, signed, in order or not, again or never."""

import json
from collections.abc import Iterator

import pytest
import requests

from tests.github import SmallGitHub
from tests.github.fixtures import EVENTS, PERMISSIONS, World, github, world
from tests.github.hooks.deliveries import Delivery
from tests.github.receiver import Receiver

__all__ = ["github", "world"]


@pytest.fixture
def receiver(world: World) -> Iterator[Receiver]:
    """Receive the App's webhooks."""
    with Receiver() as running:
        world.github.settle()
        world.github.webhooks.log.clear()
        world.app.webhook_url = running.url
        yield running


def names(world: World) -> list[str]:
    world.github.settle()
    return [delivery.name for delivery in world.github.webhooks.log]


def test_a_delivery_is_signed_and_named(world: World, receiver: Receiver) -> None:
    world.pull.label("approved", by=world.mia)
    world.github.settle()
    created, labeled = receiver.received
    assert created.headers["X-GitHub-Event"] == "label"
    assert labeled.headers["X-GitHub-Event"] == "pull_request"
    assert labeled.headers["Content-Type"] == "application/json"
    assert labeled.headers["X-GitHub-Enterprise-Host"] == "127.0.0.1"
    assert labeled.headers["X-GitHub-Delivery"] == world.github.webhooks.log[1].guid
    assert labeled.signed_with(world.app.secret)
    assert not labeled.signed_with("another secret")
    payload = json.loads(labeled.body)
    assert (payload["action"], payload["sender"]["login"]) == ("labeled", "mia")
    assert payload["installation"]["id"] == world.installation.id
    assert payload["pull_request"]["head"]["sha"] == world.pull.head_sha
    assert payload["pull_request"]["mergeable"] is None


def test_everything_that_happens_is_told_as_github_tells_it(world: World) -> None:
    world.github.settle()
    world.github.webhooks.log.clear()
    shop, pull, dev, mia = world.shop, world.pull, world.dev, world.mia
    pull.push({"more.txt": "more\n"})
    pull.edit(by=dev, title="Another", body="With words")
    label = shop.create_label("one", by=mia)
    pull.label("one", by=mia)
    label.edit(by=mia, name="two", color="ff0000", description="Second")
    pull.unlabel("two", by=mia)
    pull.label("two", by=mia)
    label.delete(by=mia)
    comment = pull.comment("Hello.", by=dev)
    comment.edit("Hello!", by=mia)
    comment.delete(by=mia)
    run = shop.post_check(world.app, pull.head_sha, "docker-socket", "failure")
    run.rerequest(by=dev)
    run.suite.rerequest(by=dev)
    run.request_action("again", by=dev)
    pull.close(by=dev)
    pull.reopen(by=dev)
    pull.merge(by=mia)
    assert names(world) == [
        "push",
        "pull_request.synchronize",
        "check_suite.requested",
        "pull_request.edited",
        "label.created",
        "pull_request.labeled",
        "label.edited",
        "pull_request.unlabeled",
        "pull_request.labeled",
        "label.deleted",
        "pull_request.unlabeled",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "check_run.created",
        "check_run.completed",
        "check_suite.completed",
        "check_run.rerequested",
        "check_suite.rerequested",
        "check_run.requested_action",
        "pull_request.closed",
        "pull_request.reopened",
        "pull_request.closed",
        "push",
        "check_suite.requested",
    ]
    payloads = {one.name: one.payload for one in world.github.webhooks.log}
    assert payloads["pull_request.closed"]["pull_request"]["merged"] is True
    unlabeled = [one for one in world.github.webhooks.log if one.name == "pull_request.unlabeled"]
    assert ["label" in one.payload for one in unlabeled] == [True, False]
    assert payloads["label.edited"]["changes"]["name"] == {"from": "one"}


def test_installing_and_all_that_follows_is_told(world: World) -> None:
    world.github.settle()
    world.github.webhooks.log.clear()
    second = world.acme.repository("second")
    world.installation.remove(second)
    world.installation.add(second)
    world.installation.accept(PERMISSIONS)
    world.installation.suspend()
    world.pull.label("unheard", by=world.mia)
    world.installation.unsuspend()
    world.app.ping()
    world.installation.delete()
    assert names(world) == [
        "push",
        "check_suite.requested",
        "installation_repositories.removed",
        "installation_repositories.added",
        "installation.new_permissions_accepted",
        "installation.suspend",
        "installation.unsuspend",
        "ping",
        "installation.deleted",
    ]


def test_a_merge_group_is_built_checked_and_merged(world: World) -> None:
    second = world.shop.pull({"b.txt": "b\n"}, by=world.dev)
    world.github.settle()
    world.github.webhooks.log.clear()
    group = world.shop.queue(world.pull, second, by=world.mia)
    assert names(world) == ["push", "check_suite.requested", "merge_group.checks_requested"]
    asked = world.github.webhooks.log[-1].payload["merge_group"]
    assert asked["head_sha"] == group.head_sha
    assert asked["head_ref"].startswith("refs/heads/gh-readonly-queue/main/pr-2-")
    assert asked["base_sha"] == world.shop.head
    tree = [entry.path for entry in world.shop.git.tree(group.head_sha, recursive=True)]
    assert tree == ["b.txt", "compose.yml"]
    required = [("docker-socket", world.app)]
    assert not world.github.mergeable(group, required)
    world.shop.post_check(world.app, group.head_sha, "docker-socket")
    assert world.github.mergeable(group, required)
    group.merge()
    assert world.shop.head == group.head_sha
    assert [pull.state for pull in (world.pull, second)] == ["closed", "closed"]
    assert names(world)[-1] == "merge_group.destroyed"
    assert world.github.webhooks.log[-1].payload["reason"] == "merged"


def test_a_forks_push_asks_for_no_checks(world: World) -> None:
    eve = world.github.user("eve")
    fork = world.shop.fork(eve)
    world.github.settle()
    world.github.webhooks.log.clear()
    pull = world.shop.pull({"x": "y"}, by=eve, source=fork, branch="mine")
    fork.delete()
    pull.label("seen", by=world.mia)
    assert names(world) == ["pull_request.opened", "label.created", "pull_request.labeled"]
    opened, _, labeled = (one.payload for one in world.github.webhooks.log)
    assert opened["pull_request"]["head"]["repo"]["full_name"] == "eve/shop"
    assert labeled["pull_request"]["head"]["repo"] is None


def test_an_app_hears_what_it_subscribed_to_and_may_read(github: SmallGitHub) -> None:
    acme = github.organization("acme")
    deaf = github.app("deaf", permissions={"contents": "read"}, events=["pull_request"])
    curious = github.app("curious", permissions=PERMISSIONS, events=["label"])
    for app in (deaf, curious):
        app.install(acme)
    repository = acme.repository("shop", {"a": "b"})
    pull = repository.pull({"a": "c"}, by=github.user("dev"))
    pull.label("one", by=github.user("mia"))
    github.settle()
    heard = [(one.app.slug, one.name) for one in github.webhooks.log]
    assert set(heard) == {
        ("deaf", "installation.created"),
        ("curious", "installation.created"),
        ("curious", "check_suite.requested"),
        ("curious", "label.created"),
    }


def test_a_rerequest_is_for_the_app_whose_check_it_is(world: World) -> None:
    other = world.github.app("other", permissions=PERMISSIONS, events=EVENTS)
    other.install(world.acme)
    run = world.shop.post_check(other, world.pull.head_sha, "docker-socket")
    world.github.settle()
    world.github.webhooks.log.clear()
    run.rerequest(by=world.dev)
    assert [(one.app.slug, one.name) for one in world.github.webhooks.log] == [
        ("other", "check_run.rerequested")
    ]


def test_deliveries_come_late_twice_and_out_of_order(world: World, receiver: Receiver) -> None:
    world.shop.create_label("one", by=world.mia)
    world.github.settle()
    with world.github.webhooks.held() as pending:
        world.pull.label("one", by=world.mia)
        world.pull.unlabel("one", by=world.mia)
        world.pull.close(by=world.dev)
        assert len(receiver.received) == 1
        labeled, _, closed = pending
        world.github.webhooks.drop(closed)
        pending.reverse()
        pending.append(labeled)
    world.github.settle()
    actions = [json.loads(one.body)["action"] for one in receiver.received]
    assert actions == ["created", "unlabeled", "labeled", "labeled"]
    assert closed.status_code == 504


def test_lost_deliveries_are_listed_and_redelivered(world: World, receiver: Receiver) -> None:
    def lost(delivery: Delivery) -> bool:
        return delivery.event == "pull_request"

    world.github.webhooks.lose(lost)
    world.pull.label("one", by=world.mia)
    world.github.webhooks.lose(None)
    world.github.settle()
    receiver.status = 500
    world.pull.unlabel("one", by=world.mia)
    world.github.settle()
    receiver.status = 202
    requester = world.integration().requester
    _, listed = requester.requestJsonAndCheck("GET", "/app/hook/deliveries?per_page=2")
    _, rest = requester.requestJsonAndCheck(
        "GET", f"/app/hook/deliveries?cursor=v1_{world.github.webhooks.log[0].id}"
    )
    seen = [(one["event"], one["action"], one["status_code"]) for one in [*listed, *rest]]
    assert seen == [
        ("pull_request", "unlabeled", 500),
        ("pull_request", "labeled", 504),
        ("label", "created", 202),
    ]
    failed = listed[1]
    requester.requestJsonAndCheck("POST", f"/app/hook/deliveries/{failed['id']}/attempts")
    world.github.settle()
    assert receiver.received[-1].headers["X-GitHub-Delivery"] == failed["guid"]
    _, listed = requester.requestJsonAndCheck("GET", "/app/hook/deliveries")
    assert (listed[0]["guid"], listed[0]["redelivery"], listed[0]["status"]) == (
        failed["guid"],
        True,
        "OK",
    )
    _, whole = requester.requestJsonAndCheck("GET", f"/app/hook/deliveries/{listed[0]['id']}")
    assert whole["request"]["payload"]["label"]["name"] == "one"
    assert whole["response"]["payload"] == ""


def test_the_list_of_deliveries_goes_on_with_a_link(world: World) -> None:
    for number in range(5):
        world.shop.create_label(f"label-{number}", by=world.mia)
    world.github.settle()
    requester = world.integration().requester
    headers, page = requester.requestJsonAndCheck("GET", "/app/hook/deliveries?per_page=3")
    assert len(page) == 3
    assert 'rel="next"' in headers["link"]
    assert "cursor=v1_" in headers["link"]


def test_nobody_listening_is_a_failed_delivery(world: World) -> None:
    with Receiver() as gone:
        world.app.webhook_url = gone.url
    world.pull.label("one", by=world.mia)
    world.github.settle()
    assert {one.status_code for one in world.github.webhooks.log[-2:]} == {502}
    assert not requests.get(world.github.page_url, timeout=10).is_redirect
