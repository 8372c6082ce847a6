"""When: the label counts after the check has shown the findings, and as long as none is added."""

import datetime as dt

import pytest

from tests.github.git import Signature
from tests.scenarios.stage import COMPOSE, GRANTED, LABEL, MORE, POLICY, Scene, Stage


def test_the_label_is_there_before_the_finding(scene: Scene) -> None:
    """A maintainer labels a harmless pull request, and the author pushes the socket afterwards.

    It is red, and the label comes off: it was put on for nothing that could be seen.
    """
    pull = scene.open({"README.md": "y\n"})
    scene.is_green(pull)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)
    scene.justify(pull)


def test_the_label_is_put_on_before_the_check_was_there(scene: Scene) -> None:
    """A maintainer labels in the moment in which the pull request is opened.

    It stays red: the check had not shown anything yet. The label counts when it is put on again.
    """
    with scene.github.webhooks.held():
        pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev, title="A change")
        pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_the_label_is_put_on_while_the_first_evaluation_runs(scene: Scene) -> None:
    """A maintainer labels right before the first red check is written.

    It stays red: the page with the findings came after the label.
    """
    pull = scene.shop.pull({"README.md": "y\n"}, by=scene.dev, title="A change")
    scene.judged()
    scene.before("POST", "*/check-runs", lambda: pull.label(LABEL, by=scene.mia))
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_worse_commit_is_pushed_after_the_label(scene: Scene) -> None:
    """The author pushes a second grant after the maintainer's label.

    The new head is never green: before its evaluation it has no check, after it a red one.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": MORE}, by=scene.dev)
    assert not scene.mergeable(pull)
    scene.judged()
    scene.is_red(pull)
    assert not pull.has_label(LABEL)
    scene.justify(pull)


def test_a_harmless_commit_is_pushed_after_the_label(scene: Scene) -> None:
    """The author pushes a commit that adds no grant after the maintainer's label.

    It is green again: the label holds for the findings that it was put on for.
    """
    pull = scene.justified()
    pull.push({"README.md": "y\n"}, by=scene.dev)
    assert not scene.mergeable(pull)
    scene.judged()
    scene.is_green(pull)


def test_the_policy_asks_for_the_label_after_every_push(stage: Stage) -> None:
    """The policy says `carry: none`, and the author pushes a harmless commit.

    It is red until the label is put on again.
    """
    scene = stage.scene({POLICY: "carry: none\n"})
    pull = scene.justified()
    pull.push({"README.md": "y\n"}, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_commit_carries_an_old_date(scene: Scene) -> None:
    """The second grant comes in a commit whose date is years before the label.

    It is red: what came before is decided by GitHub's clock, never by a commit's date.
    """
    pull = scene.justified()
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    pull.push({"compose.yaml": MORE}, by=scene.dev, date=long_ago)
    scene.judged()
    scene.is_red(pull)


def test_a_commit_carries_a_date_of_the_future(scene: Scene) -> None:
    """The socket is in a commit dated years ahead, and the label is older than that date.

    The label counts all the same: commit dates decide nothing in either direction.
    """
    ahead = Signature("Dev", scene.dev.email, dt.datetime(2037, 1, 1, tzinfo=dt.UTC))
    pull = scene.shop.pull(
        {"compose.yaml": GRANTED}, by=scene.dev, title="A change", author=ahead, committer=ahead
    )
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_push_away_and_back(scene: Scene) -> None:
    """Of two grants shown, one is removed, the other justified; both are pushed back by force.

    It is red: the label was put on where one was shown, and covers that one.
    """
    pull = scene.shown_red({"compose.yaml": MORE})
    both = pull.head_sha
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.justify(pull)
    pull.reset(both, by=scene.dev)
    scene.judged()
    assert not scene.mergeable(pull)
    scene.is_red(pull)


def test_a_push_right_after_the_label_hides_the_head_it_was_put_on(scene: Scene) -> None:
    """Right after the label, the head it was put on is replaced by an older, worse one.

    It is red: what the label was put on for went away with that head, so it is asked for again.
    """
    pull = scene.shown_red({"compose.yaml": MORE})
    both = pull.head_sha
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    with scene.github.webhooks.held():
        pull.label(LABEL, by=scene.mia)
        pull.push({"README.md": "hides the head\n"}, by=scene.dev)
        scene.github.clock.advance(2)
        pull.reset(both, by=scene.dev)
    scene.judged()
    scene.is_red(pull)
    scene.justify(pull)


def test_a_forced_push_that_keeps_the_finding(scene: Scene) -> None:
    """A rebase replaces all commits, and our checks with them, and keeps the finding.

    It is green again: what the label covers was recorded when it was put on.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": GRANTED, "README.md": "rebased\n"}, by=scene.dev, force=True)
    assert not scene.mergeable(pull)
    scene.judged()
    scene.is_green(pull)


def test_one_of_two_findings_goes_and_comes_back(scene: Scene) -> None:
    """Two grants are justified; the author removes one, and puts it back later.

    It stays green: the label was put on for both.
    """
    pull = scene.justified({"compose.yaml": MORE})
    for text in (GRANTED, MORE):
        pull.push({"compose.yaml": text}, by=scene.dev)
        scene.judged()
        scene.is_green(pull)


def test_all_findings_go_and_come_back(scene: Scene) -> None:
    """The author removes a justified grant, has it green as harmless, and puts it back.

    It is green where the label is still on, since it was put on for this very grant.
    """
    pull = scene.justified()
    pull.push({"compose.yaml": COMPOSE}, by=scene.dev)
    scene.judged()
    scene.is_green(pull)
    pull.push({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    scene.is_green(pull)


def test_the_label_is_taken_off(scene: Scene) -> None:
    """Anyone who may takes the label off.

    It is red as soon as GitHub's event has come.
    """
    pull = scene.justified()
    pull.unlabel(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_a_draft_is_judged_too(scene: Scene) -> None:
    """The pull request is a draft, so that nobody looks, and is marked ready later.

    It is red from the start, and stays so.
    """
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev, title="A change", draft=True)
    scene.judged()
    scene.is_red(pull)
    pull.mark_ready(by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_closed_and_opened_again(scene: Scene) -> None:
    """The author closes the red pull request, pushes more while it is closed, and reopens it.

    The new head is judged when it is open again: red.
    """
    pull = scene.justified()
    pull.close(by=scene.dev)
    scene.judged()
    pull.reopen(by=scene.dev)
    scene.judged()
    scene.is_green(pull)
    pull.close(by=scene.dev)
    pull.push({"compose.yaml": MORE}, by=scene.dev)
    pull.reopen(by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_more_label_events_than_are_read(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """A triage user buries a withdrawal under very many events, and puts the label on again.

    It stays red, with the reason: who put the label on last is not known. (The limit of 10,000
    events is lowered here.)
    """
    monkeypatch.setattr("bot.forge.client.MOST_PAGES", 1)
    pull = scene.justified()
    scene.github.webhooks.lose(lambda _: True)
    for number in range(60):
        pull.label("busy", by=scene.tess)
        pull.unlabel("busy", by=scene.tess)
        if number == 50:
            pull.unlabel(LABEL, by=scene.mia)
    scene.github.webhooks.lose(None)
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    assert "more than 100 events" in scene.said(pull)
