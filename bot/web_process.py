"""The process that answers: deliveries, pages, health and metrics."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import structlog
import uvicorn
from starlette.routing import BaseRoute, Route

from bot import traces
from bot.database import Database
from bot.forge.client import GitHub
from bot.intake import Intake
from bot.line import Asking
from bot.metrics import Arrivals
from bot.processes import keep_loaded
from bot.settings import Settings
from bot.setup.after import After
from bot.setup.door import Door
from bot.setup.watch import Watch
from bot.web import Site
from bot.worker_process import EVALUATED, LOGIN, METRICS, READY

# /readyz says so, then the doors close.
READY_SECONDS, REQUEST_SECONDS = 1.0, 3
STORE_SECONDS = 3.0
# Longer than load balancers keep an idle connection (60 s with nginx's upstreams and AWS): where we
# closed it first, a delivery sent at that moment would be lost.
KEEP_ALIVE_SECONDS = 75
TRACE_SECONDS = 1.0
# Whoever answers deliveries shares the interpreter with the one that stores them.
TURN_SECONDS = 0.0005
# Objects after which garbage is looked for: a payload alone is a few thousand, and none is garbage.
YOUNG = 50_000
_ANSWER_SECONDS = 2.0  # that the other process gets for an answer
_LEARN_SECONDS = 0.5  # between two questions who we are

_log = structlog.stdlib.get_logger("sockgate.server")


def answer(given: Settings, door: socket.socket, visitors: Door | None, line: socket.socket) -> int:
    """Answer until told to stop; return 0. Raises DatabaseError."""
    sys.setswitchinterval(TURN_SECONDS)
    traces.start(os.environ)
    database = Database(given.database_url, locked=False)
    intake = Intake(database)
    intake.start()
    worker = _Worker(Asking(line))
    site = Site(
        intake,
        Arrivals(intake.depth),
        given.webhook_secrets,
        worker.login,
        worker=worker,
        pages=(*_pages(given, worker.evaluated, visitors), *_register(given, database)),
    )
    threading.Thread(target=worker.learn, daemon=True).start()
    keep_loaded()
    gc.set_threshold(YOUNG)
    config = uvicorn.Config(
        site.app(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )
    _log.info("listening", host=given.host, port=door.getsockname()[1], github=given.api_url)
    _Server(config, site).run(sockets=[door])
    intake.stop(STORE_SECONDS)
    traces.stop(TRACE_SECONDS)
    return 0


class _Worker:
    """The process that does the jobs, as seen from here."""

    def __init__(self, line: Asking) -> None:
        self._line = line
        self._login: str | None = None

    def login(self) -> str | None:
        """Return our App's login, once it is known."""
        return self._login

    def learn(self) -> None:
        """Ask until it is known."""
        while not self._login:
            with suppress(OSError):  # while it is being started
                self._login = self._ask(LOGIN).decode() or None
            time.sleep(_LEARN_SECONDS)

    def is_ready(self) -> bool:
        """Tell whether jobs are taken up. Raises OSError where nobody answers."""
        return bool(self._ask(READY))

    def metrics(self) -> bytes:
        """Return what it counts. Raises OSError where nobody answers."""
        return self._ask(METRICS)

    def evaluated(self) -> int:
        """Return how many evaluations were finished since it started."""
        try:
            return int(self._ask(EVALUATED))
        except OSError:
            return 0

    def _ask(self, what: str) -> bytes:
        return self._line.ask(what, _ANSWER_SECONDS)


def _pages(given: Settings, evaluated: Callable[[], int], visitors: Door | None) -> list[BaseRoute]:
    """Return the pages for people."""
    github = GitHub(given.app_id, given.private_key, given.api_url)
    visitors = visitors or Door(local=False)
    look = Watch(github, given.web_url).look
    return [*After(visitors, look, evaluated, given.public_url).routes()]


def _register(given: Settings, database: Database) -> list[Route]:
    """Return the register's pages, where people can sign in."""
    if not (given.client_id and given.client_secret and given.public_url):
        return []
    from bot.register.signin import SignIn  # noqa: PLC0415 - start-up
    from bot.register.site import RegisterSite  # noqa: PLC0415 - start-up

    sign_in = SignIn(given.client_id, given.client_secret, given.web_url, given.api_url)
    return RegisterSite(database.engine, sign_in, given.public_url).routes()


class _Server(uvicorn.Server):
    """Tells the load balancer first, and exits with 0 where it was asked to stop."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        if sig == signal.SIGTERM and not self._site.stopping:
            self._site.stopping = True
            closing = threading.Timer(READY_SECONDS, self._close)
            closing.daemon = True
            closing.start()
        else:
            self._site.stopping = True
            self._close()

    def _close(self) -> None:
        self.should_exit = True
