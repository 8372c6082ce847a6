"""One repository on the small GitHub with our App, a maintainer and an author, and evaluations."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.evaluate import Done, Outcome, evaluate
from bot.forge.client import GitHub
from bot.forge.pace import Pace
from bot.pull import PullRef
from tests.github import Account, App, PullRequest, Repository, SmallGitHub

CHECK, LABEL = "docker-socket", "docker-socket-justified"
MANIFEST: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "app.yml").read_text("utf-8")
)

COMPOSE = "services:\n  web:\n    image: nginx:1\n    read_only: true\n"
GRANTED = COMPOSE + "    volumes:\n      - /var/run/docker.sock:/var/run/docker.sock\n"
MORE = GRANTED + "  agent:\n    image: acme/agent\n    volumes: [/run/docker.sock:/s]\n"


@dataclass(slots=True)
class Team:
    """Who and what a scenario needs. The App has exactly the permissions of app.yml."""

    github: SmallGitHub
    app: App
    shop: Repository
    mia: Account  # role maintain
    dev: Account  # role write
    tess: Account  # role triage
    forge: GitHub
    installation: int

    def open(self, files: Mapping[str, str | None], *, by: Account | None = None) -> PullRequest:
        """Open a pull request from a branch of the repository."""
        return self.shop.pull(files, by=by or self.dev, title="A change")

    def ref(self, pull: PullRequest) -> PullRef:
        return PullRef(self.installation, self.shop.owner.login, self.shop.name, pull.number)

    def evaluate(self, pull: PullRequest, **options: Any) -> Outcome:
        """Evaluate as the queue does, a few seconds after whatever happened."""
        self.github.clock.advance(2)
        outcome = evaluate(self.forge, self.ref(pull), now=self.github.clock.now, **options)
        self.github.clock.advance(2)
        return outcome

    def done(self, pull: PullRequest, **options: Any) -> Done:
        outcome = self.evaluate(pull, **options)
        assert isinstance(outcome, Done), outcome
        return outcome

    def mergeable(self, pull: PullRequest) -> bool:
        """What branch protection says, with our App as the expected source."""
        return self.github.mergeable(pull, required=[(CHECK, self.app)])

    def title(self, pull: PullRequest) -> str:
        check = pull.check(CHECK, self.app)
        assert check is not None
        return str(check.title)

    def summary(self, pull: PullRequest) -> str:
        check = pull.check(CHECK, self.app)
        assert check is not None
        return str(check.summary)

    def requests(self) -> list[str]:
        """Requests so far, those for tokens aside."""
        return [
            f"{one.method} {one.path}" for one in self.github.requests if not one.is_token_request
        ]


def team(
    github: SmallGitHub, files: Mapping[str, str] | None = None, *, user: bool = False
) -> Team:
    """Set up one repository; `user` for one that belongs to a user account (mia's)."""
    mia, dev, tess = github.user("mia"), github.user("dev"), github.user("tess")
    owner = mia if user else github.organization("acme")
    shop = owner.repository(
        "shop", {"compose.yaml": COMPOSE, "README.md": "x\n"} | dict(files or {})
    )
    if not user:
        shop.add_collaborator(mia, "maintain")
    shop.add_collaborator(dev, "write")
    if not user:
        shop.add_collaborator(tess, "triage")
    app = github.app(
        "sockgate", permissions=MANIFEST["default_permissions"], events=MANIFEST["default_events"]
    )
    installation = app.install(owner)
    forge = GitHub(app.id, app.private_key, github.url, pace=Pace(0, 0, 0))
    return Team(github, app, shop, mia, dev, tess, forge, installation.id)
