"""How much one file may ask for, and that what lies beyond it is not passed over in silence.

Aliases, `extends`, templates and loops let a few lines stand for more than could ever be followed.
So whatever follows them counts here, and `engine.detect` turns what was left out into an Unknown.
Counting belongs to the evaluation of one file: it starts and ends with it, and where none is under
way nothing is counted. A unit is about a microsecond's work.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

MOST = 7_000_000  # units for one file
ALIASED = 10  # units for a value that is reached through an alias
GRANT = 40  # units for a grant
_SCRIPT, _WORD = 100, 30  # units for a script, and for each word's or command's work in it
_AGAIN = 50  # units for a script that the file has said before
_MOST_KNOWN = 10_000  # scripts

_Item = TypeVar("_Item")


class ExceededError(Exception):
    """The file asks for more than is followed. Only `engine.detect` handles it."""


class Effort:
    """What the evaluation of one file may still cost, and whether something was left out."""

    __slots__ = ("known", "left", "skipped")

    def __init__(self, most: int = MOST) -> None:
        self.left = most
        self.skipped = False
        self.known: dict[Hashable, Any] = {}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what is done meanwhile."""
        token = _effort.set(self)
        try:
            yield
        finally:
            _effort.reset(token)


_effort: ContextVar[Effort | None] = ContextVar("effort", default=None)


def spend(units: int) -> None:
    """Count work. Raises ExceededError where a file asks for more than is followed."""
    effort = _effort.get()
    if effort is not None:
        effort.left -= units
        if effort.left < 0:
            effort.skipped = True
            raise ExceededError


def spend_script(length: int, work: int) -> None:
    """Count a script of `length` characters and the work in it. Raises ExceededError."""
    spend(_SCRIPT + length // 2 + _WORD * work)


def once(key: Hashable, made: Callable[[], _Item]) -> _Item:
    """Return what `made` returns; for the same key in the same file without making it again."""
    effort = _effort.get()
    if effort is None:
        return made()
    if key in effort.known:
        spend(_AGAIN)
        found: _Item = effort.known[key]
        return found
    found = made()
    if len(effort.known) < _MOST_KNOWN:
        effort.known[key] = found
    return found


def skip() -> None:
    """Take note that something was left out."""
    effort = _effort.get()
    if effort is not None:
        effort.skipped = True


def first(items: Iterable[_Item], most: int) -> Iterator[_Item]:
    """Yield the first `most` items, and take note where there are more."""
    for count, item in enumerate(items):
        if count >= most:
            skip()
            return
        yield item
