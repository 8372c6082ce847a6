"""The merge queue: what would be merged next is judged on its own commit."""

from tests.github import PullRequest
from tests.github.model.checks import CheckRun
from tests.github.model.queue import MergeGroup
from tests.scenarios.stage import CHECK, GRANTED, LABEL, Scene

OTHER = {"other.yaml": "services:\n  a:\n    image: b\n    volumes: [/var/run/docker.sock:/s]\n"}
WORDS = {"README.md": "more words\n"}


def merges(scene: Scene, group: MergeGroup) -> bool:
    """What the queue does with the group, with our App as the check's expected source."""
    return scene.github.mergeable(group, required=[(CHECK, scene.app)])


def page(scene: Scene, group: MergeGroup) -> str:
    """What stands on the check of the group's commit."""
    check = newest(scene, group)
    assert check is not None, "there is no check on the group"
    return f"{check.title}\n{check.summary}"


def newest(scene: Scene, group: MergeGroup) -> CheckRun | None:
    """Our newest check on the group's commit."""
    runs = scene.shop.check_runs(group.head_sha)
    return next((run for run in runs if run.app is scene.app and run.name == CHECK), None)


def queued(scene: Scene, *pulls: PullRequest, behind: MergeGroup | None = None) -> MergeGroup:
    """Have the queue build a group, and wait until it is judged."""
    group = scene.shop.queue(*pulls, by=scene.mia, behind=behind)
    scene.judged()
    return group


def test_nothing_in_scope_is_queued(scene: Scene) -> None:
    """A pull request that changes nothing but words is queued.

    The group's commit gets a green check, too: one that never reports would block the queue.
    """
    pull = scene.open(WORDS)
    group = queued(scene, pull)
    assert merges(scene, group), page(scene, group)
    group.merge()
    scene.judged()
    assert pull.merged_at is not None


def test_a_justified_pull_request_is_queued(scene: Scene) -> None:
    """A justified pull request is queued together with one that needs nothing.

    The group is green, and its check says who justified which of its pull requests.
    """
    pull, words = scene.justified(), scene.open(WORDS)
    group = queued(scene, pull, words)
    assert merges(scene, group), page(scene, group)
    assert scene.mia.login in page(scene, group)
    assert f"#{pull.number}" in page(scene, group)


def test_an_uncovered_pull_request_is_queued_by_an_administrator(scene: Scene) -> None:
    """Someone who may bypass the rule queues a pull request whose check is red.

    The queue does not merge it: the group's own check is red and names what is not covered.
    """
    pull = scene.shown_red()
    group = queued(scene, pull)
    assert not merges(scene, group)
    assert "covered by no label" in page(scene, group)
    assert "compose.yaml" in page(scene, group)


def test_one_member_is_covered_and_another_is_not(scene: Scene) -> None:
    """A justified and an uncovered pull request are queued in one group.

    The group is red, and only what the second one adds is called uncovered.
    """
    covered, bare = scene.justified(), scene.shown_red(OTHER)
    group = queued(scene, covered, bare)
    assert not merges(scene, group)
    uncovered = page(scene, group).partition("Covered by none")[2].partition("Take the")[0]
    assert "other.yaml" in uncovered
    assert "compose.yaml" not in uncovered


def test_two_members_cover_what_each_adds(scene: Scene) -> None:
    """Two pull requests, each justified for its own finding, are queued in one group.

    The group is green.
    """
    group = queued(scene, scene.justified(), scene.justified(OTHER))
    assert merges(scene, group), page(scene, group)


def test_a_label_on_a_pull_request_outside_the_group_covers_nothing_in_it(scene: Scene) -> None:
    """The same finding stands in a justified pull request that waits further back in the queue.

    The group ahead of it is red: only labels on what the group is made of count.
    """
    bare = scene.shown_red()
    justified = scene.justified()
    first = queued(scene, bare)
    second = queued(scene, justified)  # built on the branch, not on the first one
    assert not merges(scene, first)
    assert merges(scene, second), page(scene, second)


def test_a_group_behind_an_uncovered_one(scene: Scene) -> None:
    """A harmless pull request is queued behind one that is not covered; its group is built on it.

    It is red, too: where only the last group has to pass, its check would merge both.
    """
    first = queued(scene, scene.shown_red())
    behind = queued(scene, scene.open(WORDS), behind=first)
    assert not merges(scene, behind)
    assert "compose.yaml" in page(scene, behind)


def test_a_group_behind_a_covered_one(scene: Scene) -> None:
    """A harmless pull request is queued behind a justified one; its group is built on it.

    It is green, by the label on the one ahead.
    """
    pull = scene.justified()
    first = queued(scene, pull)
    behind = queued(scene, scene.open(WORDS), behind=first)
    assert merges(scene, behind), page(scene, behind)
    pull.unlabel(LABEL, by=scene.mia)
    scene.judged()
    assert not merges(scene, first)
    assert not merges(scene, behind)


def test_the_label_is_taken_off_while_queued_and_put_on_again(scene: Scene) -> None:
    """A maintainer takes the label off a queued pull request, and puts it on again.

    The group's check turns red at once, and green again with the new label.
    """
    pull = scene.justified()
    group = queued(scene, pull)
    assert merges(scene, group), page(scene, group)
    pull.unlabel(LABEL, by=scene.mia)
    scene.judged()
    assert not merges(scene, group)
    assert "no label" in page(scene, group)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    assert merges(scene, group), page(scene, group)


def test_the_label_is_taken_off_while_comments_cannot_be_written(scene: Scene) -> None:
    """GitHub fails for comments while a label of somebody lesser takes a good one's place.

    The group turns red all the same: what would be merged does not wait for a comment.
    """
    pull = scene.justified()
    group = queued(scene, pull)
    assert merges(scene, group), page(scene, group)
    scene.github.faults.add("POST", f"/repos/{scene.shop.full_name}/issues/*/comments", status=502)
    pull.unlabel(LABEL, by=scene.tess)
    pull.label(LABEL, by=scene.tess)
    scene.github.wait_for(lambda: not merges(scene, group))
    scene.github.faults.clear()
    scene.judged()
    assert not merges(scene, group)


def test_the_role_is_taken_away_while_queued(scene: Scene) -> None:
    """Whoever justified loses the role, and the check on the group is run again.

    It turns red: the role counts that is held now.
    """
    group = queued(scene, scene.justified())
    assert merges(scene, group), page(scene, group)
    scene.shop.add_collaborator(scene.mia, "write")
    scene.shop.suite(scene.app, group.head_sha).rerequest(by=scene.dev)
    scene.judged()
    assert not merges(scene, group)
    scene.shop.add_collaborator(scene.mia, "maintain")
    scene.shop.suite(scene.app, group.head_sha).rerequest(by=scene.dev)
    scene.judged()
    assert merges(scene, group), page(scene, group)


def test_a_pull_request_is_taken_out_of_the_queue(scene: Scene) -> None:
    """An uncovered pull request is taken out; the queue builds a new group without it.

    The new group is green; nothing more is said of the old commit.
    """
    bare, words = scene.shown_red(), scene.open(WORDS)
    first = queued(scene, bare, words)
    assert not merges(scene, first)
    before = newest(scene, first)
    first.destroy("dequeued")
    scene.judged()
    assert newest(scene, first) is before
    again = queued(scene, words)
    assert merges(scene, again), page(scene, again)


def test_the_queue_does_not_say_whose_the_commit_is(scene: Scene) -> None:
    """The queue's branch is there, but the queue lists no pull request for its commit.

    It is red, and says what to do: labels that cannot be looked for cannot count.
    """
    pull = scene.justified()
    group = scene.shop.queue(pull, by=scene.mia)
    scene.shop.groups.remove(group)
    scene.judged()
    assert not merges(scene, group)
    assert "does not tell which pull requests" in page(scene, group)


def test_a_commit_message_names_a_justified_pull_request(scene: Scene) -> None:
    """An uncovered pull request says in its title and branch that it is the justified one.

    The group is red: members come from the queue's own entries, never from what people write.
    """
    good = scene.justified(OTHER)
    title = f"Merge pull request #{good.number} from acme/pr-{good.number}"
    bare = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev, title=title)
    scene.judged()
    group = queued(scene, bare)
    assert not merges(scene, group)


def test_a_dead_commit_is_asked_about(scene: Scene) -> None:
    """The delivery comes late: the group is gone from the queue by then.

    Nothing is written on its commit, and nothing fails.
    """
    scene.github.webhooks.lose(lambda delivery: delivery.event == "merge_group")
    group = queued(scene, scene.open(WORDS))
    group.destroy("invalidated")
    scene.github.webhooks.lose(None)
    scene.github.events.merge_group("checks_requested", group, scene.mia)
    scene.judged()
    assert newest(scene, group) is None


def test_github_fails_while_a_group_is_judged(scene: Scene) -> None:
    """GitHub answers the first requests with errors.

    The group is judged all the same, once GitHub is back.
    """
    pull = scene.justified()
    scene.github.faults.add("POST", "/repos/*/check-runs", status=502, times=2)
    group = queued(scene, pull)
    assert merges(scene, group), page(scene, group)
