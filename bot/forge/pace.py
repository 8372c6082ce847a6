"""What the requests of one installation share: its token, and how fast they follow each other."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

_RENEWED = timedelta(minutes=5)  # a token that ends sooner is not used for another job


class Permit(Protocol):
    """Asked before each request of a job. Raises ForgeError where it may not be sent any more."""

    def sharers(self) -> int:
        """Return with how many machines the installation's pace is shared."""

    def writing(self) -> AbstractContextManager[None]:
        """Have a write under way."""


class _Free:
    """Of whoever is no job."""

    def sharers(self) -> int:
        return 1

    def writing(self) -> AbstractContextManager[None]:
        return nullcontext()


_FREE: Permit = _Free()
permit: ContextVar[Permit] = ContextVar("permit", default=_FREE)  # of the job in this context


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests of one installation may follow each other, in seconds.

    GitHub Docs, "Best practices for using the REST API". `lands`: after so long a write is done or
    never will be, whatever was answered: what takes GitHub more than ten seconds, it ends by itself
    (GitHub Docs, "Troubleshooting the REST API").
    """

    requests: float = 0.05
    writes: float = 1.0
    lands: float = 10.0


@dataclass(frozen=True, slots=True)
class Token:
    """What an installation's requests are signed with, and until when."""

    text: str = field(repr=False)
    expires_at: datetime


class Installation:
    """What the clients of one installation share, whatever thread they are in."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._known: Token | None = None
        self._asking = Lock()
        self._lock = Lock()
        self._next = {False: 0.0, True: 0.0}  # by whether it writes

    def token(self, ask: Callable[[], Token]) -> str:
        """Return a token that lasts for a job."""
        with self._asking:
            if self._known is None or self._known.expires_at - datetime.now(UTC) < _RENEWED:
                self._known = ask()
            return self._known.text

    def drop(self, token: str) -> None:
        """Forget a token that GitHub does not take any more."""
        with self._asking:
            if self._known is not None and self._known.text == token:
                self._known = None

    def wait(self, *, writes: bool) -> None:
        """Wait for this request's turn. Raises ForgeError where it may not be sent any more."""
        machines = permit.get().sharers()
        gap = self._pace.writes * machines if writes else self._pace.requests
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next[writes])
            self._next[writes] = turn + gap
        if turn > now:
            time.sleep(turn - now)
            permit.get().sharers()

    def land(self, sent: float) -> None:
        """Wait until a write sent at that time can land no more: whoever looks then sees it."""
        time.sleep(max(0.0, sent + self._pace.lands - time.monotonic()))
