"""Every request that came in, for tests that count them."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

RequestKind = Literal["rest", "graphql", "page"]


@dataclass(eq=False, slots=True)
class LoggedRequest:
    """One request; ``status`` is 0 until it is answered, and where the connection was cut."""

    method: str
    path: str
    query: str
    kind: RequestKind
    is_token_request: bool
    body: Any = None
    status: int = 0
    installation: int | None = None
    at: float = field(default_factory=time.monotonic)

    @property
    def writes(self) -> bool:
        """Whether it changes something: any method but GET, and GraphQL mutations."""
        if self.kind == "graphql":
            text = self.body.get("query", "") if isinstance(self.body, dict) else ""
            return str(text).lstrip().startswith("mutation")
        return self.method not in ("GET", "HEAD") and not self.is_token_request

    def __repr__(self) -> str:
        return f"<{self.method} {self.path} {self.status}>"


class RequestLog:
    """All requests in the order in which they came."""

    def __init__(self) -> None:
        self._entries: list[LoggedRequest] = []
        self._lock = threading.Lock()

    def add(self, entry: LoggedRequest) -> None:
        """Note one more."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> None:
        """Start counting anew."""
        with self._lock:
            self._entries.clear()

    def __iter__(self) -> Iterator[LoggedRequest]:
        with self._lock:
            return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def counted(
        self, which: Callable[[LoggedRequest], bool] = lambda _: True
    ) -> list[LoggedRequest]:
        """Return the requests that a budget counts: no token requests and no pages."""
        return [
            entry
            for entry in self
            if entry.kind != "page" and not entry.is_token_request and which(entry)
        ]

    def writes(self) -> list[LoggedRequest]:
        """Return the requests that change something."""
        return self.counted(lambda entry: entry.writes)

    def busiest(self, seconds: float, installation: int | None = None) -> int:
        """Return the most writes that came within so many seconds, of one installation or all."""
        times = self._times(installation)
        return max((sum(at <= one < at + seconds for one in times) for at in times), default=0)

    def closest(self, installation: int | None = None) -> float:
        """Return the shortest pause between two writes, in seconds."""
        times = self._times(installation)
        return min((b - a for a, b in itertools.pairwise(times)), default=float("inf"))

    def _times(self, installation: int | None) -> list[float]:
        return sorted(one.at for one in self.writes() if installation in (None, one.installation))
