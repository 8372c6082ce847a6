"""What GitHub says of the App while somebody sets it up: heard, installed, required."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from threading import Lock
from typing import Any

import structlog

from bot.doctor.links import links
from bot.doctor.protection import branch
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.gate.policy import CHECK

# A page that is left open asks more and more seldom: an hour of it costs some 2,000 requests.
_SHORTEST, _LONGEST, _GROWTH = 2.0, 30.0, 1 / 30
_NEWS_SECONDS = 0.5
_MOST_INSTALLATIONS, _MOST_REPOSITORIES = 5, 8
_log = structlog.stdlib.get_logger("sockgate.setup")


@dataclass(frozen=True, slots=True)
class Place:
    """One repository that the App is installed on."""

    name: str  # "acme/shop"
    page: str
    branch: str
    required: bool | None  # whether only our check lets a change in; None where not to be seen
    from_anyone: bool  # required, but of any source


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest attempt of GitHub to reach us."""

    event: str
    status: int  # 0 where there was no answer
    words: str

    @property
    def well(self) -> bool:
        """Whether we took it."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Seen:
    """The App as GitHub shows it. `problem` says why it could not be asked."""

    name: str = ""
    page: str = ""
    sent: str = ""  # the page of what GitHub sent lately
    heard: Heard | None = None
    accounts: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    more: bool = False  # there are more repositories than are shown
    problem: str = ""


class Watch:
    """Asks GitHub, at most every few seconds however many look."""

    def __init__(
        self, github: GitHub, web: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._github = github
        self._web = web
        self._clock = clock
        self._began: float | None = None
        self._lock = Lock()
        self._seen: tuple[float, Seen] | None = None
        self._asked_again = False

    def look(self, *, news: bool = False) -> Seen:
        """Return how things stand; `news` where something has just changed."""
        with self._lock:
            now = self._clock()
            self._began = now if self._began is None else self._began
            pause = min(max(_SHORTEST, (now - self._began) * _GROWTH), _LONGEST)
            if self._seen is None or now - self._seen[0] > (_NEWS_SECONDS if news else pause):
                self._seen = (now, self._ask())
            return self._seen[1]

    def _ask(self) -> Seen:
        try:
            app = self._github.ask("/app")[1]
            heard = self._heard()
            installed = self._github.ask("/app/installations?per_page=100")[1]
            working = [one for one in installed if not one.get("suspended_at")]
            found = list(islice(self._places(working, app["id"]), _MOST_REPOSITORIES + 1))
        except ForgeError as error:
            return Seen(problem=error.reason)
        return Seen(
            name=app["name"],
            page=app["html_url"],
            sent=links(self._web, app).deliveries,
            heard=heard,
            accounts=tuple((one.get("account") or {}).get("login", "") for one in working),
            places=tuple(found[:_MOST_REPOSITORIES]),
            more=len(found) > _MOST_REPOSITORIES or len(working) > _MOST_INSTALLATIONS,
        )

    def _heard(self) -> Heard | None:
        """Return the newest delivery that we took, or else the newest that went wrong.

        The ping is sent while the App is created, when nobody here knows the secret yet: it is
        asked for once more.
        """
        sent = self._github.ask("/app/hook/deliveries?per_page=30")[1]
        well = [one for one in sent if 200 <= one["status_code"] < 300]
        if sent and not well and not self._asked_again:
            self._asked_again = True
            ping = next((one for one in sent if one["event"] == "ping"), sent[0])
            self._github.ask(f"/app/hook/deliveries/{ping['id']}/attempts", "POST")
            _log.info("asked GitHub to send again what came too early", event_name=ping["event"])
        newest = next(iter(well or sent), None)
        if newest is None:
            return None
        return Heard(newest["event"], newest["status_code"], newest["status"])

    def _places(self, installations: list[Any], app: int) -> Iterator[Place]:
        for one in installations[:_MOST_INSTALLATIONS]:
            client = self._github.client(one["id"])
            for repository in client.pages("/installation/repositories", "repositories", most=1):
                yield _place(client, repository, app)


def _place(client: Client, repository: Any, app: int) -> Place:
    owner, name = repository["owner"]["login"], repository["name"]
    try:
        found = branch(client, owner, name, repository["default_branch"], CHECK)
    except ForgeError:
        required, from_anyone = None, False
    else:
        required, from_anyone = found.held_by(app), bool(found.required)
    return Place(
        repository["full_name"],
        repository["html_url"],
        repository["default_branch"],
        required,
        from_anyone and not required,
    )
