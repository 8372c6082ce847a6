"""The small GitHub itself: the state's root, the clock, the server, and what scenarios wait for."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from . import graph, rest
from .auth import Tokens
from .clock import Clock
from .faults import Faults
from .git import File, Git
from .hooks.deliveries import Webhooks
from .hooks.events import Events
from .ids import Ids
from .limits import Limits, Rates
from .log import RequestLog
from .model.accounts import Account
from .model.apps import App, Installation, key_pair
from .model.manifests import Manifests
from .model.pulls import PullRequest
from .model.queue import MergeGroup
from .model.repositories import Repository
from .model.signing_in import SigningIn
from .server import Server
from .truth import Truth
from .views.base import Urls

Style = Literal["enterprise", "public"]
SECRET = "a secret that only this test knows"


class SmallGitHub:
    """One GitHub on loopback; use it as a context manager, or ``start`` and ``stop`` it.

    ``style`` says whether the API is under ``/api/v3`` as on GitHub Enterprise Server, or at the
    root as on api.github.com. ``strict`` holds every request and answer to GitHub's description.
    """

    def __init__(self, *, style: Style = "enterprise", strict: bool = True, port: int = 0) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.style = style
        self.clock = Clock()
        self.ids = Ids()
        self.limits = Limits()
        self.rates = Rates(self)
        self.tokens = Tokens(self)
        self.faults = Faults()
        self.requests = RequestLog()
        self.truth = Truth((one.operation for one in rest.ROUTES), strict=strict)
        self.webhooks = Webhooks(self)
        self.events = Events(self)
        self.manifests = Manifests(self)
        self.signing_in = SigningIn(self)
        self.schema = graph.Schema()
        # GraphQL may show the label of an old event as it is "now" or as it was "then".
        self.label_in_events: Literal["now", "then"] = "then"
        self._folder = Path(tempfile.mkdtemp(prefix="small-github-"))
        self._accounts: dict[str, Account] = {}
        self._apps: list[App] = []
        self._repositories: list[Repository] = []
        self._server = Server(self, port)

    # Running ------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen, and send webhooks."""
        self._server.start()
        self.webhooks.start()
        return self

    def stop(self) -> None:
        """Stop both and remove the git repositories."""
        self.webhooks.stop()
        self._server.stop()
        for git in {repository.git for repository in self._repositories}:
            git.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def page_url(self) -> str:
        """Where the pages are: ``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def url(self) -> str:
        """The REST API's base address, what ``GITHUB_API_URL`` is to be."""
        return self.page_url + ("/api/v3" if self.style == "enterprise" else "")

    @property
    def urls(self) -> Urls:
        """Both, for links in answers."""
        return Urls(api=self.url, html=self.page_url)

    @property
    def edition_headers(self) -> dict[str, str]:
        """What GitHub Enterprise Server adds to its webhooks."""
        if self.style == "public":
            return {}
        return {"X-GitHub-Enterprise-Host": "127.0.0.1", "X-GitHub-Enterprise-Version": "3.19.0"}

    @property
    def violations(self) -> list[str]:
        """What did not hold against GitHub's own description; a test wants it empty."""
        return self.truth.violations

    # Who and what there is ----------------------------------------------------------------------

    def user(self, login: str) -> Account:
        """Return a person, made at first mention."""
        return self._account(login, "User")

    def bot(self, login: str) -> Account:
        """Return a bot that is no App of this GitHub; ``renovate`` is ``renovate[bot]``."""
        return self._account(f"{login.removesuffix('[bot]')}[bot]", "Bot")

    def organization(self, login: str) -> Account:
        """Return an organisation, made at first mention; its first owner is ``{login}-owner``."""
        found = self._account(login, "Organization")
        if not found.owners:
            found.add_owner(self.user(f"{login}-owner"))
        return found

    def _account(self, login: str, kind: Literal["User", "Organization", "Bot"]) -> Account:
        with self.changed:
            found = self._accounts.get(login.lower())
            if found is None:
                found = self._accounts[login.lower()] = Account(self, login, kind)
            if found.kind != kind:
                raise ValueError(f"{login} is a {found.kind}")
            return found

    def find_account(self, login: str) -> Account | None:
        """Find an account without making one."""
        return self._accounts.get(login.lower())

    def by_email(self, email: str) -> Account | None:
        """Find the account that a commit's address belongs to."""
        return next((one for one in self._accounts.values() if one.email == email), None)

    def root_of(self, account: Account) -> Account:
        """Return who administers an account: itself, or an organisation's first owner."""
        owners = sorted(account.owners, key=lambda one: one.id)
        return owners[0] if owners else account

    def app(
        self,
        slug: str,
        *,
        permissions: Mapping[str, str] | None = None,
        events: Sequence[str] = (),
        webhook_url: str | None = None,
        secret: str = SECRET,
        owner: Account | None = None,
    ) -> App:
        """Register a GitHub App; ``metadata: read`` is always among its permissions."""
        with self.changed:
            private, public = key_pair(len(self._apps))
            app = App(
                hub=self,
                slug=slug,
                owner=owner or self.user("app-owner"),
                permissions={"metadata": "read", **(permissions or {})},
                events=list(events),
                webhook_url=webhook_url,
                secret=secret,
                private_key=private,
                public_key=public,
                bot=self._account(f"{slug}[bot]", "Bot"),
            )
            self._apps.append(app)
            return app

    def app_by(self, issuer: str) -> App | None:
        """Find an App by its id or client id."""
        for app in self._apps:
            if issuer in (str(app.id), app.client_id):
                return app
        return None

    def app_called(self, slug: str) -> App | None:
        """Find an App by its slug."""
        return next((app for app in self._apps if app.slug == slug), None)

    def accounts(self) -> list[Account]:
        """List the people and organisations."""
        return [one for one in self._accounts.values() if one.kind != "Bot"]

    def installations_of(self, repository: Repository) -> list[Installation]:
        """List the working installations that cover a repository."""
        return [
            one
            for app in self._apps
            for one in app.installations
            if one.covers(repository) and one.suspended_at is None
        ]

    def create_repository(
        self,
        owner: Account,
        name: str,
        files: Mapping[str, File],
        *,
        private: bool,
        default_branch: str,
    ) -> Repository:
        """Create a repository with one commit (``Account.repository`` is the way here)."""
        with self.changed:
            repository = Repository(
                hub=self,
                owner=owner,
                name=name,
                private=private,
                default_branch=default_branch,
                git=Git(self._folder / str(self.ids.new())),
            )
            self.add_repository(repository)
            first = files or {"README.md": f"# {name}\n"}
            repository.commit(first, by=self.root_of(owner), message="Begin")
            return repository

    def add_repository(self, repository: Repository) -> None:
        """Take in a repository."""
        self._repositories.append(repository)

    def repositories(self) -> list[Repository]:
        """List the repositories that were not deleted."""
        return [repository for repository in self._repositories if not repository.deleted]

    def find_repository(self, owner: str, name: str) -> Repository | None:
        """Find a repository, without regard to case."""
        wanted = f"{owner}/{name}".lower()
        for repository in self.repositories():
            if repository.full_name.lower() == wanted:
                return repository
        return None

    def pulls_from(self, source: Repository, branch: str) -> list[PullRequest]:
        """List the open pull requests whose head is a branch."""
        return [
            pull
            for repository in self.repositories()
            for pull in repository.pulls.values()
            if pull.state == "open"
            and pull.head_repository is source
            and pull.head_branch == branch
        ]

    # What scenarios ask -------------------------------------------------------------------------

    def mergeable(
        self,
        what: PullRequest | MergeGroup,
        required: Sequence[tuple[str, App | int]] | None = None,
    ) -> bool:
        """Say what branch protection would: may it be merged, with these checks required?

        Each is (name, App or its id); without any given, the repository's ``required_checks``
        hold. Of each, the newest run on the head must have concluded success, neutral or skipped;
        runs of other Apps do not count.
        """
        with self.changed:
            runs = what.repository.check_runs(what.head_sha)
            asked = what.repository.required_checks if required is None else required
            for name, app in asked:
                wanted = app if isinstance(app, int) else app.id
                newest = next(
                    (run for run in runs if run.name == name and run.app.id == wanted), None
                )
                if newest is None or not newest.passing:
                    return False
            return True

    def wait_for(self, condition: Callable[[], object], timeout: float = 30) -> None:
        """Wait until something holds; it is asked again after every change."""
        deadline = time.monotonic() + timeout
        with self.changed:
            while not condition():
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError("what was waited for did not come about")
                self.changed.wait(min(left, 0.5))

    def settle(self, timeout: float = 30) -> None:
        """Wait until every webhook sent so far was answered."""
        self.webhooks.settle(timeout)
