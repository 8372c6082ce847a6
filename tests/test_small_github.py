"""The small GitHub, used with the real PyGithub client, and held to GitHub's own descriptions."""

from typing import TYPE_CHECKING

import pytest
from github import Auth, Github, GithubException, GithubIntegration

from tests.github import App, PullRequest, Repository, SmallGitHub
from tests.github.fixtures import github

if TYPE_CHECKING:
    from github.PullRequest import ReviewComment

__all__ = ["github"]

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "merge_queues": "read",
    "pull_requests": "write",
}
EVENTS = [
    "check_run",
    "check_suite",
    "issue_comment",
    "label",
    "merge_group",
    "pull_request",
    "push",
]
BEFORE = "services:\n  web:\n    image: nginx\n"
AFTER = BEFORE + "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n"


class World:
    """A private repository with its people, an installed App, and one pull request."""

    def __init__(self, github: SmallGitHub) -> None:
        self.github = github
        self.acme = github.organization("acme")
        self.mia, self.dev = github.user("mia"), github.user("dev")
        self.repository: Repository = self.acme.repository(
            "shop", {"compose.yml": BEFORE}, private=True
        )
        self.repository.add_collaborator(self.mia, "maintain")
        self.repository.add_collaborator(self.dev, "write")
        self.app: App = github.app("sockgate", permissions=PERMISSIONS, events=EVENTS)
        self.installation = self.app.install(self.acme)
        self.pull: PullRequest = self.repository.pull(
            {"compose.yml": AFTER}, by=self.dev, title="Add a volume"
        )

    def integration(self) -> GithubIntegration:
        return GithubIntegration(
            auth=Auth.AppAuth(self.app.id, self.app.private_key),
            base_url=self.github.url,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def client(self) -> Github:
        return self.integration().get_github_for_installation(self.installation.id)


@pytest.fixture
def world(github: SmallGitHub) -> World:
    return World(github)


def test_an_app_becomes_an_installation_and_reads_a_pull_request(world: World) -> None:
    integration = world.integration()
    assert integration.get_app().slug == "sockgate"
    assert integration.get_repo_installation("acme", "shop").id == world.installation.id
    pull = world.client().get_repo("acme/shop").get_pull(1)
    assert (pull.title, pull.user.login, pull.mergeable) == ("Add a volume", "dev", True)
    assert pull.head.sha == world.pull.head_sha


def test_a_comparison_is_gits(world: World) -> None:
    repository = world.client().get_repo("acme/shop")
    compared = repository.compare(world.pull.base_sha, world.pull.head_sha)
    assert compared.merge_base_commit.sha == world.pull.merge_base
    (file,) = compared.files
    assert (file.filename, file.status, file.additions) == ("compose.yml", "modified", 2)
    assert file.patch.splitlines()[-1] == "+      - /var/run/docker.sock:/var/run/docker.sock"


def test_a_comment_outside_the_diff_refuses_the_whole_review(world: World) -> None:
    pull = world.client().get_repo("acme/shop").get_pull(1)
    inside: ReviewComment = {"path": "compose.yml", "line": 5, "side": "RIGHT", "body": "Here."}
    outside: ReviewComment = {"path": "compose.yml", "line": 9, "side": "RIGHT", "body": "Where?"}
    with pytest.raises(GithubException) as refused:
        pull.create_review(body="Look.", event="COMMENT", comments=[inside, outside])
    assert refused.value.status == 422
    assert world.pull.reviews == []
    pull.create_review(body="Look.", event="COMMENT", comments=[inside])
    assert [(one.path, one.line) for one in pull.get_review_comments()] == [("compose.yml", 5)]


def test_a_check_decides_about_merging(world: World) -> None:
    required = [("docker-socket", world.app)]
    repository = world.client().get_repo("acme/shop")
    assert not world.github.mergeable(world.pull, required)
    run = repository.create_check_run("docker-socket", world.pull.head_sha, conclusion="failure")
    assert not world.github.mergeable(world.pull, required)
    run.edit(conclusion="success")
    assert world.github.mergeable(world.pull, required)
