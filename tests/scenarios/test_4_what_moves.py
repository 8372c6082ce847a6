"""What moves under us: heads, bases, other pull requests, and deliveries."""

from collections.abc import Mapping

import pytest

from bot.forge.queries import NOW
from tests.github import PullRequest
from tests.github.git import File
from tests.github.hooks.deliveries import Delivery
from tests.scenarios.stage import COMPOSE, GRANTED, LABEL, MORE, POLICY, Scene, Stage


def test_opened_to_an_own_branch_and_retargeted(scene: Scene) -> None:
    """The author opens against a branch of the own that has the socket already, then retargets.

    It is red from the start, since the default branch lacks it; so nothing is green to race with.
    """
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.dev, branch="own")
    pull = scene.open({"README.md": "y\n"}, base="own")
    scene.is_red(pull)
    pull.edit(by=scene.dev, base="main")
    scene.is_red(pull)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_retargeted_and_the_delivery_is_lost(scene: Scene) -> None:
    """The same, and GitHub's event about the new base never arrives.

    It is red all the same: the verdict did not rest on the base alone.
    """
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.dev, branch="own")
    pull = scene.open({"README.md": "y\n"}, base="own")
    scene.github.webhooks.lose(lambda one: one.name == "pull_request.edited")
    pull.edit(by=scene.dev, base="main")
    scene.judged()
    scene.is_red(pull)


def test_the_own_branch_gets_the_socket_later(scene: Scene) -> None:
    """The author opens against an own branch, and pushes the socket to that branch and the head.

    It is red: the base may have it, the default branch does not.
    """
    scene.shop.commit({"README.md": "own\n"}, by=scene.dev, branch="own")
    pull = scene.open({"docs.md": "y\n"}, base="own")
    scene.is_green(pull)
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.dev, branch="own")
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_stack_of_pull_requests(scene: Scene) -> None:
    """A harmless pull request is stacked on one that adds the socket.

    The upper one is red, and says from which branch it comes; it turns green by itself when the
    lower one is justified and merged.
    """
    lower = scene.open(branch="lower")
    upper = scene.open({"README.md": "y\n"}, base="lower", branch="upper")
    scene.is_red(upper)
    assert "from `lower`" in scene.said(upper)
    assert upper.threads == []
    scene.justify(lower)
    lower.merge(by=scene.mia)
    upper.edit(by=scene.dev, base="main")
    scene.judged()
    scene.is_green(upper)


def test_a_branch_that_the_policy_trusts(stage: Stage) -> None:
    """A release branch has the socket, the default branch has not, and the policy trusts it.

    A harmless pull request to it is green; one that adds another grant is red.
    """
    scene = stage.scene({POLICY: "trusted_branches: ['release/*']\n"})
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.mia, branch="release/1")
    scene.is_green(scene.open({"README.md": "y\n"}, base="release/1"))
    scene.is_red(scene.open({"compose.yaml": MORE}, base="release/1"))


def test_a_second_pull_request_with_the_same_head(stage: Stage) -> None:
    """One head is offered to two bases; one of them has the socket already and is trusted.

    Both are red: a check belongs to a commit, so the graver verdict is shown.
    """
    scene = stage.scene({POLICY: "trusted_branches: [release]\n"})
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.mia, branch="release")
    first = scene.open({"README.md": "y\n"}, base="release", branch="change")
    scene.is_green(first)
    second = scene.shop.open_pull(scene.shop, "change", "main", by=scene.dev, title="the real one")
    scene.judged()
    scene.is_red(first)
    scene.is_red(second)
    second.close(by=scene.dev)
    scene.judged()
    scene.is_green(first)


def test_a_second_pull_request_is_justified_and_the_first_is_not(stage: Stage) -> None:
    """Two pull requests share a head, and the maintainer labels one of them.

    Both stay red: a justification is for one pull request.
    """
    scene = stage.scene()
    first = scene.open(branch="change")
    scene.shop.push("release", first.merge_base, by=scene.mia)
    second = scene.shop.open_pull(scene.shop, "change", "release", by=scene.dev, title="too")
    scene.judged()
    second.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(first)
    scene.is_red(second)
    first.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_green(first)
    scene.is_green(second)


def test_the_head_of_a_justified_one_is_opened_again_by_somebody_else(scene: Scene) -> None:
    """A justified pull request is closed, and another one is opened from the same commit.

    It is red: the label and what was shown belong to the pull request that they were on.
    """
    first = scene.justified()
    first.close(by=scene.dev)
    scene.judged()
    again = scene.shop.open_pull(scene.shop, first.head_branch, "main", by=scene.dev, title="again")
    scene.judged()
    scene.is_red(again)


def test_a_fork_is_deleted(scene: Scene) -> None:
    """A stranger opens a pull request from a fork and deletes the fork.

    It is red: the commits are in the repository that is asked to merge them.
    """
    stranger = scene.github.user("stranger")
    fork = scene.shop.fork(stranger)
    with scene.github.webhooks.held():
        pull = scene.shop.pull({"compose.yaml": GRANTED}, by=stranger, source=fork)
        fork.delete()
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_rerun_on_a_pull_request_from_a_fork(scene: Scene) -> None:
    """Someone presses "Re-run" on a fork's check, whose event names no pull request.

    It is found by its head and judged again: red.
    """
    stranger = scene.github.user("stranger")
    fork = scene.shop.fork(stranger)
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=stranger, source=fork)
    scene.judged()
    check = pull.check("docker-socket", scene.app)
    assert check is not None
    check.rerequest(by=scene.dev)
    scene.judged()
    again = pull.check("docker-socket", scene.app)
    assert again is not None
    assert again is not check
    scene.is_red(pull)


def test_the_base_branch_is_deleted(scene: Scene) -> None:
    """The author deletes the base branch while the pull request is open.

    It is red: the commit that was the base is still compared with.
    """
    scene.shop.commit({"README.md": "own\n"}, by=scene.dev, branch="own")
    pull = scene.open(base="own")
    scene.shop.push("own", None, by=scene.dev)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_head_moves_while_it_is_judged(scene: Scene) -> None:
    """While a harmless head is judged, the author pushes the socket.

    The verdict of the old head is thrown away, and the new head is red.
    """
    pull = scene.shop.pull({"compose.yaml": COMPOSE + "# x\n"}, by=scene.dev)

    def push() -> None:
        pull.push({"compose.yaml": GRANTED}, by=scene.dev)

    scene.before("GET", "*/git/trees/*", push)
    scene.judged()
    scene.is_red(pull)


def test_the_head_moves_while_the_check_is_written(scene: Scene) -> None:
    """Right before the green check of a justified head is written, the author pushes a worse one.

    The check lands on the commit that was judged; the new head has none until it is red.
    """
    pull = scene.shown_red()

    def push() -> None:
        pull.push({"compose.yaml": MORE}, by=scene.dev)

    scene.before("POST", "*/check-runs", push)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_deliveries_come_twice(scene: Scene) -> None:
    """GitHub sends every delivery a second time, also that of a label that is off by now.

    It is red: an event only says where to look.
    """
    began = len(scene.github.webhooks.log)
    pull = scene.justified()
    pull.unlabel(LABEL, by=scene.mia)
    scene.judged()
    for delivery in list(scene.github.webhooks.log[began:]):
        scene.github.webhooks.redeliver(delivery)
    scene.judged()
    scene.is_red(pull)
    assert len(pull.threads) == 1


def test_deliveries_come_in_the_wrong_order(scene: Scene) -> None:
    """The `labeled` of the old head arrives after the `synchronize` of a worse one.

    It is red: labels and head are read afresh.
    """
    pull = scene.shown_red()
    with scene.github.webhooks.held() as pending:
        pull.label(LABEL, by=scene.mia)
        scene.github.clock.advance(2)
        pull.push({"compose.yaml": MORE}, by=scene.dev)
        pending.reverse()
    scene.judged()
    scene.is_red(pull)


def test_a_delivery_comes_late(scene: Scene) -> None:
    """The `unlabeled` arrives hours after the label was taken off, among others.

    It is green for as long as GitHub tells nobody, and red with the next event of any kind.
    """
    pull = scene.justified()
    with scene.github.webhooks.held() as pending:
        pull.unlabel(LABEL, by=scene.mia)
        late = list(pending)
        pending.clear()
    pull.push({"README.md": "y\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    for one in late:
        scene.github.webhooks.send(one)
    scene.judged()
    scene.is_red(pull)


def test_the_delivery_of_a_push_is_lost(scene: Scene) -> None:
    """GitHub's event about a push never arrives.

    The new head has no check, which a required check takes for a no; anyone may ask for it.
    """
    pull = scene.justified()

    def of_push(one: Delivery) -> bool:
        return one.name == "pull_request.synchronize"

    scene.github.webhooks.lose(of_push)
    pull.push({"compose.yaml": MORE}, by=scene.dev)
    scene.judged()
    assert not scene.mergeable(pull)
    pull.comment("/docker-socket recheck", by=scene.github.user("stranger"))
    scene.judged()
    scene.is_red(pull)


def test_the_app_is_installed_where_pull_requests_are_open(stage: Stage) -> None:
    """A pull request is open and labelled before the App is installed.

    It is judged at installation: red, for the label was put on before anything was shown.
    """
    scene = stage.scene()
    owner = scene.shop.owner
    scene.app.installations[-1].delete()
    scene.judged()
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev)
    pull.label(LABEL, by=scene.mia)
    scene.github.clock.advance(2)
    scene.app.install(owner)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_the_repository_gets_another_name_while_the_job_waits(scene: Scene) -> None:
    """Between delivery and evaluation the repository moves to where its old name does not lead.

    It is not green meanwhile, and red with the next event, which names the new place.
    """
    with scene.github.webhooks.held():
        pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev)
        scene.shop.name = "store"
    scene.judged()
    assert not scene.mergeable(pull)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_default_branch_takes_the_socket_meanwhile(scene: Scene) -> None:
    """Two pull requests add the same grant, and one of them is justified and merged.

    The other one is red for what it was compared with, until it takes in the default branch.
    """
    first, second = scene.open(branch="first"), scene.open(branch="second")
    scene.justify(first)
    first.merge(by=scene.mia)
    scene.judged()
    scene.is_red(second)
    sha = scene.shop.write(
        {"docs.md": "merged\n"},
        parents=(scene.shop.head, second.head_sha),
        author=scene.dev,
        committer=scene.dev,
    )
    second.reset(sha, by=scene.dev)
    scene.judged()
    scene.is_green(second)


@pytest.mark.parametrize("first", ["with", "without"])
def test_a_removed_socket_comes_back_by_a_merge_of_both_sides(scene: Scene, first: str) -> None:
    """The default branch had the socket until a side branch without it was merged.

    The author merges the same two sides anew and keeps the socket, so that one of two merge bases
    has it: it is red all the same, for the default branch has it no more.
    """
    shop, mia, dev = scene.shop, scene.mia, scene.dev
    shop.commit({"compose.yaml": GRANTED}, by=mia)
    start = shop.head
    old = shop.write({"a.md": "1\n"}, parents=(start,), author=mia, committer=mia)
    clean = shop.write({"compose.yaml": COMPOSE}, parents=(start,), author=mia, committer=mia)
    both = shop.write({"compose.yaml": COMPOSE}, parents=(old, clean), author=mia, committer=mia)
    shop.push("main", both, by=mia)
    sides = (old, clean) if first == "with" else (clean, old)
    back = shop.write({"compose.yaml": GRANTED}, parents=sides, author=dev, committer=dev)
    shop.push("change", back, by=dev)
    pull = shop.open_pull(shop, "change", "main", by=dev, title="A merge")
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_many_pull_requests_with_the_same_head(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind several harmless ones there is one more pull request with the same head.

    All are red: GitHub lists them in pages, and each page is read. (Pages are of one here.)
    """
    few = NOW.replace("first: 100", "first: 1")
    monkeypatch.setattr("bot.forge.read.NOW", few)
    scene = stage.scene({POLICY: "trusted_branches: ['release*']\n"})
    released = scene.shop.commit({"compose.yaml": GRANTED}, by=scene.mia, branch="release-0")
    for branch in ("release-1", "release-2"):
        scene.shop.push(branch, released, by=scene.mia)
    first = scene.open({"README.md": "y\n"}, base="release-0", branch="change")
    others = [
        scene.shop.open_pull(scene.shop, "change", base, by=scene.dev, title="too")
        for base in ("release-1", "release-2")
    ]
    scene.judged()
    scene.is_green(first)
    scene.shop.push("other", first.head_sha, by=scene.dev)
    last = scene.shop.open_pull(scene.shop, "other", "main", by=scene.dev, title="the real one")
    scene.judged()
    for pull in (first, *others, last):
        scene.is_red(pull)


def test_the_same_commit_of_the_default_branch(stage: Stage) -> None:
    """The default branch's own commit is offered to a release branch, and to one of the author's.

    Both are red, though GitHub tells of no pull request for a commit of the default branch.
    """
    scene = stage.scene()
    scene.shop.commit({"README.md": "released\n"}, by=scene.mia, branch="release")
    scene.shop.commit({"compose.yaml": GRANTED}, by=scene.mia)
    scene.shop.commit({"README.md": "own\n"}, by=scene.dev, branch="own")
    head = scene.shop.commit({"README.md": "y\n"}, by=scene.mia)
    scene.shop.push("one", head, by=scene.dev)
    scene.shop.push("two", head, by=scene.dev)
    real = scene.shop.open_pull(scene.shop, "one", "release", by=scene.dev, title="the real one")
    scene.judged()
    scene.is_red(real)
    false = scene.shop.open_pull(scene.shop, "two", "own", by=scene.dev, title="too")
    scene.judged()
    scene.is_red(real)
    scene.is_red(false)


def test_the_head_is_another_one_while_its_files_are_listed(scene: Scene) -> None:
    """While hundreds of files are listed, the author pushes a harmless head, and the other back.

    It is never green: the list is that of the moment, so it is held against the commit itself.
    """
    many = {f"docs/{n:03}.md": "x\n" for n in range(310)}
    pull = scene.open(many, branch="change")
    harmless, shop = pull.head_sha, scene.shop
    shop.push("change", pull.merge_base, by=scene.dev, quiet=True)
    scene.github.webhooks.lose(lambda _: True)
    bad = pull.push({**many, "compose.yaml": GRANTED}, by=scene.dev)
    scene.github.webhooks.lose(None)

    def back() -> None:
        shop.push("change", bad, by=scene.dev, quiet=True)

    def away() -> None:
        shop.push("change", harmless, by=scene.dev, quiet=True)
        scene.before("POST", "/graphql", back)

    scene.before("GET", "*/files", away)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    assert pull.head_sha == bad
    scene.is_red(pull)


ELSEWHERE = (
    "services:\n  agent:\n    image: acme/agent\n    extends: {file: common.yaml, service: web}\n"
)


def opened_from(scene: Scene, old: str, files: Mapping[str, File | None]) -> PullRequest:
    """Open a pull request from a branch that left the base at an old commit; it is judged."""
    sha = scene.shop.write(files, parents=(old,), author=scene.dev, committer=scene.dev)
    scene.shop.push("change", sha, by=scene.dev)
    pull = scene.shop.open_pull(scene.shop, "change", "main", by=scene.dev, title="A change")
    scene.judged()
    return pull


def test_a_branch_from_before_the_socket(scene: Scene) -> None:
    """A branch leaves the base before a service there got the socket, and extends that service.

    It is red, though neither side alone gives the new service anything: merged, it has the socket.
    """
    old = scene.shop.commit({"common.yaml": COMPOSE}, by=scene.mia)
    scene.shop.commit({"common.yaml": GRANTED}, by=scene.mia)
    pull = opened_from(scene, old, {"compose.yaml": ELSEWHERE})
    scene.is_red(pull)
    scene.justify(pull)


def test_an_anchor_that_the_base_gave_the_socket_meanwhile(scene: Scene) -> None:
    """The same within one file: a service uses an anchor that has the socket by now in the base.

    It is red, and green once a maintainer has justified what merging gives.
    """
    before = "x-logs: &logs\n  volumes: [/var/log:/logs]\n\n\n\n\n\n\nservices:\n"
    web = "  web:\n    image: nginx:1\n\n\n\n\n\n"
    agent = "  agent:\n    image: acme/agent\n    <<: *logs\n"
    old = scene.shop.commit({"compose.yaml": before + web}, by=scene.mia)
    after = before.replace("/var/log:/logs", "/var/run/docker.sock:/s")
    scene.shop.commit({"compose.yaml": after + web}, by=scene.mia)
    pull = opened_from(scene, old, {"compose.yaml": before + web + agent})
    scene.is_red(pull)
    assert "merged with" in scene.said(pull)
    scene.justify(pull)


def test_a_harmless_branch_from_long_ago(scene: Scene) -> None:
    """The base got and lost sockets since; the branch renames a file that has one, and edits it.

    It is green: what the base has and the branch did not touch is no matter of the branch.
    """
    old = scene.shop.commit({"compose.yaml": GRANTED, "other.yaml": COMPOSE}, by=scene.mia)
    scene.shop.commit({"other.yaml": GRANTED, "b/compose.yaml": GRANTED}, by=scene.mia)
    scene.shop.commit({"b/compose.yaml": None}, by=scene.mia)
    moved = {"compose.yaml": None, "a/compose.yaml": GRANTED + "    environment: [A=1]\n"}
    pull = opened_from(scene, old, moved)
    scene.is_green(pull)
