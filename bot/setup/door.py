"""Who may set up: this machine's own people, or whoever has the token from the log.

A reverse proxy on this machine makes everybody look local. So "local" asks for more than the
peer's address: the browser itself has to name this machine as the host, and nothing may have been
forwarded. That also keeps out other sites' scripts that point a name of their own at 127.0.0.1.
"""

import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from bot.setup.edition import is_loopback, origin_of, split
from bot.setup.manifest import Wish

COOKIE = "sockgate_setup"
STATE_SECONDS = 3600.0  # as long as GitHub's code is good
_MOST_VISITORS, _MOST_STATES = 50, 10
_FORWARDED = ("forwarded", "via", "cf-connecting-ip", "true-client-ip", "x-real-ip")


@dataclass(slots=True)
class Visitor:
    """One browser that may set up, and what it has sent to GitHub and not yet got back."""

    secret: str = field(repr=False)
    states: dict[str, tuple[float, Wish]] = field(default_factory=dict, repr=False)


class Door:
    """Keeps the token, the browsers that were let in, and the states they wait for."""

    def __init__(
        self,
        *,
        local: bool,
        visitors: Iterable[Visitor] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.token: str | None = secrets.token_urlsafe(32)
        self._local = local
        self._clock = clock
        self._visitors = list(visitors)
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether a browser on this machine needs no token."""
        return self._local

    def is_local(self, host: str, peer: str, headers: Mapping[str, str]) -> bool:
        """Say whether a request comes straight from this machine. Header names are lower case."""
        if not self._local or not is_loopback(peer):
            return False
        if any(name in _FORWARDED or name.startswith("x-forwarded") for name in headers):
            return False
        address = split(f"http://{host}")
        return address is not None and is_loopback(address.hostname or "")

    def visitors(self) -> tuple[Visitor, ...]:
        """Return the browsers that were let in."""
        with self._lock:
            return tuple(self._visitors)

    def known(self, cookie: str) -> Visitor | None:
        """Return the browser that a cookie belongs to."""
        with self._lock:
            for visitor in self._visitors:
                if hmac.compare_digest(visitor.secret.encode(), cookie.encode()):
                    return visitor
        return None

    def enter(self, token: str) -> Visitor | None:
        """Let a browser in that shows the token, which is used up by that."""
        with self._lock:
            if self.token is None or not hmac.compare_digest(self.token.encode(), token.encode()):
                return None
            self.token = None
            return self._new()

    def admit(self) -> Visitor:
        """Let a local browser in."""
        with self._lock:
            return self._new()

    def expect(self, visitor: Visitor, wish: Wish) -> str:
        """Return a state that only this browser can come back with, once."""
        state = secrets.token_urlsafe(32)
        with self._lock:
            visitor.states[state] = (self._clock() + STATE_SECONDS, wish)
            while len(visitor.states) > _MOST_STATES:
                del visitor.states[next(iter(visitor.states))]
        return state

    def returned(self, visitor: Visitor, state: str) -> Wish | None:
        """Return what a browser had asked for, if the state is its own, unused and not too old."""
        with self._lock:
            for known in visitor.states:
                if hmac.compare_digest(known.encode(), state.encode()):
                    until, wish = visitor.states.pop(known)
                    return wish if self._clock() <= until else None
        return None

    def _new(self) -> Visitor:
        visitor = Visitor(secrets.token_urlsafe(32))
        self._visitors.append(visitor)
        del self._visitors[:-_MOST_VISITORS]
        return visitor


def is_own(headers: Mapping[str, str]) -> bool:
    """Say whether a form was sent from our own page.

    Browsers say so themselves (W3C, "Fetch Metadata Request Headers"), which holds also behind a
    proxy that names another host; older ones name the origin, which has to be the host asked.
    """
    origin = origin_of(headers.get("origin", ""))
    if origin is None:
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return origin.partition("://")[2] == headers.get("host", "").lower()
