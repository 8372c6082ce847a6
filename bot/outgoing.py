"""Writes that are under way at GitHub: what was sent may land after whoever sent it is gone.

A machine that hands its jobs over waits for them first. Otherwise the next one would look at a pull
request before a comment lands on it, and post that comment a second time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from bot.forge.error import ForgeError


class Outgoing:
    """The writes of one machine. Safe to share between threads."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._under_way = 0
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[None]:
        """Have one write under way. Raises ForgeError where no more are to be sent."""
        with self._changed:
            if self._closed:
                raise ForgeError("stopping: nothing more is sent", retry=True)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def close(self, seconds: float) -> bool:
        """Let none begin any more; return whether those under way ended within so many seconds."""
        with self._changed:
            self._closed = True
            return self._changed.wait_for(lambda: not self._under_way, seconds)
