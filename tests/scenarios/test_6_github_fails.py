"""GitHub fails: what it refuses, cuts short or forgets is never taken for nothing."""

import pytest

from tests.github.graph.base import refused
from tests.github.graph.pulls import PullRequestNode
from tests.github.graph.timeline import EventNode
from tests.scenarios.stage import CHECK, COMPOSE, GRANTED, LABEL, Scene

ELSEWHERE = "services:\n  web:\n    extends: {file: base.txt, service: web}\n"


def test_the_role_may_not_be_looked_up(scene: Scene) -> None:
    """GitHub refuses to tell the role of whoever labelled.

    It stays red: a refused look-up is no role.
    """
    pull = scene.shown_red()
    fault = scene.github.faults.add(
        "GET", f"/repos/{scene.shop.full_name}/*/permission", status=403
    )
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    assert fault.hits
    scene.is_red(pull)


def test_the_look_up_of_the_role_is_down(scene: Scene) -> None:
    """GitHub answers 502 when it is asked for the role, and recovers later.

    It is red meanwhile, and green by itself once GitHub answers.
    """
    pull = scene.shown_red()
    where = f"/repos/{scene.shop.full_name}/*/permission"
    fault = scene.github.faults.add("GET", where, status=502)
    pull.label(LABEL, by=scene.mia)
    scene.github.wait_for(lambda: fault.hits)
    scene.is_red(pull)
    scene.github.faults.clear()
    scene.judged()
    scene.is_green(pull)


def test_the_diff_is_cut_short(scene: Scene) -> None:
    """GitHub leaves the patch of a file out, as it does past some size.

    It is red: the files themselves are read and compared.
    """
    scene.github.limits.patch_lines = scene.github.limits.answer_lines = 1
    try:
        scene.shown_red()
    finally:
        scene.github.limits.patch_lines = scene.github.limits.answer_lines = 20_000


def test_more_files_than_a_comparison_lists(scene: Scene) -> None:
    """The socket is in the last one of more than three hundred changed files.

    It is red: the further pages are read.
    """
    scene.shown_red({f"docs/{n:03}.md": "x\n" for n in range(310)} | {"z/compose.yaml": GRANTED})


def test_more_files_than_github_lists(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pull request changes as many files as GitHub lists at most, or more.

    It is red, with the reason, whatever the listed ones say. (The limit of 3,000 is lowered here.)
    """
    monkeypatch.setattr("bot.forge.changes._MOST_FILES", 300)
    pull = scene.shown_red({f"docs/{n:03}.md": "x\n" for n in range(310)})
    assert "only the first 300 files" in scene.said(pull)


def test_a_file_is_refused_on_the_way(scene: Scene) -> None:
    """A file takes in another one, and GitHub refuses to give that one.

    It is red, and says that the change could not be read.
    """
    scene.shop.commit({"base.txt": GRANTED}, by=scene.mia)
    scene.github.faults.add(
        "POST", "/graphql", status=403, which=lambda one: "base.txt" in one.body["query"]
    )
    pull = scene.shown_red({"compose.yaml": ELSEWHERE})
    assert "does not let this change be read" in scene.said(pull)


def test_a_file_fails_on_the_way(scene: Scene) -> None:
    """The same, with a 502 that passes.

    There is no check at first, which is a no; then there is a red one.
    """
    scene.shop.commit({"base.txt": GRANTED}, by=scene.mia)
    fault = scene.github.faults.add(
        "POST", "/graphql", status=502, which=lambda one: "base.txt" in one.body["query"]
    )
    pull = scene.shop.pull({"compose.yaml": ELSEWHERE}, by=scene.dev)
    scene.github.wait_for(lambda: fault.hits > 2)
    assert not scene.mergeable(pull)
    scene.github.faults.clear()
    scene.judged()
    scene.is_red(pull)


def test_a_file_that_no_one_can_read(scene: Scene) -> None:
    """The Dockerfile is binary and mentions the socket.

    It is red, names the file, and a label does not help.
    """
    pull = scene.shown_red({"Dockerfile": "\0\0/var/run/docker.sock\0"})
    assert "binary" in scene.said(pull)
    pull.label(LABEL, by=scene.mia)
    scene.judged()
    scene.is_red(pull)


def test_a_file_that_asks_for_more_than_is_followed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A workflow lets many jobs share many steps by an alias; a mount comes after them.

    It is red, and says that the file was not read to its end. (The limit is lowered here.)
    """
    monkeypatch.setattr("bot.detect.effort.MOST", 300_000)
    shared = "".join(f"  - run: docker build {n}\n" for n in range(300))
    jobs = "".join(f"  j{n}: {{runs-on: a, steps: *shared}}\n" for n in range(300))
    last = "  last:\n    steps:\n      - run: docker run -v /:/host app\n"
    path = ".github/workflows/build.yml"
    text = f"on: push\nx-shared: &shared\n{shared}jobs:\n{jobs}{last}"
    pull = scene.shown_red({path: text})
    assert "not read to its end" in scene.said(pull)


def test_the_check_cannot_be_written(scene: Scene) -> None:
    """GitHub answers 502 to the check, again and again, and recovers.

    Without a check nothing can be merged; it is tried until it lands, and lands once.
    """
    where = f"/repos/{scene.shop.full_name}/check-runs"
    fault = scene.github.faults.add("POST", where, status=502, times=3)
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev)
    scene.judged()
    assert fault.hits == 3
    scene.is_red(pull)
    assert len(scene.shop.check_runs(pull.head_sha)) == 1


def test_the_red_check_after_a_green_one_cannot_be_written(scene: Scene) -> None:
    """The label is taken off, and GitHub answers 502 to the red check, then recovers.

    It is tried until it lands: red.
    """
    pull = scene.justified()
    where = f"/repos/{scene.shop.full_name}/check-runs"
    scene.github.faults.add("POST", where, status=502, times=3)
    pull.unlabel(LABEL, by=scene.dev)
    scene.judged()
    scene.is_red(pull)


def test_the_check_lands_and_the_answer_is_lost(scene: Scene) -> None:
    """GitHub stores the check and answers 502.

    It is seen to stand, and not written a second time.
    """
    where = f"/repos/{scene.shop.full_name}/check-runs"
    scene.github.faults.add("POST", where, status=502, after=True, times=1)
    pull = scene.shown_red()
    assert len(scene.shop.check_runs(pull.head_sha)) == 1


def test_the_comments_are_refused(scene: Scene) -> None:
    """The conversation is locked, so that no comment can be written.

    It is red all the same, and the label counts: comments decide nothing.
    """
    for path in ("reviews", "comments"):
        where = f"/repos/{scene.shop.full_name}/pulls/*/{path}"
        scene.github.faults.add("POST", where, status=403, message="Locked")
    pull = scene.shown_red()
    assert pull.threads == []
    scene.justify(pull)


def test_a_label_that_does_not_count_cannot_be_taken_off(scene: Scene) -> None:
    """A triage user labels, and GitHub refuses to take the label off.

    It is red: what counts is decided by who put it on, not by its being there.
    """
    pull = scene.shown_red()
    where = f"/repos/{scene.shop.full_name}/issues/*/labels/*"
    scene.github.faults.add("DELETE", where, status=403)
    pull.label(LABEL, by=scene.tess)
    scene.judged()
    scene.is_red(pull)
    assert pull.has_label(LABEL)


def test_a_rate_limit(scene: Scene) -> None:
    """GitHub asks for a pause in the middle of an evaluation, twice.

    There is no verdict from half of it: no check, then a red one.
    """
    where = f"/repos/{scene.shop.full_name}/compare/*"
    fault = scene.github.faults.secondary_limit(retry_after=1, path=where, times=2)
    pull = scene.shop.pull({"compose.yaml": GRANTED}, by=scene.dev)
    scene.github.wait_for(lambda: fault.hits)
    assert not scene.mergeable(pull)
    scene.judged()
    scene.is_red(pull)


@pytest.mark.parametrize("how", ["cut", "half"])
def test_the_connection_breaks(scene: Scene, how: str) -> None:
    """The connection to GitHub is cut, or half an answer comes, now and then.

    The verdict is that of whole answers: red.
    """
    where = f"/repos/{scene.shop.full_name}/*"
    scene.github.faults.add("GET", where, times=2, reset=how == "cut", truncate=how == "half")
    scene.shown_red()


def test_the_list_of_label_events_is_behind(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub shows the label before it lists who put it on.

    It is red while nothing tells who, and green by itself once the list has it.
    """
    monkeypatch.setattr("bot.evaluate._LISTED", 0.5)
    pull = scene.shown_red()
    with scene.github.webhooks.held():
        pull.label(LABEL, by=scene.mia)
        late = pull.timeline.pop()
    scene.github.wait_for(lambda: scene.stage.intake.depth().postponed)
    scene.is_red(pull)
    assert pull.has_label(LABEL)
    pull.timeline.append(late)
    scene.judged()
    scene.is_green(pull)


def test_a_defect_of_our_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The detector itself fails on a file.

    It is red and says so, never green and never silent.
    """

    def broken(path: str, _source: object) -> object:
        raise RuntimeError(path)

    monkeypatch.setattr("bot.review.compare.detect", broken)
    pull = scene.shown_red({"compose.yaml": COMPOSE + "# more\n"})
    check = pull.check(CHECK, scene.app)
    assert check is not None
    assert check.title == "Could not be evaluated"


def test_the_merge_is_not_tried_yet(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The base has moved on, and GitHub has not tried yet what merging gives.

    It is red, and says how to go on; it is green once GitHub has tried.
    """
    pull = scene.open({"compose.yaml": COMPOSE + "    tty: true\n"})
    scene.is_green(pull)
    scene.shop.commit({"README.md": "z\n"}, by=scene.mia)
    scene.judged()
    with monkeypatch.context() as patch:
        patch.setattr(PullRequestNode, "field_potential_merge_commit", lambda _: None)
        pull.comment("/docker-socket recheck", by=scene.dev)
        scene.judged()
        scene.is_red(pull)
        assert "bring the branch up to date" in scene.said(pull)
    pull.comment("/docker-socket recheck", by=scene.dev)
    scene.judged()
    scene.is_green(pull)


def test_which_label_it_was_is_not_told(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub fails to tell the label of an event, as it may where one was deleted since.

    It is green by the maintainer's label: what is not told speaks against nobody.
    """

    def fails(_: EventNode) -> None:
        raise refused("INTERNAL", "Something went wrong")

    monkeypatch.setattr(EventNode, "field_label", fails)
    pull = scene.shown_red()
    pull.label("bug", by=scene.dev)
    scene.justify(pull)
