"""The small GitHub's time: the machine's, plus what a scenario chose to let pass.

GitHub's timestamps have whole seconds; two things done in one second carry the same one. A scenario
in which order matters calls ``advance`` between them.
"""

import datetime as dt
import time


class Clock:
    """Real time that a scenario can move forward; it never goes back."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def time(self) -> float:
        """Seconds since the epoch, as the small GitHub sees them."""
        return time.time() + self._ahead

    def advance(self, seconds: float) -> None:
        """Let time pass at once."""
        if seconds < 0:
            raise ValueError("time does not go back")
        self._ahead += seconds

    def now(self) -> dt.datetime:
        """Tell the moment, in whole seconds, as GitHub stamps things."""
        return dt.datetime.fromtimestamp(int(self.time()), tz=dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """Write a moment the way GitHub does: ``2026-01-31T12:00:00Z``."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(moment: dt.datetime | None) -> str | None:
    """Write a moment that may not have come."""
    return None if moment is None else stamp(moment)


def parse(text: str) -> dt.datetime:
    """Read an ISO 8601 moment as requests carry it."""
    return dt.datetime.fromisoformat(text)
