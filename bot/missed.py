"""Deliveries that GitHub could not hand over are asked for again: it never does so by itself.

GitHub keeps deliveries for three days; each attempt is an entry of its own, with the `guid` of the
first (docs.github.com, "Handling failed webhook deliveries" and "Redelivering webhooks"). One was
missed where no attempt with its guid was answered well.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
import structlog

from bot.database import Database
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.records.tables import redeliveries
from bot.shared import clock

WINDOW = timedelta(days=3)
PAUSE = 3600.0  # seconds between two attempts that we ask for
SPARED = 0.5  # of the rate limit: no more than the rest is used for this
MOST_PAGES = 100

_EVENTS = frozenset(
    {
        "check_run",
        "check_suite",
        "installation",
        "installation_repositories",
        "issue_comment",
        "label",
        "merge_group",
        "pull_request",
        "push",
    }
)
_CURSOR = re.compile(r'<[^>]*[?&]cursor=([^&>]+)[^>]*>;\s*rel="next"')

_log = structlog.stdlib.get_logger("sockgate.missed")


def redeliver(
    github: GitHub,
    database: Database,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    go_on: Callable[[], bool] = lambda: True,
) -> int:
    """Ask for what was missed, oldest first; return how many. Raises ForgeError."""
    asked = 0
    for one in _missed(github, now()):
        if not go_on():
            break
        if not _first(database, one["guid"]):
            continue
        try:
            headers, _ = github.ask(f"/app/hook/deliveries/{one['id']}/attempts", "POST")
        except ForgeError as error:
            if error.retry:
                raise
            _log.warning("not redelivered", delivery=one["guid"], reason=error.reason)
            continue
        asked += 1
        _log.info("asked for again", delivery=one["guid"], event_name=one["event"])
        if _is_spent(headers):
            break
    return asked


def _missed(github: GitHub, now: datetime) -> list[dict[str, Any]]:
    """Return one attempt of each delivery that was never answered well, oldest first."""
    well: set[str] = set()
    failed: dict[str, dict[str, Any]] = {}
    for one in _deliveries(github, now - WINDOW):
        if 200 <= one["status_code"] < 300:
            well.add(one["guid"])
        elif one["event"] in _EVENTS:
            failed[one["guid"]] = one
    return [one for guid, one in reversed(failed.items()) if guid not in well]


def _deliveries(github: GitHub, since: datetime) -> Iterator[dict[str, Any]]:
    cursor = ""
    for _ in range(MOST_PAGES):
        headers, page = github.ask(
            "/app/hook/deliveries?per_page=100" + (f"&cursor={cursor}" if cursor else "")
        )
        for one in page:
            if datetime.fromisoformat(one["delivered_at"]) < since:
                return
            yield one
        following = _CURSOR.search(headers.get("link", ""))
        if following is None or _is_spent(headers):
            return
        cursor = following[1]


def _is_spent(headers: Mapping[str, str]) -> bool:
    """Tell whether so much of the limit is used that the rest is left to evaluations."""
    limit, left = headers.get("x-ratelimit-limit", ""), headers.get("x-ratelimit-remaining", "")
    return limit.isdigit() and left.isdigit() and int(left) < int(limit) * SPARED


def _first(database: Database, guid: str) -> bool:
    """Note that it is asked for now; False where that was done within the hour."""
    now = clock(is_sqlite=database.is_sqlite)
    at = redeliveries.c
    with database.engine.begin() as connection:
        again = connection.execute(
            sa.update(redeliveries)
            .where(at.guid == guid, at.asked_at <= now - PAUSE)
            .values(asked_at=now)
        ).rowcount
        if again:
            return True
        known = sa.select(at.guid).where(at.guid == guid)
        if connection.execute(known).first() is not None:
            return False
        connection.execute(sa.insert(redeliveries).values(guid=guid, asked_at=now))
        return True
