"""Serve the set-up pages until there is an App, on the very socket that is used afterwards.

Whoever connects while one server ends and the next begins waits in the socket's queue.
"""

import socket
from dataclasses import dataclass
from types import FrameType

import structlog
import uvicorn

from bot.settings import Unset
from bot.setup.door import Door, Visitor
from bot.setup.edition import PUBLIC_WEB, is_loopback, web_of
from bot.setup.manifest import SETUP
from bot.setup.site import SetupSite
from bot.setup.store import Credentials
from bot.web import with_headers

_GRACE_SECONDS = 3
_log = structlog.stdlib.get_logger("sockgate.setup")


@dataclass(slots=True)
class _Result:
    credentials: Credentials | None = None


def set_up(unset: Unset, listening: socket.socket) -> tuple[Visitor, ...] | None:
    """Serve until an App is stored; return who did it. None where asked to stop before that."""
    # Whoever knows a public address has something in front that makes everybody look local.
    door = Door(local=is_loopback(unset.host) and not unset.public_url)
    result = _Result()

    def stored(credentials: Credentials) -> None:
        result.credentials = credentials
        server.should_exit = True

    github = web_of(unset.api_url) if unset.api_url else PUBLIC_WEB
    site = SetupSite(door, unset.data_dir, stored, unset.public_url, github)
    server = _Server(
        uvicorn.Config(
            with_headers(site.app()),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
    _say(unset, door, listening)
    server.run(sockets=[listening.dup()])
    return door.visitors() if result.credentials and not server.stopped else None


def _say(unset: Unset, door: Door, listening: socket.socket) -> None:
    port = listening.getsockname()[1]
    host = "localhost" if is_loopback(unset.host) else socket.gethostname()
    here = f"http://{host}:{port}"
    if door.is_open:
        _log.warning("no App is set up yet: open this page on this machine", page=here + SETUP)
    page = f"{unset.public_url or here}{SETUP}?token={door.token}"
    _log.warning("no App is set up yet: this page opens from anywhere, once", page=page)


class _Server(uvicorn.Server):
    """Ends when told to, without raising the signal again: exiting is up to the caller."""

    stopped = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        self.stopped = self.should_exit = True
