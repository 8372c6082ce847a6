"""How many jobs of one installation run at once on a machine, so that none is in another's way.

An installation may have as many places as are free beside its own: alone it gets half of them, and
some are always left for one that comes later. One whose rate limit is used up gets none.
"""

import time
from dataclasses import dataclass
from threading import Lock

_SHORTEST, _LONGEST = 0.2, 20.0  # seconds that a job is reckoned to take
_WEIGHT = 0.3  # of the newest job in that reckoning


@dataclass(frozen=True, slots=True)
class Pause:
    """How long the first job waits, and how much longer each one after it, in seconds.

    `is_limited`: GitHub takes nothing of this installation until then.
    """

    first: float
    each: float
    is_limited: bool = False


@dataclass(slots=True)
class _Place:
    running: int = 0
    usual: float = 1.0  # seconds of a job
    limited_until: float = 0.0


class Room:
    """The places of all installations. Safe to share between threads."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._places: dict[int, _Place] = {}
        self._lock = Lock()

    def enter(self, installation: int) -> Pause | None:
        """Take a place, or say how long to wait for one."""
        with self._lock:
            place = self._places.setdefault(installation, _Place())
            left = place.limited_until - time.monotonic()
            each = place.usual / max(1, place.running)
            if left > 0:
                return Pause(left, each, is_limited=True)
            if place.running >= self._free:
                return Pause(place.usual, each)
            self._free -= 1
            place.running += 1
            return None

    def leave(self, installation: int, seconds: float) -> None:
        """Give the place back after so many seconds."""
        with self._lock:
            place = self._places[installation]
            place.running -= 1
            self._free += 1
            took = min(max(seconds, _SHORTEST), _LONGEST)
            place.usual += _WEIGHT * (took - place.usual)

    def limit(self, installation: int, seconds: float) -> None:
        """Let none of them start for so long: GitHub said so."""
        with self._lock:
            place = self._places.setdefault(installation, _Place())
            place.limited_until = max(place.limited_until, time.monotonic() + seconds)
