"""A look at all open pull requests: what has no check of ours is put into the queue."""

from collections.abc import Callable
from uuid import uuid4

import structlog

from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.read import repositories
from bot.forge.unchecked import has_room, unchecked
from bot.pull import PullRef

_log = structlog.stdlib.get_logger("sockgate.sweep")


def sweep(github: GitHub, put: Callable[[str, PullRef], object], go_on: Callable[[], bool]) -> int:
    """Put what lacks our check into the queue; return how many.

    `put` takes the name of this look, and a pull request. An installation that has used up half of
    its rate limit, or that fails, is left for the next time. Raises ForgeError where not even the
    installations can be listed.
    """
    name, found = f"sweep-{uuid4().hex[:12]}", 0
    for installation in github.installations():
        if not go_on():
            break
        try:
            for pull in _of(github, installation, go_on):
                put(name, pull)
                found += 1
        except ForgeError as error:
            _log.warning("not swept", installation=installation, reason=error.reason)
    _log.info("swept", missing=found)
    return found


def _of(github: GitHub, installation: int, go_on: Callable[[], bool]) -> list[PullRef]:
    client = github.client(installation)
    found: list[PullRef] = []
    for owner, repo in repositories(client):
        if not go_on():
            break
        if not has_room(client):
            _log.info("swept later", installation=installation, why="half of the limit is used")
            break
        try:
            found += unchecked(client, installation, owner, repo, github.app_id)
        except ForgeError as error:
            if error.retry:
                raise
    return found
