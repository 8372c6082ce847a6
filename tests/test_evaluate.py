"""evaluate() against the small GitHub, over HTTP: what is written, and may it be merged."""

import pytest
from structlog.contextvars import bound_contextvars, get_contextvars

from bot.evaluate import Gone, Moved, evaluate
from bot.forge.error import ForgeError
from bot.gate.justification import Why
from bot.gate.verdict import Because
from bot.pull import PullRef
from tests.github import PullRequest, SmallGitHub
from tests.github.fixtures import github
from tests.github.log import LoggedRequest
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, MORE, Team, team

__all__ = ["github"]


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


def bodies(pull: PullRequest) -> list[str]:
    return [comment.body for thread in pull.threads for comment in thread.comments]


def test_a_socket_gets_a_comment_on_its_line_and_a_red_check(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    done = acme.done(pull)
    assert done.verdict.because is Because.UNJUSTIFIED
    assert not acme.mergeable(pull)
    assert acme.title(pull) == "1 grant of a container daemon, not justified"
    [thread] = pull.threads
    assert (thread.anchor.path, thread.line) == ("compose.yaml", 6)
    [body] = bodies(pull)
    assert "`service web` (`nginx`) gets the Docker daemon: root on the host" in body
    assert "`read_only: true` (line 4)" in body
    assert f"`{LABEL}`" in body


def test_nothing_new_is_a_green_check_and_no_comment(acme: Team) -> None:
    pull = acme.open({"README.md": "y\n"})
    assert acme.done(pull).verdict.because is Because.NOTHING
    assert acme.mergeable(pull)
    assert pull.threads == []


def test_the_label_of_a_maintainer_turns_it_green(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    assert acme.done(pull).verdict.because is Because.JUSTIFIED
    assert acme.mergeable(pull)
    assert acme.title(pull) == "1 grant of a container daemon, justified by mia"
    assert pull.has_label(LABEL)


def test_evaluating_again_writes_nothing(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    assert acme.done(pull).writes == ()
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.done(pull).writes == ()


def test_a_push_that_keeps_the_finding_repeats_no_comment_and_stays_green(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    pull.push({"README.md": "more\n"}, by=acme.dev)
    assert not acme.mergeable(pull)
    acme.done(pull)
    assert acme.mergeable(pull)
    assert len(pull.threads) == 1


def test_a_push_with_another_finding_is_red_and_takes_the_label_off(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    pull.push({"compose.yaml": MORE}, by=acme.dev)
    done = acme.done(pull)
    assert done.verdict.refusal is not None
    assert done.verdict.refusal.why is Why.UNSEEN
    assert not acme.mergeable(pull)
    assert not pull.has_label(LABEL)
    [comment] = pull.comments
    assert "was taken off" in comment.body
    assert len(pull.threads) == 2
    pull.label(LABEL, by=acme.mia)
    acme.done(pull)
    assert acme.mergeable(pull)


@pytest.mark.parametrize(("who", "why"), [("dev", Why.ROLE), ("tess", Why.ROLE)])
def test_a_label_by_someone_lesser_is_refused_once(acme: Team, who: str, why: Why) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=getattr(acme, who))
    done = acme.done(pull)
    assert done.verdict.refusal is not None
    assert done.verdict.refusal.why is why
    assert not acme.mergeable(pull)
    assert not pull.has_label(LABEL)
    assert len(pull.comments) == 1
    assert acme.done(pull).writes == ()


def test_the_author_cannot_justify_whatever_the_role(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED}, by=acme.mia)
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    refusal = acme.done(pull).verdict.refusal
    assert refusal is not None
    assert refusal.why is Why.AUTHOR
    assert not acme.mergeable(pull)


def test_whoever_wrote_a_commit_cannot_justify(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    pull.push({"README.md": "by mia\n"}, by=acme.mia)
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    refusal = acme.done(pull).verdict.refusal
    assert refusal is not None
    assert refusal.why is Why.CONTRIBUTOR


def test_a_label_before_the_finding_was_shown_does_not_count(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    pull.label(LABEL, by=acme.mia)
    refusal = acme.done(pull).verdict.refusal
    assert refusal is not None
    assert refusal.why is Why.TOO_EARLY
    assert not acme.mergeable(pull)


def test_an_app_cannot_justify(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    other = acme.github.app("helper", permissions={"pull_requests": "write"}, events=[])
    other.install(acme.shop.owner)
    pull.label(LABEL, by=other.bot, app=other)
    refusal = acme.done(pull).verdict.refusal
    assert refusal is not None
    assert refusal.why is Why.NOT_A_PERSON


def test_the_owner_of_a_personal_repository_may_justify_alone(github: SmallGitHub) -> None:
    mine = team(github, user=True)
    pull = mine.open({"compose.yaml": GRANTED}, by=mine.mia)
    mine.done(pull)
    assert not mine.mergeable(pull)
    pull.label(LABEL, by=mine.mia)
    mine.done(pull)
    assert mine.mergeable(pull)


def test_a_finding_that_goes_away_resolves_its_comment(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.push({"compose.yaml": COMPOSE}, by=acme.dev)
    acme.done(pull)
    assert acme.mergeable(pull)
    [thread] = pull.threads
    assert thread.comments[0].body.startswith("**Resolved.**")
    assert acme.done(pull).writes == ()


def test_a_policy_on_the_default_branch_applies_and_one_in_the_pull_request_does_not(
    github: SmallGitHub,
) -> None:
    acme = team(github, {".github/sockgate.yml": "role: write\nlabel: fine\n"})
    pull = acme.open(
        {"compose.yaml": GRANTED, ".github/sockgate.yml": "role: nobody\n"}, by=acme.mia
    )
    acme.done(pull)
    assert "does not apply to itself" in acme.summary(pull)
    assert "line 1, `role`" in acme.summary(pull)
    pull.label("fine", by=acme.dev)
    acme.done(pull)
    assert acme.mergeable(pull)


def test_a_broken_policy_keeps_the_strict_defaults_and_says_so(github: SmallGitHub) -> None:
    acme = team(github, {".github/sockgate.yml": "role: maintain\nlabels: x\n"})
    pull = acme.open({"README.md": "y\n"})
    acme.done(pull)
    assert "The policy is broken" in acme.summary(pull)
    assert "line 2, `labels`" in acme.summary(pull)


def test_the_owners_policy_applies_where_the_repository_has_none(github: SmallGitHub) -> None:
    acme = team(github)
    acme.shop.owner.repository(".github", {"sockgate.yml": "label: org-wide\n"})
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    assert "`org-wide`" in acme.summary(pull)


def test_what_the_policy_ignores_is_listed_with_its_reason(github: SmallGitHub) -> None:
    policy = "ignore:\n  - {path: 'examples/**', reason: shown only}\n"
    acme = team(github, {".github/sockgate.yml": policy})
    pull = acme.open({"examples/compose.yaml": GRANTED})
    acme.done(pull)
    assert acme.mergeable(pull)
    assert "shown only" in acme.summary(pull)
    assert pull.threads == []


def test_a_file_that_cannot_be_read_is_red_with_the_reason(acme: Team) -> None:
    pull = acme.open({"Dockerfile": "\0\0/var/run/docker.sock\0"})
    assert acme.done(pull).verdict.because is Because.UNKNOWN
    assert not acme.mergeable(pull)
    assert "binary" in acme.summary(pull)


def test_a_deleted_fork_is_judged_all_the_same(acme: Team) -> None:
    fork = acme.shop.fork(acme.github.user("stranger"))
    pull = acme.shop.pull(
        {"compose.yaml": GRANTED}, by=acme.github.user("stranger"), title="x", source=fork
    )
    fork.delete()
    acme.done(pull)
    assert not acme.mergeable(pull)
    assert len(pull.threads) == 1


def test_two_pull_requests_with_one_head_share_the_worse_verdict(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.shop.push("release", pull.head_sha, by=acme.mia)
    pull.push({"README.md": "y\n"}, by=acme.dev)
    other = acme.shop.open_pull(
        acme.shop, pull.head_branch, "release", by=acme.dev, title="same head"
    )
    acme.done(pull)
    acme.done(other)
    assert not acme.mergeable(other)
    assert not acme.mergeable(pull)
    assert other.threads == []


def test_a_vanished_pull_request_or_repository_is_gone(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    missing = PullRef(acme.installation, "acme", "shop", 99)
    assert isinstance(evaluate(acme.forge, missing), Gone)
    gone = PullRef(acme.installation, "acme", "nothing", 1)
    assert isinstance(evaluate(acme.forge, gone), Gone)
    pull.close(by=acme.dev)
    assert acme.evaluate(pull) == Gone("closed")


def test_a_head_that_moves_meanwhile_is_evaluated_again(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    listed: list[object] = []

    def push_once(request: LoggedRequest) -> bool:
        if "/git/trees/" in request.path and not listed:
            listed.append(request)
            pull.push({"README.md": "z\n"}, by=acme.dev)
        return False

    acme.github.faults.add(which=push_once)
    assert acme.evaluate(pull) == Moved()
    assert pull.check(CHECK, acme.app) is None
    acme.done(pull)
    assert not acme.mergeable(pull)


def test_a_defect_of_ours_is_a_red_check_that_says_so(
    acme: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: str, _source: object, _most: int) -> object:
        raise RuntimeError(f"{path}: nobody@expects")

    pull = acme.open({"compose.yaml": GRANTED})
    monkeypatch.setattr("bot.review.compare.detect", broken)
    with pytest.raises(RuntimeError):
        acme.evaluate(pull)
    assert acme.title(pull) == "Could not be evaluated"
    assert "`RuntimeError: compose.yaml: nobody@expects`" in acme.summary(pull)


def test_an_app_that_was_uninstalled_has_nothing_to_do(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.app.installations[0].delete()
    assert isinstance(acme.evaluate(pull), Gone)


def test_a_suspended_installation_fails_and_says_why(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.app.installations[0].suspend()
    with pytest.raises(ForgeError) as failed:
        acme.evaluate(pull)
    assert not failed.value.retry


@pytest.mark.parametrize(
    ("files", "most"),
    [
        ({"README.md": "y\n", "src/a.py": "1\n"}, 4),
        ({f"s{n}/compose.yaml": COMPOSE for n in range(20)}, 5),
        ({f"s{n}/compose.yaml": GRANTED for n in range(20)}, 8),
    ],
    ids=["nothing in scope", "20 compose files that add nothing", "20 with findings"],
)
def test_a_pull_request_costs_few_requests(acme: Team, files: dict[str, str], most: int) -> None:
    pull = acme.open(files)
    before = len(acme.requests())
    acme.done(pull)
    asked = acme.requests()[before:]
    assert len(asked) <= most, asked


def test_whatever_is_logged_meanwhile_names_the_head(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.faults.add("POST", "*/reviews", status=403)
    heads: list[object] = []
    with bound_contextvars(head=None):
        acme.done(pull, failed=lambda _what, _why: heads.append(get_contextvars().get("head")))
        assert heads == [pull.head_sha]
        assert get_contextvars()["head"] == pull.head_sha  # for what the job says after it


def test_a_check_that_is_not_found_is_no_pull_request_that_has_gone(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.faults.add("POST", "*/check-runs", status=404)
    with pytest.raises(ForgeError, match="the check was not taken") as failed:
        acme.evaluate(pull)
    assert not failed.value.retry


def test_a_page_of_the_second_of_a_forced_push_is_shown_once_more(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.github.clock.advance(2)
    pull.push({"compose.yaml": GRANTED, "README.md": "y\n"}, by=acme.dev, force=True)
    [pushed] = [one.created_at for one in pull.timeline if one.kind == "head_ref_force_pushed"]
    acme.done(pull)
    [first] = acme.shop.check_runs(pull.head_sha)
    first.completed_at = pushed
    acme.done(pull)
    assert len(acme.shop.check_runs(pull.head_sha)) == 2
    assert acme.done(pull).writes == ()


def test_what_github_does_not_find_at_once_is_red_and_to_be_looked_at_again(acme: Team) -> None:
    pull = acme.open({"README.md": "y\n"})
    fault = acme.github.faults.add("GET", "/repos/*/compare/*", status=404, times=1)
    done = acme.done(pull)
    assert done.is_unread
    assert fault.hits == 1
    assert not acme.mergeable(pull)
    assert not acme.done(pull).is_unread
    assert acme.mergeable(pull)


def test_a_label_stays_on_until_the_comment_stands_that_says_why_it_comes_off(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.tess)
    comments = "/repos/*/issues/*/comments"
    acme.github.faults.add("POST", comments, status=502, times=1)
    with pytest.raises(ForgeError, match="502"):
        acme.evaluate(pull)
    assert pull.has_label(LABEL)
    acme.done(pull)
    assert not pull.has_label(LABEL)
    [answer] = [one for one in pull.comments if one.author is acme.app.bot]
    assert "was taken off" in answer.body


def test_where_nobody_may_comment_the_label_comes_off_all_the_same(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.tess)
    acme.github.faults.add("POST", "/repos/*/issues/*/comments", status=403, message="locked")
    acme.done(pull)
    assert not pull.has_label(LABEL)
