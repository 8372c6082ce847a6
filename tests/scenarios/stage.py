"""The real server against the small GitHub: signed webhooks over HTTP, the queue, SQLite.

What differs from `sockgate serve`: it runs in this process, reads GitHub's clock, looks into its
queue more often, and does not wait a second between two writes. What happens is awaited.
"""

import itertools
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import uvicorn

from bot.backend import connect
from bot.database import Database
from bot.evaluate import evaluate
from bot.forge.client import GitHub
from bot.forge.pace import Pace
from bot.group import evaluate_group
from bot.intake import Intake
from bot.metrics import Arrivals, Metrics
from bot.queue import Queue
from bot.records.store import Records
from bot.records.upgrade import upgrade
from bot.settings import Settings
from bot.web import Site
from tests.github import Account, App, PullRequest, Repository, SmallGitHub
from tests.github.git import File
from tests.github.log import LoggedRequest
from tests.here import Here
from tests.ports import free_port
from tests.pulls import CHECK, COMPOSE, GRANTED, LABEL, MANIFEST, MORE

SECONDS = 30.0
POLICY = ".github/sockgate.yml"


def _unhurried(*given: object, **options: object) -> GitHub:
    return GitHub(*given, pace=Pace(0, 0, 0), **options)  # type: ignore[arg-type]


class Stage:
    """One small GitHub and one server, shared by scenarios that have a repository each."""

    def __init__(self, folder: Path) -> None:
        self._numbers = itertools.count(1)
        self._open = ExitStack()
        self.github = self._open.enter_context(SmallGitHub())
        port = free_port()
        self.app = self.github.app(
            "sockgate",
            permissions=MANIFEST["default_permissions"],
            events=MANIFEST["default_events"],
            webhook_url=f"http://127.0.0.1:{port}/webhook",
        )
        given = Settings(
            app_id=self.app.id,
            private_key=self.app.private_key,
            webhook_secrets=(self.app.secret,),
            api_url=self.github.url,
        )
        database = Database(f"sqlite:///{folder}/sockgate.sqlite")
        self._open.callback(database.close)
        upgrade(database.engine)
        metrics = Metrics()
        judged = partial(evaluate, now=self.github.clock.now, pause=lambda _: None)
        self._open.enter_context(mock.patch("bot.backend.evaluate", judged))
        group = partial(evaluate_group, now=self.github.clock.now, pause=lambda _: None)
        self._open.enter_context(mock.patch("bot.backend.evaluate_group", group))
        with mock.patch("bot.backend.GitHub", _unhurried):
            backend = connect(given, metrics, Records(database.engine))
        self.queue = Queue(
            database, backend.work, metrics, poll=0.02, first_pause=0.2, last_attempt=8
        )
        self.queue.start()
        self._open.callback(self.queue.stop, 5)
        own = backend.login()
        self.intake = Intake(database)
        self.intake.start()
        self._open.callback(self.intake.stop, 5)
        arrivals = Arrivals(self.intake.depth)
        worker = Here(self.queue, metrics)
        self.site = Site(self.intake, arrivals, given.webhook_secrets, lambda: own, worker)
        self._serve(port)

    def _serve(self, port: int) -> None:
        config = uvicorn.Config(self.site.app(), port=port, lifespan="off", log_config=None)
        web = uvicorn.Server(config)
        thread = threading.Thread(target=web.run)
        thread.start()

        def close() -> None:
            web.should_exit = True
            thread.join()

        self._open.callback(close)
        until(lambda: web.started)

    def close(self) -> None:
        """Stop the server, then GitHub; whatever GitHub's descriptions forbid was noted there."""
        self.github.settle()
        self._open.close()
        assert self.github.violations == [], "\n".join(self.github.violations)

    def scene(self, files: Mapping[str, File] | None = None, *, user: bool = False) -> "Scene":
        """Set up a repository of its own; `user` for one that a user account (mia) owns."""
        number = next(self._numbers)
        github = self.github
        mia, dev, tess = (github.user(f"{name}-{number}") for name in ("mia", "dev", "tess"))
        owner = mia if user else github.organization(f"acme-{number}")
        first = {"compose.yaml": COMPOSE, "README.md": "x\n"} | dict(files or {})
        shop = owner.repository("shop", first)
        if not user:
            shop.add_collaborator(mia, "maintain")
            shop.add_collaborator(tess, "triage")
        shop.add_collaborator(dev, "write")
        github.webhooks.lose(lambda _: True)
        self.app.install(owner)
        github.webhooks.lose(None)
        return Scene(self, github, self.app, shop, mia, dev, tess)


@dataclass(slots=True)
class Scene:
    """One repository with its people. The App has exactly the permissions of app.yml."""

    stage: Stage
    github: SmallGitHub
    app: App
    shop: Repository
    mia: Account  # role maintain
    dev: Account  # role write
    tess: Account  # role triage

    def open(
        self,
        files: Mapping[str, File | None] | None = None,
        *,
        by: Account | None = None,
        **how: str,
    ) -> PullRequest:
        """Open a pull request, by default one that hands over the socket, and have it judged."""
        given = files if files is not None else {"compose.yaml": GRANTED}
        pull = self.shop.pull(given, by=by or self.dev, title="A change", **how)  # type: ignore[arg-type]
        self.judged()
        return pull

    def shown_red(self, files: Mapping[str, File | None] | None = None) -> PullRequest:
        """Open a pull request whose findings our check has shown."""
        pull = self.open(files)
        self.is_red(pull)
        return pull

    def justified(self, files: Mapping[str, File | None] | None = None) -> PullRequest:
        """Open a pull request, and let the maintainer justify it."""
        pull = self.shown_red(files)
        self.justify(pull)
        return pull

    def justify(self, pull: PullRequest) -> None:
        """Let the maintainer put the label on: in the end it always helps."""
        if pull.has_label(LABEL):
            pull.unlabel(LABEL, by=self.mia)
        pull.label(LABEL, by=self.mia)
        self.judged()
        self.is_green(pull)

    def judged(self) -> None:
        """Wait until every delivery was answered and every job is done; then time passes."""

        def idle() -> bool:
            self.github.settle()
            depth = self.stage.intake.depth()
            left = depth.waiting + depth.running + depth.postponed
            return left == 0 and not self.github.webhooks.busy

        # The states are counted one after the other, and a job may change its own meanwhile.
        until(lambda: idle() and idle())
        self.github.clock.advance(2)

    def mergeable(self, pull: PullRequest) -> bool:
        """What branch protection says, with our App as the expected source."""
        return self.github.mergeable(pull, required=[(CHECK, self.app)])

    def is_red(self, pull: PullRequest) -> None:
        """Branch protection says no, and not just because nothing was reported."""
        assert not self.mergeable(pull)
        check = pull.check(CHECK, self.app)
        assert check is not None, "there is no check on the head"
        assert check.conclusion == "failure"

    def is_green(self, pull: PullRequest) -> None:
        """Branch protection says yes."""
        assert self.mergeable(pull), self.said(pull)

    def said(self, pull: PullRequest) -> str:
        """What people read: the check's title and page, then our comments, newest last."""
        check = pull.check(CHECK, self.app)
        parts = [f"{check.title}\n{check.summary}"] if check is not None else ["no check"]
        parts += [one.body for one in pull.comments if one.author is self.app.bot]
        return "\n".join(parts)

    def before(self, method: str, path: str, do: Callable[[], None], *, skip: int = 0) -> None:
        """Let something happen right before a request is answered: the first, or one after it."""
        left = itertools.count(-skip)
        inside = self.shop.full_name

        def come(request: LoggedRequest) -> bool:
            about = inside in request.path or request.path == "/graphql"
            if about and next(left) == 0:
                do()
            return False

        self.github.faults.add(method, path, which=come)


def until(true: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


__all__ = ["CHECK", "COMPOSE", "GRANTED", "LABEL", "MORE", "POLICY", "Scene", "Stage", "until"]
