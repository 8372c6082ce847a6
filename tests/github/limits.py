"""Limits that a scenario may lower, and the primary rate limit."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .auth import Token
from .model.apps import App
from .model.base import Refused

if TYPE_CHECKING:
    from .hub import SmallGitHub

HOUR = 3600


@dataclass(slots=True)
class Limits:
    """GitHub's documented limits (docs.github.com, "Repository limits" and "Get a tree")."""

    patch_lines: int = 20_000
    patch_bytes: int = 500 * 1024
    answer_lines: int = 20_000
    tree_entries: int = 100_000
    blob_text: int = 512 * 1024
    requests: int = 5_000
    points: int = 5_000
    nodes: int = 500_000
    # What resolving a thread takes: seen to be Contents: write (community discussion 204269).
    resolving_needs: str = "contents:write"


class Rates:
    """What each caller used of its hour, for REST ("core") and GraphQL apart."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub
        self._used: dict[tuple[object, str], int] = {}
        self._since: dict[tuple[object, str], float] = {}
        self._lock = threading.Lock()

    def _key(self, caller: Token | App | None, kind: str) -> tuple[object, str]:
        if isinstance(caller, Token):
            return (caller.installation or caller.account, kind)
        return (caller, kind)

    def _limit(self, kind: str) -> int:
        return self.hub.limits.points if kind == "graphql" else self.hub.limits.requests

    def left(self, caller: Token | App | None, kind: str) -> dict[str, int]:
        """Tell what is left, as ``/rate_limit`` lists it."""
        key, limit, now = self._key(caller, kind), self._limit(kind), self.hub.clock.time()
        with self._lock:
            if now >= self._since.get(key, 0) + HOUR:
                self._since[key], self._used[key] = now, 0
            used = min(self._used[key], limit)
            reset = int(self._since[key]) + HOUR
        return {"limit": limit, "used": used, "remaining": limit - used, "reset": reset}

    def spend(self, caller: Token | App, kind: str, cost: int = 1) -> None:
        """Count a request, or refuse it once the hour's are used up."""
        if self.left(caller, kind)["remaining"] < cost:
            who = "user ID"
            number = 0
            if isinstance(caller, Token):
                who = "installation ID" if caller.installation else "user ID"
                number = (caller.installation or caller.account).id
            raise Refused(403, f"API rate limit exceeded for {who} {number}.")
        with self._lock:
            self._used[self._key(caller, kind)] += cost

    def headers(self, caller: Token | App | None, kind: str) -> dict[str, str]:
        """Write the ``x-ratelimit-…`` headers."""
        left = self.left(caller, kind)
        named = {f"x-ratelimit-{name}": str(number) for name, number in left.items()}
        return named | {"x-ratelimit-resource": kind}

    def exhaust(self, caller: object, kind: str = "core") -> None:
        """Use up the hour of an installation, a user or an App."""
        with self._lock:
            self._since.setdefault((caller, kind), self.hub.clock.time())
            self._used[caller, kind] = self._limit(kind)
