"""The way of a merge group, step by step, against the small GitHub."""

from datetime import UTC, datetime
from unittest import mock

import pytest

from bot.forge.error import ForgeError
from bot.forge.groups import group as read_group
from bot.forge.queries import GROUP
from bot.group import GroupDone, GroupGone, evaluate_group
from bot.memory import MemoryFailedError, NoMemory
from bot.wake import Repository, WakeGroup
from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.github.model.queue import MergeGroup
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, Team, team

__all__ = ["github"]

WORDS = {"README.md": "words\n"}


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


def asked(acme: Team, group: MergeGroup, branch: str = "main") -> WakeGroup:
    at = Repository(acme.installation, "acme", "shop")
    return WakeGroup(at, group.base_sha, group.head_sha, branch)


def judged(acme: Team, group: MergeGroup, branch: str = "main") -> GroupDone | GroupGone:
    acme.github.clock.advance(2)
    now = acme.github.clock.now
    return evaluate_group(acme.forge, asked(acme, group, branch), now=now, pause=lambda _: None)


def merges(acme: Team, group: MergeGroup) -> bool:
    return acme.github.mergeable(group, required=[(CHECK, acme.app)])


def page(acme: Team, group: MergeGroup) -> str:
    run = acme.shop.check_runs(group.head_sha)[0]
    return f"{run.title}\n{run.summary}"


def justified(acme: Team) -> MergeGroup:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)
    return acme.shop.queue(pull, by=acme.mia)


def test_looking_again_writes_nothing(acme: Team) -> None:
    group = justified(acme)
    first = judged(acme, group)
    assert isinstance(first, GroupDone)
    assert first.wrote
    assert merges(acme, group)
    again = judged(acme, group)
    assert again == GroupDone(first.answer, group.head_sha, wrote=False)
    assert "justified by mia" in page(acme, group)


def test_a_check_that_is_asked_for_again_is_written_again(acme: Team) -> None:
    group = justified(acme)
    judged(acme, group)
    acme.shop.suite(acme.app, group.head_sha).rerequest(by=acme.dev)
    again = judged(acme, group)
    assert isinstance(again, GroupDone)
    assert again.wrote
    assert acme.shop.suite(acme.app, group.head_sha).status == "completed"


def test_nothing_to_judge_costs_few_requests(acme: Team) -> None:
    group = acme.shop.queue(acme.open(WORDS), by=acme.mia)
    before = len(acme.requests())
    judged(acme, group)
    assert merges(acme, group)
    assert len(acme.requests()) - before <= 5


def test_a_job_of_an_older_server_means_the_default_branch(acme: Team) -> None:
    group = justified(acme)
    judged(acme, group, branch="")
    assert merges(acme, group)


def test_a_group_for_another_branch_is_held_against_the_default_branch_too(acme: Team) -> None:
    acme.shop.push("side", acme.shop.branches["main"], by=acme.mia)
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="side")
    pull = acme.shop.pull(WORDS, by=acme.dev, base="side", title="Words")
    group = acme.shop.queue(pull, by=acme.mia, base="side")
    judged(acme, group, branch="side")
    assert not merges(acme, group)
    assert "compose.yaml" in page(acme, group)


def test_a_queue_that_may_not_be_read_is_red(acme: Team) -> None:
    group = justified(acme)
    del acme.app.installations[0].permissions["merge_queues"]
    judged(acme, group)
    assert not merges(acme, group)
    assert "not let the merge queue be read" in page(acme, group)


def test_a_repository_that_is_gone_gets_nothing(acme: Team) -> None:
    group = justified(acme)
    acme.github.faults.add("POST", "/graphql", status=404)
    assert isinstance(judged(acme, group), GroupGone)


def test_a_comparison_that_is_refused_is_red_and_one_that_fails_is_tried_again(
    acme: Team,
) -> None:
    group = justified(acme)
    acme.github.faults.add("GET", "/repos/*/compare/*", status=403)
    judged(acme, group)
    assert not merges(acme, group)
    assert "not let this merge group be read" in page(acme, group)
    acme.github.faults.clear()
    acme.github.faults.add("GET", "/repos/*/compare/*", status=503)
    with pytest.raises(ForgeError) as caught:
        judged(acme, group)
    assert caught.value.retry
    acme.github.faults.clear()
    judged(acme, group)
    assert merges(acme, group)


def test_a_file_that_may_not_be_read_is_red(acme: Team) -> None:
    group = justified(acme)
    acme.github.faults.add("GET", "/repos/*/git/trees/*", status=403)
    judged(acme, group)
    assert not merges(acme, group)


def test_a_defect_of_ours_is_red_and_raised(acme: Team) -> None:
    group = justified(acme)
    with (
        mock.patch("bot.group.reviewed_group", side_effect=KeyError("x")),
        pytest.raises(KeyError),
    ):
        judged(acme, group)
    assert not merges(acme, group)
    assert "sockgate itself failed" in page(acme, group)


def test_without_a_memory_nothing_is_judged(acme: Team) -> None:
    class Broken(NoMemory):
        def checks(self, pull: object) -> tuple[()]:  # noqa: ARG002
            raise MemoryFailedError("the disk is full")

    group = justified(acme)
    now = acme.github.clock.now
    with pytest.raises(ForgeError, match="nothing can be recorded") as caught:
        evaluate_group(acme.forge, asked(acme, group), memory=Broken(), now=now)
    assert caught.value.retry


def test_a_member_with_a_label_that_does_not_count_is_named(acme: Team) -> None:
    group = justified(acme)
    acme.shop.add_collaborator(acme.mia, "write")
    judged(acme, group)
    assert not merges(acme, group)
    assert "the role of whoever put the label on is not enough" in page(acme, group)


def test_what_only_two_changes_together_add_is_covered_by_neither(acme: Team) -> None:
    env = acme.open({".env": "SOCKET=/var/run/docker.sock\n"})
    mount = COMPOSE + "    volumes: ['${SOCKET:-/srv/none}:/s']\n"
    user = acme.open({"compose.yaml": mount})
    acme.done(env)
    acme.done(user)
    assert acme.mergeable(env)
    assert acme.mergeable(user)
    group = acme.shop.queue(env, user, by=acme.mia)
    judged(acme, group)
    assert not merges(acme, group)
    assert "covered by no label" in page(acme, group)


def test_a_label_that_is_not_listed_yet_is_waited_for_unless_the_check_is_green(
    acme: Team,
) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    late = pull.timeline.pop()
    group = acme.shop.queue(pull, by=acme.mia)
    with pytest.raises(ForgeError, match="not listed yet") as caught:
        judged(acme, group)
    assert caught.value.retry
    assert acme.shop.check_runs(group.head_sha) == []
    pull.timeline.append(late)
    judged(acme, group)
    assert merges(acme, group)
    pull.timeline.remove(late)
    with pytest.raises(ForgeError, match="not listed yet"):
        judged(acme, group)
    assert not merges(acme, group)


def test_a_queue_longer_than_a_page_is_read_to_its_end() -> None:
    pages = {None: (1, "next"), "next": (2, None)}

    class Client:
        def graphql(self, query: str, variables: dict[str, str], optional: str) -> object:
            assert (query, optional) == (GROUP, "ownerPolicy")
            number, after = pages[variables.get("after")]
            entry = {
                "position": number,
                "headCommit": {"oid": str(number) * 40},
                "pullRequest": {"number": number, "headRefName": "topic"},
            }
            info = {"hasNextPage": after is not None, "endCursor": after}
            return {
                "repository": {
                    "owner": {"__typename": "User"},
                    "defaultBranchRef": None,
                    "policy": None,
                    "ref": None,
                    "object": {"oid": "2" * 40, "checkSuites": {"nodes": []}},
                    "refs": {"nodes": []},
                    "mergeQueue": {"entries": {"pageInfo": info, "nodes": [entry]}},
                },
                "ownerPolicy": None,
            }

    wanted = WakeGroup(Repository(1, "o", "r"), "b" * 40, "2" * 40, "main")
    found = read_group(Client(), wanted, 1, datetime(2026, 11, 24, tzinfo=UTC))  # type: ignore[arg-type]
    assert found is not None
    assert found.own is not None
    assert (found.own.number, [one.number for one in found.before]) == (2, [1])
    assert found.facts.base == "b" * 40
