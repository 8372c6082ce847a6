"""Whose turn it is to write to a file of SQLite: of all in this process one at a time, in order.

SQLite lets one connection write at a time. The others look again after pauses that grow to a tenth
of a second, and whoever happens to look is next (sqlite3.c, `sqliteDefaultBusyCallback`): beside a
dozen busy writers one waits far longer than they take together. Here they queue up, and what cannot
wait goes first.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self

PATIENCE = 30.0  # seconds that a writer waits for its turn
# What begins a transaction, or may write without one.
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|BEGIN|WITH)\b", re.IGNORECASE)


class Turns:
    """A queue for what only one may do at a time. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_taken = False
        self._first: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()

    def take(self, *, first: bool = False, patience: float = PATIENCE) -> bool:
        """Wait for a turn, `first` before all others; False where it did not come in time."""
        mine = threading.Event()
        waiting = self._first if first else self._others
        with self._lock:
            if not self._is_taken:
                self._is_taken = True
                return True
            waiting.append(mine)
        if mine.wait(patience):
            return True
        with self._lock:
            if not mine.is_set():
                waiting.remove(mine)
            return mine.is_set()

    def give(self) -> None:
        """Hand the turn to the next one in the queue."""
        with self._lock:
            waiting = self._first or self._others
            if waiting:
                waiting.popleft().set()
            else:
                self._is_taken = False


def in_turn(turns: Turns, *, first: bool = False) -> type[sqlite3.Connection]:
    """Return the class of connections that write in turns: `sqlite3.connect(factory=…)`.

    A turn lasts as long as a transaction. Who waited too long is told what SQLite says then.
    """

    class Cursor(sqlite3.Cursor):
        connection: Connection

        def execute(self, sql: str, parameters: Any = (), /) -> Self:
            self.connection.begin(sql)
            try:
                return super().execute(sql, parameters)
            finally:
                self.connection.end()

        def executemany(self, sql: str, parameters: Iterable[Any], /) -> Self:
            self.connection.begin(sql)
            try:
                return super().executemany(sql, parameters)
            finally:
                self.connection.end()

    class Connection(sqlite3.Connection):
        _has_turn = False

        def cursor(self, factory: Any = Cursor) -> Any:
            return super().cursor(factory)

        def begin(self, sql: str) -> None:
            if not self._has_turn and _WRITES.match(sql):
                if not turns.take(first=first):
                    raise sqlite3.OperationalError("database is locked")
                self._has_turn = True

        def end(self, *, closed: bool = False) -> None:
            if self._has_turn and (closed or not self.in_transaction):
                self._has_turn = False
                turns.give()

        def commit(self) -> None:
            try:
                super().commit()
            finally:
                self.end()

        def rollback(self) -> None:
            try:
                super().rollback()
            finally:
                self.end()

        def close(self) -> None:
            try:
                super().close()
            finally:
                self.end(closed=True)

    return Connection
