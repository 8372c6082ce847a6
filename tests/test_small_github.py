"""The small GitHub's REST API, used with the real client, held to GitHub's own description."""

import base64
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import jwt
import pytest
import requests
from github import GithubException

from tests.github import Draft, SmallGitHub, executable, submodule, symlink
from tests.github.fixtures import AFTER, BEFORE, World, github, world
from tests.github.model.apps import key_pair
from tests.github.model.base import Refused
from tests.github.views import repositories

if TYPE_CHECKING:
    from github.PullRequest import ReviewComment

    from tests.github.git import File

__all__ = ["github", "world"]


def error(status: int) -> "pytest.RaisesExc[GithubException]":
    """Expect PyGithub to raise for a status."""
    return pytest.raises(GithubException, check=lambda raised: raised.status == status)


def get(world: World, path: str, **headers: str) -> requests.Response:
    token = world.github.tokens.issue(world.installation).value
    headers = {"Authorization": f"Bearer {token}"} | headers
    return requests.get(world.github.url + path, headers=headers, timeout=10)


# Who asks --------------------------------------------------------------------------------------


def test_an_app_becomes_an_installation_and_reads_a_pull_request(world: World) -> None:
    integration = world.integration()
    assert integration.get_app().slug == "sockgate"
    assert integration.get_repo_installation("acme", "shop").id == world.installation.id
    assert [one.id for one in integration.get_installations()] == [world.installation.id]
    pull = world.client().get_repo("acme/shop").get_pull(1)
    assert (pull.title, pull.user.login, pull.mergeable) == ("Add a volume", "dev", True)
    assert pull.head.sha == world.pull.head_sha


def test_a_key_that_is_not_the_apps_is_refused(world: World) -> None:
    with error(401):
        world.integration(private_key=key_pair(99)[0]).get_app()


@pytest.mark.parametrize(
    ("issued", "lasts", "status"), [(-10, 500, 200), (-10, 700, 401), (-500, 400, 401)]
)
def test_a_signed_token_lasts_ten_minutes_at_most(
    world: World, issued: int, lasts: int, status: int
) -> None:
    now = int(time.time())
    claims = {"iat": now + issued, "exp": now + issued + lasts, "iss": str(world.app.id)}
    token = jwt.encode(claims, world.app.private_key, "RS256")
    answer = requests.get(
        f"{world.github.url}/app", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert answer.status_code == status


def test_an_unknown_app_is_not_found(world: World) -> None:
    claims = {"iat": int(time.time()), "exp": int(time.time()) + 60, "iss": "12345"}
    token = jwt.encode(claims, world.app.private_key, "RS256")
    assert get(world, "/app", Authorization=f"Bearer {token}").status_code == 404


def test_a_token_ends_after_an_hour_or_when_told(world: World) -> None:
    client = world.client(world.github.tokens.issue(world.installation).value)
    assert client.get_repo("acme/shop").private
    world.github.clock.advance(3600)
    with error(401):
        client.get_repo("acme/shop")
    client = world.client(world.github.tokens.issue(world.installation).value)
    world.github.tokens.expire_all()
    with error(401):
        client.get_repo("acme/shop")


def test_a_missing_permission_is_refused_by_name(world: World) -> None:
    world.installation.accept({"metadata": "read", "contents": "read"})
    repository = world.client().get_repo("acme/shop")
    with error(403) as raised:
        repository.get_pull(1)
    assert raised.value.data["message"] == "Resource not accessible by integration"


def test_a_permission_to_read_does_not_write(world: World) -> None:
    world.installation.accept({"metadata": "read", "checks": "read"})
    with error(403):
        world.client().get_repo("acme/shop").create_check_run("x", world.pull.head_sha)


def test_a_token_can_be_narrowed(world: World) -> None:
    world.acme.repository("other", private=True)
    token = world.github.tokens.issue(
        world.installation, {"metadata": "read"}, frozenset({world.shop})
    )
    client = world.client(token.value)
    with error(403):
        client.get_repo("acme/shop").get_pull(1)
    with error(404):
        client.get_repo("acme/other")


def test_a_repository_outside_the_installation_does_not_exist(world: World) -> None:
    other = world.acme.repository("other", private=True)
    chosen = world.github.app("chosen", permissions={"contents": "read"})
    installation = chosen.install(world.acme, [world.shop])
    client = world.client(world.github.tokens.issue(installation).value)
    with error(404):
        client.get_repo("acme/other")
    installation.add(other)
    assert client.get_repo("acme/other").name == "other"
    installation.remove(other)
    with error(404):
        client.get_repo("acme/other")


def test_a_suspended_or_deleted_installation_is_no_use(world: World) -> None:
    client = world.client(world.github.tokens.issue(world.installation).value)
    world.installation.suspend()
    with error(403):
        client.get_repo("acme/shop")
    world.installation.unsuspend()
    assert client.get_repo("acme/shop").name == "shop"
    world.installation.delete()
    with error(401):
        client.get_repo("acme/shop")


def test_the_installations_repositories_are_listed_in_pages(world: World) -> None:
    for number in range(4):
        world.acme.repository(f"shop-{number}")
    answer = get(world, "/installation/repositories?per_page=2&page=2")
    assert answer.json()["total_count"] == 5
    assert [one["name"] for one in answer.json()["repositories"]] == ["shop-1", "shop-2"]
    assert set(answer.links) == {"prev", "next", "last", "first"}
    assert answer.links["next"]["url"].startswith(world.github.url)


# Content ---------------------------------------------------------------------------------------


def test_a_comparison_is_gits(world: World) -> None:
    world.shop.commit({"other.txt": "moved on\n"}, by=world.mia)
    repository = world.client().get_repo("acme/shop")
    compared = repository.compare("main", world.pull.head_sha)
    assert compared.merge_base_commit.sha == world.pull.base_sha
    assert (compared.status, compared.ahead_by, compared.behind_by) == ("diverged", 1, 1)
    (file,) = compared.files
    assert (file.filename, file.status, file.additions) == ("compose.yml", "modified", 2)
    assert file.patch.splitlines()[-1] == "+      - /var/run/docker.sock:/var/run/docker.sock"


def test_a_comparison_reaches_a_forks_commit_by_its_sha_and_by_its_owner(world: World) -> None:
    eve = world.github.user("eve")
    fork = world.shop.fork(eve)
    sha = fork.commit({"compose.yml": AFTER}, by=eve, branch="mine")
    repository = world.client().get_repo("acme/shop")
    assert repository.compare("main", sha).total_commits == 1
    world.installation.accept({"metadata": "read", "contents": "read"})
    assert get(world, f"/repos/acme/shop/compare/main...{'0' * 40}").status_code == 404


def test_unrelated_histories_have_no_comparison(world: World) -> None:
    sha = world.shop.write({"x": "y"}, parents=(), author=world.dev, committer=world.dev)
    with error(404) as raised:
        world.client().get_repo("acme/shop").compare("main", sha)
    assert raised.value.data["message"] == f"No common ancestor between main and {sha}."


def test_files_are_renamed_removed_binary_and_moded_as_git_says(world: World) -> None:
    long = "".join(f"line {number}\n" for number in range(50))
    world.shop.commit({"old.txt": long, "gone.txt": "bye\n", "run.sh": "true\n"}, by=world.mia)
    pull = world.shop.pull(
        {
            "old.txt": None,
            "new name.txt": long + "more\n",
            "gone.txt": None,
            "b.bin": b"\0\1\2",
            "run.sh": executable("true\n"),
            "link": symlink("run.sh"),
            "sub": submodule("1" * 40),
        },
        by=world.dev,
    )
    files = world.client().get_repo("acme/shop").get_pull(pull.number).get_files()
    seen = {file.filename: file for file in files}
    assert seen["new name.txt"].status == "renamed"
    assert seen["new name.txt"].previous_filename == "old.txt"
    assert seen["gone.txt"].status == "removed"
    assert "patch" not in seen["b.bin"].raw_data
    assert set(seen) == {"new name.txt", "gone.txt", "b.bin", "run.sh", "link", "sub"}
    assert seen["sub"].patch == "@@ -0,0 +1 @@\n+Subproject commit " + "1" * 40


def test_files_come_in_pages(world: World) -> None:
    pull = world.shop.pull({f"{number:03}.txt": "x\n" for number in range(205)}, by=world.dev)
    path = f"/repos/acme/shop/pulls/{pull.number}/files"
    sizes = [len(get(world, f"{path}?per_page=100&page={page}").json()) for page in (1, 2, 3, 4)]
    assert sizes == [100, 100, 5, 0]
    assert len(get(world, path).json()) == 30
    compared = get(world, f"/repos/acme/shop/compare/main...{pull.head_sha}").json()
    assert len(compared["files"]) == 205


def test_patches_past_a_limit_are_left_out(world: World) -> None:
    world.github.limits.patch_lines = 10
    world.github.limits.answer_lines = 40
    pull = world.shop.pull(
        {"a.txt": "a\n" * 5, "b.txt": "b\n" * 20, "c.txt": "c\n" * 5, "d.txt": "d\n" * 9},
        by=world.dev,
    )
    files = get(world, f"/repos/acme/shop/pulls/{pull.number}/files").json()
    seen = {file["filename"]: ("patch" in file, file["additions"]) for file in files}
    assert seen == {
        "a.txt": (True, 5),
        "b.txt": (False, 20),
        "c.txt": (True, 5),
        "d.txt": (False, 0),
    }


def test_trees_and_blobs(world: World) -> None:
    sha = world.shop.commit({"a/b/c.txt": "deep\n"}, by=world.mia)
    repository = world.client().get_repo("acme/shop")
    tree = repository.get_git_tree(sha, recursive=True)
    assert [one.path for one in tree.tree] == ["a", "a/b", "a/b/c.txt", "compose.yml"]
    blob = repository.get_git_blob(tree.tree[2].sha)
    assert base64.b64decode(blob.content) == b"deep\n"
    world.github.limits.tree_entries = 2
    answer = get(world, f"/repos/acme/shop/git/trees/{sha}?recursive=1").json()
    assert (answer["truncated"], len(answer["tree"])) == (True, 2)
    assert get(world, f"/repos/acme/shop/git/trees/{'f' * 40}").status_code == 404
    assert get(world, f"/repos/acme/shop/git/blobs/{sha}").status_code == 404


def test_contents_of_files_folders_links_and_nothing(world: World) -> None:
    files: dict[str, File] = {
        "d/f.txt": "text\n",
        "d/l": symlink("f.txt"),
        "d/s": submodule("2" * 40),
    }
    world.shop.commit(files, by=world.mia)
    repository = world.client().get_repo("acme/shop")
    listed = repository.get_contents("d")
    assert isinstance(listed, list)
    assert [(one.name, one.type) for one in listed] == [
        ("f.txt", "file"),
        ("l", "symlink"),
        ("s", "submodule"),
    ]
    file = repository.get_contents("d/f.txt", ref="main")
    assert not isinstance(file, list)
    assert file.decoded_content == b"text\n"
    for path in ("d/none", "none/f.txt"):
        with error(404):
            repository.get_contents(path)
    with error(404):
        repository.get_contents("d", ref="nowhere")


def test_a_commit_shows_who_github_takes_its_author_for(world: World) -> None:
    repository = world.client().get_repo("acme/shop")
    commit = repository.get_commit(world.pull.head_sha)
    assert (commit.author.login, commit.stats.additions) == ("dev", 2)
    pulls = commit.get_pulls()
    assert [pull.number for pull in pulls] == [1]


# Roles -----------------------------------------------------------------------------------------


def test_roles_are_given_by_their_own_name_and_by_the_legacy_one(world: World) -> None:
    world.acme.custom_role("release-captain", "maintain")
    kim, tim = world.github.user("kim"), world.github.user("tim")
    world.shop.add_collaborator(kim, "release-captain")
    world.shop.add_collaborator(tim, "triage")
    world.github.user("nobody")
    repository = world.client().get_repo("acme/shop")
    seen = {
        login: (
            repository.get_collaborator_permission(login),
            repository.get_collaborator_role_name(login),
        )
        for login in ("acme-owner", "mia", "dev", "kim", "tim", "nobody")
    }
    assert seen == {
        "acme-owner": ("admin", "admin"),
        "mia": ("write", "maintain"),
        "dev": ("write", "write"),
        "kim": ("write", "release-captain"),
        "tim": ("read", "triage"),
        "nobody": ("none", "none"),
    }
    world.shop.remove_collaborator(kim)
    assert repository.get_collaborator_permission("kim") == "none"
    with error(404):
        repository.get_collaborator_permission("who-is-this")


def test_a_user_sees_roles_with_write_access_only(world: World) -> None:
    tim = world.github.user("tim")
    world.shop.add_collaborator(tim, "triage")
    seen = world.client(world.github.tokens.for_user(world.dev)).get_repo("acme/shop")
    assert seen.get_collaborator_permission("mia") == "write"
    seen = world.client(world.github.tokens.for_user(tim)).get_repo("acme/shop")
    with error(403):
        seen.get_collaborator_permission("mia")


def test_a_users_own_repository_knows_neither_triage_nor_maintain(github: SmallGitHub) -> None:
    ann, bob = github.user("ann"), github.user("bob")
    repository = ann.repository("mine")
    assert repository.role(ann).name == "admin"
    assert repository.role(bob).name == "read"
    with pytest.raises(Refused):
        repository.add_collaborator(bob, "maintain")


# Reviews ---------------------------------------------------------------------------------------


def test_a_comment_outside_the_diff_refuses_the_whole_review(world: World) -> None:
    pull = world.client().get_repo("acme/shop").get_pull(1)
    inside: ReviewComment = {"path": "compose.yml", "line": 5, "side": "RIGHT", "body": "Here."}
    outside: ReviewComment = {"path": "compose.yml", "line": 9, "side": "RIGHT", "body": "Where?"}
    elsewhere: ReviewComment = {"path": "none.yml", "line": 1, "side": "RIGHT", "body": "Which?"}
    for wrong in (outside, elsewhere):
        with error(422):
            pull.create_review(body="Look.", event="COMMENT", comments=[inside, wrong])
    assert world.pull.reviews == []
    assert world.pull.threads == []
    pull.create_review(body="Look.", event="COMMENT", comments=[inside])
    assert [(one.path, one.line) for one in pull.get_review_comments()] == [("compose.yml", 5)]


def test_a_context_line_takes_a_comment_and_a_line_between_hunks_does_not(world: World) -> None:
    long = [f"{number}\n" for number in range(1, 41)]
    world.shop.commit({"long.txt": "".join(long)}, by=world.mia)
    changed = "".join(["0\n", *long[:-1], "end\n"])
    pull = world.shop.pull({"long.txt": changed}, by=world.dev)
    seen = world.client().get_repo("acme/shop").get_pull(pull.number)
    commit = world.client().get_repo("acme/shop").get_commit(pull.head_sha)
    comment = seen.create_review_comment("Context.", commit, "long.txt", line=3, side="RIGHT")
    assert (comment.line, comment.diff_hunk) == (3, "@@ -1,3 +1,4 @@\n+0\n 1\n 2")
    left = seen.create_review_comment("Gone.", commit, "long.txt", line=40, side="LEFT")
    assert left.side == "LEFT"
    with error(422):
        seen.create_review_comment("Between.", commit, "long.txt", line=20, side="RIGHT")


def test_a_range_stays_within_one_hunk(world: World) -> None:
    pull = world.client().get_repo("acme/shop").get_pull(1)
    commit = world.client().get_repo("acme/shop").get_commit(world.pull.head_sha)
    comment = pull.create_review_comment(
        "Both.", commit, "compose.yml", line=5, side="RIGHT", start_line=4, start_side="RIGHT"
    )
    assert (comment.start_line, comment.line) == (4, 5)
    with error(422):
        pull.create_review_comment(
            "Backwards.", commit, "compose.yml", line=4, side="RIGHT", start_line=5
        )


def test_a_comment_on_a_file_and_one_that_names_a_line_as_its_subject(world: World) -> None:
    pull = world.client().get_repo("acme/shop").get_pull(1)
    commit = world.client().get_repo("acme/shop").get_commit(world.pull.head_sha)
    pull.create_review_comment("File.", commit, "compose.yml", subject_type="file")
    (thread,) = world.pull.threads
    assert (thread.anchor.subject_type, thread.line) == ("file", None)
    with error(422):
        pull.create_review_comment("Line.", commit, "compose.yml", line=5, subject_type="line")


def test_a_thread_follows_its_line_until_the_line_changes(world: World) -> None:
    world.pull.review(by=world.mia, comments=[Draft("compose.yml", "Here.", 5)])
    (thread,) = world.pull.threads
    world.pull.push({"compose.yml": "# more\n# more\n" + AFTER})
    assert thread.line == 7
    assert not thread.outdated
    world.pull.push({"compose.yml": BEFORE + "    volumes: []\n"})
    (comment,) = world.client().get_repo("acme/shop").get_pull(1).get_review_comments()
    assert comment.raw_data["line"] is None
    assert (comment.original_line, thread.outdated) == (5, True)


def test_comments_are_answered_edited_and_deleted(world: World) -> None:
    pull = world.client().get_repo("acme/shop").get_pull(1)
    world.pull.review(by=world.app.bot, comments=[Draft("compose.yml", "First.", 5)])
    (first,) = pull.get_review_comments()
    second = pull.create_review_comment_reply(first.id, "Second.")
    assert second.in_reply_to_id == first.id
    first.edit("Better.")
    assert pull.get_review_comment(first.id).body == "Better."
    assert world.pull.review_comments[0].edited_at is not None
    second.delete()
    assert [one.body for one in pull.get_review_comments()] == ["Better."]
    spoken = pull.create_issue_comment("Hello.")
    spoken.edit("Hello again.")
    assert [one.body for one in pull.get_issue_comments()] == ["Hello again."]
    spoken.delete()
    assert world.pull.comments == []


# Checks ----------------------------------------------------------------------------------------


def test_a_check_decides_about_merging(world: World) -> None:
    required = [("docker-socket", world.app)]
    repository = world.client().get_repo("acme/shop")
    assert not world.github.mergeable(world.pull, required)
    run = repository.create_check_run("docker-socket", world.pull.head_sha, conclusion="failure")
    assert not world.github.mergeable(world.pull, required)
    run.edit(conclusion="success")
    assert world.github.mergeable(world.pull, required)
    world.pull.push({"more.txt": "more\n"})
    assert not world.github.mergeable(world.pull, required)


@pytest.mark.parametrize("conclusion", ["neutral", "skipped", "success"])
def test_what_satisfies_a_required_check(world: World, conclusion: str) -> None:
    world.shop.required_checks.append(("docker-socket", world.app))
    world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", conclusion)
    assert world.github.mergeable(world.pull)


@pytest.mark.parametrize(
    "conclusion", ["failure", "cancelled", "timed_out", "action_required", None]
)
def test_what_does_not(world: World, conclusion: str | None) -> None:
    world.shop.required_checks.append(("docker-socket", world.app))
    world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", conclusion)
    assert not world.github.mergeable(world.pull)


def test_another_apps_check_of_the_same_name_does_not_count(world: World) -> None:
    other = world.github.app("other", permissions={"checks": "write"})
    other.install(world.acme)
    world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", "failure")
    forged = world.shop.post_check(other, world.pull.head_sha, "docker-socket", "success")
    assert not world.github.mergeable(world.pull, [("docker-socket", world.app)])
    path = f"/repos/acme/shop/commits/{world.pull.head_sha}/check-runs"
    assert get(world, path).json()["total_count"] == 2
    own = get(world, f"{path}?app_id={world.app.id}").json()["check_runs"]
    assert [run["conclusion"] for run in own] == ["failure"]
    with error(403):
        world.client().get_repo("acme/shop").get_check_run(forged.id).edit(conclusion="failure")


def test_the_newest_run_of_a_name_counts(world: World) -> None:
    for conclusion in ("success", "failure"):
        world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", conclusion)
    assert not world.github.mergeable(world.pull, [("docker-socket", world.app)])
    path = f"/repos/acme/shop/commits/{world.pull.head_sha}/check-runs"
    latest = get(world, path).json()["check_runs"]
    assert [run["conclusion"] for run in latest] == ["failure"]
    assert get(world, f"{path}?filter=all").json()["total_count"] == 2


def test_annotations_add_up_and_have_limits(world: World) -> None:
    repository = world.client().get_repo("acme/shop")
    note: dict[str, Any] = {
        "path": "compose.yml",
        "start_line": 5,
        "end_line": 5,
        "annotation_level": "failure",
        "message": "root",
    }

    def output(number: int) -> dict[str, Any]:
        return {"title": "t", "summary": "s", "annotations": [note] * number}

    run = repository.create_check_run("x", world.pull.head_sha, output=output(50))
    run.edit(output=output(10))
    assert run.output.annotations_count == 60
    assert len(list(run.get_annotations())) == 60
    world.github.truth.strict = False  # what follows, the description forbids already
    with error(422):
        run.edit(output={"title": "t", "summary": "s" * 65_536})
    with error(422):
        run.edit(output=output(51))


def test_only_an_app_writes_checks(world: World) -> None:
    token = world.github.tokens.for_user(world.mia)
    with error(403):
        world.client(token).get_repo("acme/shop").create_check_run("x", world.pull.head_sha)


# Labels and the timeline -----------------------------------------------------------------------


def test_labels_leave_events_with_their_actors(world: World) -> None:
    world.pull.label("approved", by=world.mia)
    pull = world.client().get_repo("acme/shop").get_pull(1)
    pull.remove_from_labels("approved")
    pull.add_to_labels("docker socket: justified")
    assert [label.name for label in pull.get_labels()] == ["docker socket: justified"]
    pull.remove_from_labels("docker socket: justified")
    with error(404):
        pull.remove_from_labels("docker socket: justified")
    events = [
        (event.event, event.actor.login, event.raw_data["label"]["name"])
        for event in pull.get_issue_events()
        if event.event.endswith("labeled")
    ]
    bot = "sockgate[bot]"
    assert events == [
        ("labeled", "mia", "approved"),
        ("unlabeled", bot, "approved"),
        ("labeled", bot, "docker socket: justified"),
        ("unlabeled", bot, "docker socket: justified"),
    ]


def test_a_label_with_a_slash_is_found_by_its_encoded_name(world: World) -> None:
    world.pull.label("docker/socket", by=world.mia)
    token = world.github.tokens.issue(world.installation).value
    answer = requests.delete(
        f"{world.github.url}/repos/acme/shop/issues/1/labels/docker%2Fsocket",
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert (answer.status_code, answer.json()) == (200, [])


def test_a_renamed_label_stays_on_and_its_events_keep_the_old_name(world: World) -> None:
    repository = world.client().get_repo("acme/shop")
    label = repository.create_label("harmless", "00ff00", "Nothing to see")
    world.pull.label("harmless", by=world.dev)
    label.edit("docker-socket-justified", "00ff00")
    assert world.pull.has_label("docker-socket-justified")
    timeline = repository.get_issue(1).get_timeline()
    names = [event.raw_data["label"]["name"] for event in timeline if event.event == "labeled"]
    assert names == ["harmless"]
    with error(422):
        repository.create_label("Docker-Socket-Justified", "00ff00")
    repository.get_label("docker-socket-justified").delete()
    assert world.pull.labels == []
    assert list(repository.get_labels()) == []


def test_the_timeline_tells_what_happened_in_order(world: World) -> None:
    world.pull.comment("Hm.", by=world.mia)
    world.pull.review(by=world.mia, body="No.", state="CHANGES_REQUESTED")
    world.pull.push({"more.txt": "more\n"}, force=True)
    world.pull.edit(by=world.dev, title="Another")
    world.pull.close(by=world.dev)
    world.pull.reopen(by=world.dev)
    world.pull.merge(by=world.mia)
    events = [
        event.event for event in world.client().get_repo("acme/shop").get_issue(1).get_timeline()
    ]
    assert events == [
        "committed",
        "commented",
        "reviewed",
        "head_ref_force_pushed",
        "committed",
        "renamed",
        "closed",
        "reopened",
        "merged",
        "closed",
    ]


# Pull requests ---------------------------------------------------------------------------------


def test_pull_requests_are_listed_open_ones_first_of_all(world: World) -> None:
    second = world.shop.pull({"b.txt": "b\n"}, by=world.dev)
    world.shop.pull({"c.txt": "c\n"}, by=world.dev).close(by=world.dev)
    repository = world.client().get_repo("acme/shop")
    assert [pull.number for pull in repository.get_pulls()] == [2, 1]
    assert [pull.number for pull in repository.get_pulls(state="all")] == [3, 2, 1]
    assert [one.number for one in repository.get_pulls(head=f"acme:{second.head_branch}")] == [2]


def test_a_base_can_change_and_a_conflict_shows(world: World) -> None:
    world.shop.commit({"compose.yml": "something: else\n"}, by=world.mia, branch="old")
    pull = world.client().get_repo("acme/shop").get_pull(1)
    pull.edit(base="old")
    assert (pull.base.ref, pull.mergeable) == ("old", False)
    assert world.pull.base_branch == "old"


def test_a_merge_is_a_commit_on_the_base(world: World) -> None:
    head = world.pull.head_sha
    sha = world.pull.merge(by=world.mia)
    assert world.shop.git.show(sha).parents == (world.pull.base_sha, head)
    assert world.shop.head == sha
    pull = world.client().get_repo("acme/shop").get_pull(1)
    assert (pull.merged, pull.state, pull.merged_by.login) == (True, "closed", "mia")


def test_a_fork_that_is_gone_leaves_no_repository_behind(world: World) -> None:
    eve = world.github.user("eve")
    fork = world.shop.fork(eve)
    pull = world.shop.pull({"compose.yml": AFTER + "# x\n"}, by=eve, source=fork, branch="mine")
    run = world.shop.post_check(world.app, pull.head_sha, "docker-socket")
    assert run.suite.pull_requests == []
    repository = world.client().get_repo("acme/shop")
    seen = repository.get_pull(pull.number)
    assert (seen.head.repo.full_name, seen.head.label) == ("eve/shop", "eve:mine")
    fork.delete()
    seen = repository.get_pull(pull.number)
    assert seen.raw_data["head"]["repo"] is None
    assert seen.head.user.login == "eve"
    assert repository.compare("main", pull.head_sha).total_commits == 1


def test_two_pull_requests_may_share_a_head(world: World) -> None:
    world.shop.push("twin", world.pull.head_sha, by=world.dev)
    world.shop.open_pull(world.shop, "twin", "main", by=world.dev, title="Twin")
    found = world.client().get_repo("acme/shop").get_commit(world.pull.head_sha).get_pulls()
    assert [pull.number for pull in found] == [1, 2]


def test_a_commit_can_lie_about_who_and_when(world: World) -> None:
    long_ago = world.github.clock.now().replace(year=2001)
    sha = world.pull.push({"x": "y"}, author=world.mia, committer=world.dev, date=long_ago)
    commit = world.client().get_repo("acme/shop").get_commit(sha)
    assert (commit.author.login, commit.committer.login) == ("mia", "dev")
    assert commit.commit.author.date.year == 2001


# Limits and counting ---------------------------------------------------------------------------


def test_requests_are_counted_without_those_for_tokens(world: World) -> None:
    world.github.requests.clear()
    repository = world.client().get_repo("acme/shop")
    repository.get_pull(1).create_issue_comment("One.")
    counted = [(one.method, one.path) for one in world.github.requests.counted()]
    assert counted == [
        ("GET", "/repos/acme/shop"),
        ("GET", "/repos/acme/shop/pulls/1"),
        ("POST", "/repos/acme/shop/issues/1/comments"),
    ]
    assert [one.path for one in world.github.requests if one.is_token_request] == [
        f"/app/installations/{world.installation.id}/access_tokens"
    ]
    assert [one.installation for one in world.github.requests.writes()] == [world.installation.id]
    assert world.github.requests.busiest(60) == 1


def test_the_hours_requests_run_out(world: World) -> None:
    client = world.client()
    before = client.get_rate_limit().resources.core.remaining
    repository = client.get_repo("acme/shop")
    assert client.get_rate_limit().resources.core.remaining == before - 1
    world.github.rates.exhaust(world.installation)
    with error(403) as raised:
        repository.get_pull(1)
    assert "rate limit exceeded" in raised.value.data["message"]
    assert (raised.value.headers or {})["x-ratelimit-remaining"] == "0"
    world.github.clock.advance(3600)
    fresh = world.client(world.github.tokens.issue(world.installation).value)
    assert fresh.get_repo("acme/shop").name == "shop"


def test_the_api_can_be_at_the_root_as_on_public_github() -> None:
    with SmallGitHub(style="public") as github:
        world = World(github)
        assert github.url == github.page_url
        client = world.client()
        assert client.get_repo("acme/shop").get_pull(1).number == 1
        _, answer = client.requester.graphql_query("{viewer {login}}", {})
        assert answer["data"]["viewer"]["login"] == "sockgate[bot]"
        page = requests.get(world.pull.url, timeout=10)
        assert (page.status_code, "Add a volume" in page.text) == (200, True)
        assert github.violations == []


# The judge -------------------------------------------------------------------------------------


@pytest.fixture
def guilty() -> Iterator[World]:
    """Give a world in which something is about to be found wrong."""
    with SmallGitHub() as github:
        yield World(github)
        assert github.violations != []


def test_a_parameter_that_github_does_not_have_is_found(guilty: World) -> None:
    answer = get(guilty, "/repos/acme/shop/pulls?colour=red")
    assert answer.status_code == 500
    assert "colour is not in GitHub's description" in guilty.github.violations[0]


def test_a_parameter_of_the_wrong_kind_is_found(guilty: World) -> None:
    assert get(guilty, "/repos/acme/shop/pulls?state=ajar").status_code == 500


def test_a_body_that_lacks_or_invents_something_is_found(guilty: World) -> None:
    token = guilty.github.tokens.issue(guilty.installation).value
    requester = guilty.client(token).requester
    for body in ({"name": "x"}, {"name": "x", "head_sha": guilty.pull.head_sha, "shade": "red"}):
        with error(500):
            requester.requestJsonAndCheck("POST", "/repos/acme/shop/check-runs", input=body)
    assert len(guilty.github.violations) == 2
    assert guilty.shop.check_runs(guilty.pull.head_sha) == []


def test_an_answer_that_lacks_or_invents_something_is_found(
    guilty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = repositories.label
    guilty.shop.create_label("one", by=guilty.mia)
    for wrong in ({"color": 7}, {"flavour": "sweet"}):
        monkeypatch.setattr(repositories, "label", lambda *given, w=wrong: right(*given) | w)
        assert get(guilty, "/repos/acme/shop/labels").status_code == 500
    assert "7 is not of type 'string'" in guilty.github.violations[0]
    assert "/flavour: GitHub's description has no such property" in guilty.github.violations[1]


def test_an_operation_that_is_not_offered_is_found(guilty: World) -> None:
    assert get(guilty, "/repos/acme/shop/milestones").status_code == 404
    assert "does not offer GET /repos/acme/shop/milestones" in guilty.github.violations[0]


def test_a_media_type_that_is_not_offered_is_found(guilty: World) -> None:
    answer = get(guilty, "/repos/acme/shop/pulls/1", Accept="application/vnd.github.v3.diff")
    assert answer.status_code == 415


def test_a_webhook_that_lacks_something_is_found(
    guilty: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repositories, "label", lambda *_: {"name": "bare"})
    guilty.pull.label("bare", by=guilty.mia)
    guilty.github.settle()
    assert any("webhook pull_request.labeled" in one for one in guilty.github.violations)


def test_leniency_lets_everything_pass() -> None:
    with SmallGitHub(strict=False) as github:
        assert get(World(github), "/repos/acme/shop/pulls?colour=red").status_code == 200
        assert github.violations == []
