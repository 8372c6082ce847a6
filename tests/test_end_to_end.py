"""Attacks on the gate, each by name, through evaluate() and HTTP: what branch protection says."""

import datetime as dt
import json
from collections.abc import Callable

import pytest

from bot.detect.source import SourceError
from bot.evaluate import Moved
from bot.forge.error import ForgeError
from bot.gate.justification import Why
from bot.gate.verdict import Because
from bot.publish.writes import PutCheck, RemoveLabel, marker
from tests.github import PullRequest, SmallGitHub
from tests.github.fixtures import github
from tests.github.log import LoggedRequest
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, MANIFEST, MORE, Team, team

__all__ = ["github"]


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


@pytest.fixture
def trusting(github: SmallGitHub) -> Team:
    """A team whose policy trusts more branches than the default one."""
    return team(github, {".github/sockgate.yml": "trusted_branches: [own, other, release]\n"})


def shown_red(acme: Team, files: dict[str, str] | None = None) -> PullRequest:
    """A pull request whose findings our check has shown."""
    pull = acme.open(files or {"compose.yaml": GRANTED})
    acme.done(pull)
    assert not acme.mergeable(pull)
    return pull


def justified(acme: Team, files: dict[str, str] | None = None) -> PullRequest:
    """A pull request that the maintainer justified."""
    pull = shown_red(acme, files)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)
    return pull


def refusal(acme: Team, pull: PullRequest) -> Why:
    found = acme.done(pull).verdict.refusal
    assert found is not None
    assert not acme.mergeable(pull)
    return found.why


def before(acme: Team, method: str, path: str, do: Callable[[], None], *, skip: int = 0) -> None:
    """Let something happen right before a request is answered: the first, or one after it."""
    left = [skip]

    def come(_: LoggedRequest) -> bool:
        left[0] -= 1
        if left[0] == -1:
            do()
        return False

    acme.github.faults.add(method, path, which=come)


# The label and what was pushed around it --------------------------------------------------------


def test_a_forced_push_that_keeps_the_findings_stays_green(acme: Team) -> None:
    pull = justified(acme)
    pull.push({"compose.yaml": GRANTED, "README.md": "again\n"}, by=acme.dev, force=True)
    assert not acme.mergeable(pull)
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_forced_push_cannot_bring_back_what_the_label_was_not_put_on_for(acme: Team) -> None:
    pull = shown_red(acme, {"compose.yaml": MORE})
    first = pull.head_sha
    pull.push({"compose.yaml": GRANTED}, by=acme.dev)
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    pull.push({"README.md": "nothing\n"}, by=acme.dev)
    acme.done(pull)
    assert acme.mergeable(pull)
    pull.reset(first, by=acme.dev)
    assert refusal(acme, pull) is Why.UNSEEN


def test_a_forced_push_right_after_the_label_asks_again(acme: Team) -> None:
    pull = shown_red(acme, {"compose.yaml": MORE})
    first = pull.head_sha
    pull.push({"compose.yaml": GRANTED}, by=acme.dev)
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    pull.push({"README.md": "hides the head that the label was put on\n"}, by=acme.dev)
    acme.github.clock.advance(2)
    pull.reset(first, by=acme.dev)
    assert refusal(acme, pull) is Why.TOO_EARLY


def test_fewer_findings_stay_green_and_one_of_them_may_come_back(acme: Team) -> None:
    pull = justified(acme, {"compose.yaml": MORE})
    pull.push({"compose.yaml": GRANTED}, by=acme.dev)
    acme.done(pull)
    assert acme.mergeable(pull)
    pull.push({"compose.yaml": MORE}, by=acme.dev)
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_commit_with_an_old_date_does_not_come_before_the_label(acme: Team) -> None:
    pull = justified(acme)
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    pull.push({"compose.yaml": MORE}, by=acme.dev, date=long_ago)
    assert refusal(acme, pull) is Why.UNSEEN
    assert not pull.has_label(LABEL)


def test_a_policy_may_ask_for_the_label_after_every_push(github: SmallGitHub) -> None:
    acme = team(github, {".github/sockgate.yml": "carry: none\n"})
    pull = justified(acme)
    acme.done(pull)
    assert acme.mergeable(pull)
    pull.push({"README.md": "y\n"}, by=acme.dev)
    assert refusal(acme, pull) is Why.PUSHED
    assert "after every push" in pull.comments[-1].body


def test_a_policy_may_ask_for_a_reason(github: SmallGitHub) -> None:
    acme = team(github, {".github/sockgate.yml": "require_reason: true\n"})
    pull = shown_red(acme)
    pull.comment("It says so in the guide, I promise.", by=acme.dev)
    pull.label(LABEL, by=acme.mia)
    assert refusal(acme, pull) is Why.NO_REASON
    assert pull.has_label(LABEL)
    assert acme.done(pull).writes == ()
    [told] = [comment.body for comment in pull.comments if comment.author is acme.app.bot]
    assert "does not count yet" in told
    pull.comment("Reason: Traefik reads container labels, on a host of its own.", by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)
    assert "Traefik reads container labels" in acme.summary(pull)


# Who put it on ----------------------------------------------------------------------------------


def test_a_label_put_on_again_by_someone_lesser_loses_the_earlier_one(acme: Team) -> None:
    pull = justified(acme)
    pull.unlabel(LABEL, by=acme.tess)
    acme.github.clock.advance(2)
    pull.label(LABEL, by=acme.tess)
    assert refusal(acme, pull) is Why.ROLE


def test_a_label_through_an_app_does_not_count(acme: Team) -> None:
    pull = shown_red(acme)
    other = acme.github.app("labeler", permissions={"pull_requests": "write"})
    pull.label(LABEL, by=acme.mia, app=other)
    assert refusal(acme, pull) is Why.NOT_A_PERSON


def test_an_app_that_the_policy_lists_by_name_may_label(github: SmallGitHub) -> None:
    acme = team(github, {".github/sockgate.yml": "users: ['gatekeeper[bot]']\n"})
    other = github.app("gatekeeper", permissions={"pull_requests": "write"})
    pull = shown_red(acme)
    pull.label(LABEL, by=other.bot, app=other)
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_role_taken_away_after_the_label_takes_the_green_with_it(acme: Team) -> None:
    pull = justified(acme)
    acme.shop.add_collaborator(acme.mia, "write")
    assert refusal(acme, pull) is Why.ROLE


def test_a_custom_role_counts_as_what_it_is_based_on(acme: Team) -> None:
    acme.shop.owner.custom_role("release manager", base="maintain")
    acme.shop.add_collaborator(acme.mia, "release manager")
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.mia)
    # REST tells "write" for whatever is based on maintain, so a custom role cannot show more.
    assert refusal(acme, pull) is Why.ROLE


def test_a_look_up_of_the_role_that_is_refused_is_a_no(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.mia)
    acme.github.faults.add("GET", "*/permission", status=403)
    assert refusal(acme, pull) is Why.ROLE


def test_a_look_up_of_the_role_that_fails_is_tried_again_and_green_meanwhile_never(
    acme: Team,
) -> None:
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.mia)
    fault = acme.github.faults.add("GET", "*/permission", status=502)
    with pytest.raises(ForgeError) as failed:
        acme.evaluate(pull)
    assert failed.value.retry
    assert not acme.mergeable(pull)
    acme.github.faults.remove(fault)
    acme.done(pull)
    assert acme.mergeable(pull)


# What the label is ------------------------------------------------------------------------------


def test_another_label_renamed_into_ours_has_no_history(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label("needs review", by=acme.mia)
    acme.github.clock.advance(90)
    label = acme.shop.label("needs review")
    assert label is not None
    label.edit(by=acme.dev, name=LABEL)
    assert refusal(acme, pull) is Why.NO_EVENT
    assert not pull.has_label(LABEL)


def test_a_label_that_github_does_not_list_yet_is_waited_for(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label("needs review", by=acme.mia)
    label = acme.shop.label("needs review")
    assert label is not None
    label.edit(by=acme.dev, name=LABEL)
    with pytest.raises(ForgeError, match="not listed yet") as failed:
        acme.evaluate(pull)
    assert failed.value.retry
    assert not acme.mergeable(pull)
    assert pull.has_label(LABEL)


def test_a_label_deleted_from_the_repository_leaves_no_green(acme: Team) -> None:
    pull = justified(acme)
    label = acme.shop.label(LABEL)
    assert label is not None
    label.delete(by=acme.dev)
    acme.done(pull)
    assert not acme.mergeable(pull)


def test_a_look_alike_is_another_label(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label("docker\N{NON-BREAKING HYPHEN}socket-justified", by=acme.mia)
    pull.label("d\N{CYRILLIC SMALL LETTER O}cker-socket-justified", by=acme.mia)
    assert acme.done(pull).verdict.refusal is None
    assert not acme.mergeable(pull)


def test_a_label_taken_off_is_red_at_once(acme: Team) -> None:
    pull = justified(acme)
    pull.unlabel(LABEL, by=acme.dev)
    acme.done(pull)
    assert not acme.mergeable(pull)


def test_a_valid_label_put_on_meanwhile_is_not_taken_off(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.tess)

    def again() -> None:
        pull.unlabel(LABEL, by=acme.mia)
        pull.label(LABEL, by=acme.mia)

    comments = len(pull.comments)
    before(acme, "POST", "*/issues/1/comments", again)
    done = acme.done(pull)
    assert any(isinstance(write, RemoveLabel) for write in done.writes)
    assert len(pull.comments) == comments + 1
    assert pull.has_label(LABEL)
    acme.done(pull)
    assert acme.mergeable(pull)


# Checks, comments and markers that are not ours ---------------------------------------------------


def test_a_check_of_the_same_name_by_another_app_counts_for_nothing(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    other = acme.github.app("forger", permissions={"checks": "write"})
    other.install(acme.shop.owner)
    record = marker("record", "pull:1", "label:1", "0" * 32)
    acme.shop.new_check(
        other, pull.head_sha, name=CHECK, conclusion="success",
        output={"title": "fine", "summary": record},
    )  # fmt: skip
    acme.done(pull)
    assert not acme.mergeable(pull)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_marker_planted_in_a_file_shows_nothing_that_was_not_shown(acme: Team) -> None:
    later = acme.open({"compose.yaml": MORE})
    planted = sorted(acme.done(later).verdict.fingerprints)
    name = marker("record", f"pull:{later.number + 1}", *planted)
    hostile = json.dumps({"services": {name: {"image": "x", "volumes": ["/run/docker.sock:/s"]}}})
    pull = justified(acme, {"compose.yaml": hostile})
    pull.push({"compose.yaml": MORE}, by=acme.dev)
    assert refusal(acme, pull) in {Why.UNSEEN, Why.TOO_EARLY}


def test_a_planted_marker_in_someones_comment_silences_nothing(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    fingerprints = acme.done(pull).verdict.fingerprints
    other = acme.open({"compose.yaml": GRANTED})
    other.comment(marker("finding", *fingerprints), by=acme.dev)
    acme.done(other)
    assert [thread.comments[0].author for thread in other.threads] == [acme.app.bot]


def test_our_comment_edited_by_someone_says_again_what_it_said(acme: Team) -> None:
    pull = shown_red(acme)
    [thread] = pull.threads
    said = thread.comments[0].body
    thread.comments[0].edit(said.replace("root on the host", "nothing at all"), by=acme.mia)
    acme.done(pull)
    assert thread.comments[0].body == said
    assert not acme.mergeable(pull)


def test_a_conversation_that_a_person_resolved_is_not_started_again(acme: Team) -> None:
    pull = shown_red(acme)
    [thread] = pull.threads
    thread.resolve(by=acme.dev)
    pull.push({"README.md": "y\n"}, by=acme.dev)
    acme.done(pull)
    assert pull.threads == [thread]
    assert not acme.mergeable(pull)


def test_a_finding_that_comes_back_is_told_again(acme: Team) -> None:
    pull = shown_red(acme)
    pull.push({"compose.yaml": COMPOSE}, by=acme.dev)
    acme.done(pull)
    pull.push({"compose.yaml": GRANTED}, by=acme.dev)
    acme.done(pull)
    assert len(pull.threads) == 2
    assert not acme.mergeable(pull)


def test_a_comment_in_the_file_that_asks_to_be_ignored_is_a_comment(acme: Team) -> None:
    text = GRANTED.replace("docker.sock\n", "docker.sock # sockgate: ignore\n")
    shown_red(acme, {"compose.yaml": "# sockgate: ignore-file\n" + text})


# Heads and bases --------------------------------------------------------------------------------


def test_a_base_that_has_it_already_is_compared_with_the_default_branch_too(acme: Team) -> None:
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="own")
    pull = acme.shop.pull({"README.md": "y\n"}, by=acme.dev, base="own", branch="change")
    [finding] = acme.done(pull).verdict.findings
    assert finding.comes_with == "own"
    assert not acme.mergeable(pull)
    assert pull.threads == []
    assert "`compose.yaml:6` from `own`" in acme.summary(pull)
    assert "has not" in acme.summary(pull)
    pull.edit(by=acme.dev, base=acme.shop.default_branch)
    assert not acme.mergeable(pull)
    acme.done(pull)
    assert "from `own`" not in acme.summary(pull)


def test_a_branch_that_the_policy_trusts_is_compared_alone(trusting: Team) -> None:
    acme = trusting
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.mia, branch="release")
    pull = acme.shop.pull({"README.md": "y\n"}, by=acme.dev, base="release", branch="change")
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_base_without_common_history_brings_nothing_to_the_default_branch(acme: Team) -> None:
    alone = acme.shop.write(
        {"compose.yaml": GRANTED}, parents=(), author=acme.dev, committer=acme.dev
    )
    acme.shop.push("pages", alone, by=acme.dev)
    sha = acme.shop.write({"a": "1\n"}, parents=(alone,), author=acme.dev, committer=acme.dev)
    acme.shop.push("page", sha, by=acme.dev)
    pull = acme.shop.open_pull(acme.shop, "page", "pages", by=acme.dev, title="page")
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_base_far_from_the_default_branch_is_compared_by_its_trees(acme: Team) -> None:
    files = {f"docs/{n:03}.md": "x\n" for n in range(310)} | {"z/compose.yaml": GRANTED}
    acme.shop.commit(files, by=acme.dev, branch="own")
    pull = acme.shop.pull({"README.md": "y\n"}, by=acme.dev, base="own", branch="change")
    [finding] = acme.done(pull).verdict.findings
    assert finding.path == "z/compose.yaml"
    acme.github.limits.tree_entries = 4
    pull.push({"README.md": "z\n"}, by=acme.dev)
    acme.done(pull)
    assert "could not be evaluated" in acme.title(pull)


def test_a_base_that_was_wound_back_is_compared_as_it_is_now(trusting: Team) -> None:
    acme = trusting
    before = acme.shop.commit({"README.md": "1\n"}, by=acme.mia, branch="release")
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.mia, branch="release")
    pull = acme.shop.pull({"README.md": "2\n"}, by=acme.dev, base="release", branch="change")
    acme.done(pull)
    assert acme.mergeable(pull)
    acme.shop.push("release", before, by=acme.mia)
    acme.done(pull)
    assert not acme.mergeable(pull)


def test_a_second_pull_request_opened_meanwhile_with_the_same_head_is_seen(acme: Team) -> None:
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="own")
    pull = acme.shop.pull({"compose.yml": "x: 1\n"}, by=acme.dev, base="own", branch="change")

    def second() -> None:
        acme.shop.open_pull(
            acme.shop, "change", acme.shop.default_branch, by=acme.dev, title="the real one"
        )

    before(acme, "GET", "*/git/trees/*", second)
    acme.done(pull)
    assert not acme.mergeable(pull)
    assert "pull requests 1, 2 have this same head" in acme.summary(pull)


def test_a_closed_one_leaves_the_check_to_those_with_the_same_head(trusting: Team) -> None:
    acme = trusting
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="own")
    pull = acme.shop.pull({"compose.yml": "x: 1\n"}, by=acme.dev, base="own", branch="change")
    base = acme.shop.default_branch
    real = acme.shop.open_pull(acme.shop, "change", base, by=acme.dev, title="the real one")
    acme.done(pull)
    assert not acme.mergeable(pull)
    real.close(by=acme.dev)
    acme.done(real)
    assert acme.mergeable(pull)


@pytest.mark.parametrize("how", ["closed", "deleted"])
def test_one_that_goes_while_it_is_judged_counts_no_more(trusting: Team, how: str) -> None:
    acme = trusting
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="own")
    pull = acme.shop.pull({"compose.yml": "x: 1\n"}, by=acme.dev, base="own", branch="change")
    base = acme.shop.default_branch
    real = acme.shop.open_pull(acme.shop, "change", base, by=acme.dev, title="the real one")

    def go() -> None:
        if how == "closed":
            real.close(by=acme.dev)
        else:
            del acme.shop.pulls[real.number]

    # The first question after the files of this pull request is for the other one.
    before(acme, "POST", "/graphql", go, skip=2)
    assert acme.evaluate(pull) == Moved()
    acme.done(pull)
    assert acme.mergeable(pull)


def test_one_opened_while_another_is_judged_is_evaluated_again(trusting: Team) -> None:
    acme = trusting
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="own")
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.dev, branch="other")
    pull = acme.shop.pull({"compose.yml": "x: 1\n"}, by=acme.dev, base="own", branch="change")
    acme.shop.open_pull(acme.shop, "change", "other", by=acme.dev, title="green too")

    def third() -> None:
        base = acme.shop.default_branch
        acme.shop.open_pull(acme.shop, "change", base, by=acme.dev, title="the real one")

    # The second tree is the one of the second pull request.
    before(acme, "GET", "*/git/trees/*", third, skip=1)
    assert acme.evaluate(pull) == Moved()
    acme.done(pull)
    assert not acme.mergeable(pull)


def test_a_head_on_the_default_branch_is_shared_all_the_same(acme: Team) -> None:
    acme.shop.commit({"compose.yaml": COMPOSE}, by=acme.mia, branch="old")
    acme.shop.commit({"compose.yaml": GRANTED}, by=acme.mia)
    head = acme.shop.head
    acme.shop.push("back", head, by=acme.mia)
    acme.shop.push("same", head, by=acme.mia)
    acme.shop.commit({"README.md": "ahead\n"}, by=acme.mia)
    harmless = acme.shop.open_pull(acme.shop, "back", "same", by=acme.dev, title="x")
    real = acme.shop.open_pull(acme.shop, "back", "old", by=acme.dev, title="y")
    acme.done(real)
    acme.done(harmless)
    assert not acme.mergeable(real)


def test_a_head_with_no_common_ancestor_is_red_with_the_reason(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    alone = acme.shop.write({"a": "1\n"}, parents=(), author=acme.dev, committer=acme.dev)
    pull.reset(alone, by=acme.dev)
    assert acme.done(pull).verdict.because is Because.UNKNOWN
    assert not acme.mergeable(pull)
    assert "No common ancestor" in acme.summary(pull)


# What GitHub does not give whole ------------------------------------------------------------------


def test_more_files_than_a_comparison_lists_are_all_read(acme: Team) -> None:
    files = {f"docs/{n:03}.md": "x\n" for n in range(310)} | {"z/compose.yaml": GRANTED}
    shown_red(acme, files)


def test_more_files_than_github_lists_is_red(acme: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.forge.changes._MOST_FILES", 300)
    pull = acme.open({f"docs/{n:03}.md": "x\n" for n in range(310)})
    assert acme.done(pull).verdict.because is Because.UNKNOWN
    assert "only the first 300 files" in acme.summary(pull)


def test_a_diff_that_github_leaves_out_is_read_from_the_files(acme: Team) -> None:
    acme.github.limits.patch_lines = acme.github.limits.answer_lines = 1
    pull = shown_red(acme)
    [thread] = pull.threads
    assert thread.anchor.subject_type == "file"


def test_a_tree_that_github_cuts_short_is_listed_folder_by_folder(acme: Team) -> None:
    part = "services:\n  web:\n    image: nginx\n"
    main = "include: [../parts/web.yaml]\n"
    acme.shop.commit(
        {"a/deploy/compose.yaml": main, "a/parts/web.yaml": part} | {f"b/{n}": "x" for n in "123"},
        by=acme.mia,
    )
    acme.github.limits.tree_entries = 4
    pull = shown_red(acme, {"a/parts/web.yaml": part + "    volumes: [/run/docker.sock:/s]\n"})
    assert sum("git/trees" in one for one in acme.requests()) > 2
    assert pull.threads


def test_a_repository_that_cannot_be_listed_whole_is_red(
    acme: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forge.tree._MOST_TREES", 1)
    acme.shop.commit({"a/b": "x", "c/d": "x"}, by=acme.mia)
    acme.github.limits.tree_entries = 1
    pull = acme.open({"compose.yaml": COMPOSE + "# more\n"})
    acme.done(pull)
    assert not acme.mergeable(pull)
    assert "not all files of this repository" in acme.summary(pull)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_bytes_that_are_no_utf8_are_read_as_they_are(acme: Team, encoding: str) -> None:
    text = GRANTED + "    labels: {note: café}\n"
    shown_red(acme, {"compose.yaml": text.encode(encoding)})  # type: ignore[dict-item]


def test_a_file_that_is_too_large_is_red_and_named(
    acme: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.forge.source._LARGEST_FILE", 1_000)
    pull = acme.open({"deploy.yaml": "#" * 1_001})
    assert acme.done(pull).verdict.because is Because.UNKNOWN
    assert "too large to be read&#58; deploy&#46;yaml" in acme.summary(pull)


ELSEWHERE = "services:\n  web:\n    extends: {file: base.txt, service: web}\n"


@pytest.mark.parametrize(("status", "passing"), [(502, True), (403, False)])
def test_a_file_that_is_read_on_the_way_and_fails_is_never_green(
    acme: Team, status: int, *, passing: bool
) -> None:
    acme.shop.commit({"base.txt": GRANTED}, by=acme.mia)
    pull = acme.open({"compose.yaml": ELSEWHERE})
    acme.github.faults.add(
        "POST", "/graphql", status=status, which=lambda one: "base.txt" in one.body["query"]
    )
    if passing:
        with pytest.raises(ForgeError) as failed:
            acme.evaluate(pull)
        assert failed.value.retry
        assert pull.check(CHECK, acme.app) is None
    else:
        assert acme.done(pull).verdict.because is Because.UNKNOWN
        assert "does not let this change be read" in acme.summary(pull)
    assert not acme.mergeable(pull)


def test_a_defect_of_a_source_is_passed_on(acme: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise SourceError("of nobody's making")

    monkeypatch.setattr("bot.reviewed.compare", broken)
    with pytest.raises(SourceError):
        acme.evaluate(acme.open({"compose.yaml": GRANTED}))


def test_who_wrote_one_of_very_many_commits_is_not_known(acme: Team) -> None:
    sha = acme.shop.head
    for number in range(251):
        files = {"compose.yaml": GRANTED} if number == 250 else {"README.md": f"{number}\n"}
        sha = acme.shop.write(files, parents=(sha,), author=acme.dev, committer=acme.dev)
    acme.shop.push("long", sha, by=acme.dev)
    base = acme.shop.default_branch
    pull = acme.shop.open_pull(acme.shop, "long", base, by=acme.dev, title="long")
    acme.done(pull)
    assert acme.done(pull).writes == ()
    pull.label(LABEL, by=acme.mia)
    assert refusal(acme, pull) is Why.UNKNOWN_CONTRIBUTOR


def test_long_lists_are_read_to_their_end(acme: Team) -> None:
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.tess)
    acme.done(pull)
    for number in range(101):
        pull.comment(f"Number {number}", by=acme.dev)
    for number in range(99):
        pull.label(f"label {number}", by=acme.tess)
    before = len(acme.requests())
    assert acme.done(pull).writes == ()
    assert len(acme.requests()) - before == 5
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)


# Writing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("path", ["*/check-runs", "*/reviews"])
def test_a_write_that_fails_is_made_once(acme: Team, path: str, after: bool) -> None:  # noqa: FBT001
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.faults.add("POST", path, status=502, after=after, times=1)
    with pytest.raises(ForgeError) as failed:
        acme.evaluate(pull)
    assert failed.value.retry
    acme.done(pull)
    assert acme.done(pull).writes == ()
    assert len(pull.threads) == 1
    assert len(acme.shop.check_runs(pull.head_sha)) == 1


def test_a_line_that_github_refuses_is_commented_on_the_file(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED, "b/compose.yaml": GRANTED})
    acme.github.faults.add("POST", "*/reviews", status=422, message="Line could not be resolved")
    acme.github.faults.add(
        "POST", "*/pulls/1/comments", status=422, times=1,
        which=lambda request: request.body.get("subject_type") != "file",
    )  # fmt: skip
    acme.done(pull)
    assert sorted(thread.anchor.subject_type for thread in pull.threads) == ["file", "line"]
    assert acme.done(pull).writes == ()


def test_a_pull_request_that_takes_no_comment_has_its_check(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.faults.add("POST", "*/reviews", status=403, message="Locked")
    told: list[str] = []
    acme.done(pull, failed=lambda what, why: told.append(f"{what}: {why}"))
    assert not acme.mergeable(pull)
    assert told == ["PostReview: not permitted: Locked"]


def test_an_annotation_that_github_refuses_does_not_cost_the_verdict(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.faults.add("POST", "*/check-runs", status=422, times=1)
    acme.done(pull)
    check = pull.check(CHECK, acme.app)
    assert check is not None
    assert (check.conclusion, check.annotations) == ("failure", [])


def test_a_check_that_github_refuses_is_told(acme: Team) -> None:
    pull = acme.open({"README.md": "y\n"})
    acme.github.faults.add("POST", "*/check-runs", status=422)
    with pytest.raises(ForgeError, match="status 422") as failed:
        acme.evaluate(pull)
    assert not failed.value.retry


@pytest.mark.parametrize(("status", "passing"), [(404, None), (403, False), (500, True)])
def test_a_label_that_cannot_be_taken_off_changes_no_verdict(
    acme: Team, status: int, *, passing: bool | None
) -> None:
    pull = shown_red(acme)
    pull.label(LABEL, by=acme.tess)
    acme.github.faults.add("DELETE", "*/labels/*", status=status)
    told: list[str] = []

    def failed(what: str, _why: str) -> None:
        told.append(what)

    if passing:
        with pytest.raises(ForgeError, match="status 500"):
            acme.evaluate(pull, failed=failed)
    else:
        acme.done(pull, failed=failed)
    assert told == ([] if passing is None else ["RemoveLabel"])
    assert not acme.mergeable(pull)


def test_a_single_comment_that_fails_is_tried_again_later(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    reviews = acme.github.faults.add("POST", "*/reviews", status=422)
    comments = acme.github.faults.add("POST", "*/pulls/1/comments", status=500)
    with pytest.raises(ForgeError) as failed:
        acme.evaluate(pull)
    assert failed.value.retry
    acme.github.faults.remove(reviews)
    acme.github.faults.remove(comments)
    acme.done(pull)
    assert len(pull.threads) == 1


def test_pressing_rerun_writes_the_check_anew(acme: Team) -> None:
    pull = shown_red(acme)
    check = pull.check(CHECK, acme.app)
    assert check is not None
    check.rerequest(by=acme.dev)
    [write] = acme.done(pull).writes
    assert isinstance(write, PutCheck)
    assert acme.done(pull).writes == ()


def test_a_pull_request_that_is_not_found_yet_is_asked_for_again(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    waited: list[float] = []

    def come(seconds: float) -> None:
        waited.append(seconds)
        acme.shop.pulls[pull.number] = hidden

    hidden = acme.shop.pulls.pop(pull.number)
    acme.done(pull, pause=come)
    assert len(waited) == 1
    assert not acme.mergeable(pull)


@pytest.mark.parametrize("permission", ["checks", "contents", "pull_requests"])
def test_the_manifest_asks_for_nothing_that_is_not_used(
    github: SmallGitHub, permission: str
) -> None:
    acme = team(github)
    less = {
        name: ("read" if level == "write" else "")
        for name, level in MANIFEST["default_permissions"].items()
        if name == permission
    }
    given = MANIFEST["default_permissions"] | less
    acme.app.installations[0].accept({name: level for name, level in given.items() if level})
    pull = acme.open({"compose.yaml": GRANTED})
    told: list[str] = []
    try:
        acme.evaluate(pull, failed=lambda what, _why: told.append(what))
    except ForgeError:
        told.append("stopped")
    check = pull.check(CHECK, acme.app)
    assert told or (check is not None and "does not let this change be read" in str(check.summary))
