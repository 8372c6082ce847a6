"""Fixtures: ``from tests.github.fixtures import github, world`` in a test module or a conftest."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from github import Auth, Github, GithubIntegration

from .hub import SmallGitHub

if TYPE_CHECKING:
    from .model.apps import App
    from .model.pulls import PullRequest
    from .model.repositories import Repository

PERMISSIONS = {
    "checks": "write",
    "contents": "read",
    "issues": "write",
    "merge_queues": "read",
    "metadata": "read",
    "pull_requests": "write",
}
EVENTS = (
    "check_run",
    "check_suite",
    "issue_comment",
    "label",
    "merge_group",
    "pull_request",
    "push",
)
BEFORE = "services:\n  web:\n    image: nginx\n"
AFTER = BEFORE + "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n"


class World:
    """A private repository with its people, an installed App, and one pull request."""

    def __init__(self, github: SmallGitHub) -> None:
        self.github = github
        self.acme = github.organization("acme")
        self.mia, self.dev = github.user("mia"), github.user("dev")
        self.shop: Repository = self.acme.repository("shop", {"compose.yml": BEFORE}, private=True)
        self.shop.add_collaborator(self.mia, "maintain")
        self.shop.add_collaborator(self.dev, "write")
        self.app: App = github.app("sockgate", permissions=PERMISSIONS, events=EVENTS)
        self.installation = self.app.install(self.acme)
        self.pull: PullRequest = self.shop.pull(
            {"compose.yml": AFTER}, by=self.dev, title="Add a volume"
        )

    def integration(self, private_key: str | None = None) -> GithubIntegration:
        """Make the App's own client."""
        return GithubIntegration(
            auth=Auth.AppAuth(self.app.id, private_key or self.app.private_key),
            base_url=self.github.url,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )

    def client(self, token: str | None = None) -> Github:
        """Make a client of the installation, or with a token of a test's own."""
        if token is None:
            return self.integration().get_github_for_installation(self.installation.id)
        return Github(
            auth=Auth.Token(token),
            base_url=self.github.url,
            retry=None,
            seconds_between_requests=0,
            seconds_between_writes=0,
        )


@pytest.fixture
def github() -> Iterator[SmallGitHub]:
    """Run a small GitHub; the test fails if anything did not hold against GitHub's description."""
    with SmallGitHub() as running:
        yield running
        running.settle()
    assert running.violations == [], "\n".join(running.violations)


@pytest.fixture
def world(github: SmallGitHub) -> World:
    """Put people, a repository, an App and a pull request into it."""
    return World(github)
