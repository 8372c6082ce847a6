"""Whose turn it is to write to a file of SQLite: of all in this server one at a time, in order.

SQLite lets one connection write at a time. The others look again after pauses that grow to a tenth
of a second, and whoever happens to look is next (sqlite3.c, `sqliteDefaultBusyCallback`): beside a
dozen busy writers one waits far longer than they take together. Here they queue up, and what cannot
wait goes first. Between the processes of a server whoever is first in each waits for a lock of a
file beside, which the system hands on at once.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
import threading
import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Self

PATIENCE = 30.0  # seconds that a writer waits for its turn
# What begins a transaction, or may write without one.
_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|BEGIN|WITH)\b", re.IGNORECASE)


class Turns:
    """A queue for what only one may do at a time. Safe to share between threads.

    Processes that open the same file take turns, too.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._between: int | None = None
        if file is not None:
            self._between = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            weakref.finalize(self, os.close, self._between)
        self._lock = threading.Lock()
        self._is_taken = False
        self._first: deque[threading.Event] = deque()
        self._others: deque[threading.Event] = deque()

    def take(self, *, first: bool = False, patience: float = PATIENCE) -> bool:
        """Wait for a turn, `first` before all others; False where it did not come in time.

        Another process is waited for as long as it takes: its turn ends with it at the latest.
        """
        if not self._take_here(first=first, patience=patience):
            return False
        if self._between is not None:
            fcntl.flock(self._between, fcntl.LOCK_EX)
        return True

    def give(self) -> None:
        """Hand the turn to the next one in the queue."""
        if self._between is not None:
            fcntl.flock(self._between, fcntl.LOCK_UN)
        with self._lock:
            waiting = self._first or self._others
            if waiting:
                waiting.popleft().set()
            else:
                self._is_taken = False

    def _take_here(self, *, first: bool, patience: float) -> bool:
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
