"""Where jobs are stored: SQLite in a file of its own, or PostgreSQL.

SQLite: with the write-ahead log and `synchronous=FULL` a commit is on the disk when it returns
(sqlite.org/pragma.html#pragma_synchronous), so what was accepted survives a loss of power.
"""

import fcntl
import sqlite3
import time
from pathlib import Path
from typing import Any, TextIO

import sqlalchemy as sa
from dbos._migration import get_migration_versions, get_sqlite_migration_versions
from sqlalchemy.exc import SQLAlchemyError

from bot.turns import Turns, in_turn

SCHEMA = "dbos"  # of the job tables, where the database has schemas
# cache_size: kilobytes of pages that each connection keeps; the system keeps the file for all.
_PRAGMAS = (
    "busy_timeout=30000",
    "cache_size=-512",
    "foreign_keys=ON",
    "journal_mode=WAL",
    "synchronous=FULL",
)
_CONNECTIONS = 20
_LOCK_SECONDS = 5.0  # that the processes of a server just killed may take to end
# A machine that hangs in the middle of a transaction loses its locks.
_SESSION = "SET idle_in_transaction_session_timeout = 60000"


# A database that does not answer any more, as behind a cut line, is noticed within 15 s.
_CONNECT = {
    "connect_timeout": 10,
    "keepalives_idle": 5,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class DatabaseError(Exception):
    """Why the database cannot be used, in one sentence."""


class Database:
    """One open database. Two servers never share a file of SQLite.

    `inbox` is the engine of who stores deliveries: GitHub waits for that, so it goes first.
    The processes of one server each open it, `locked` only in the one that started the others.
    Raises DatabaseError.
    """

    def __init__(self, url: str, *, locked: bool = True) -> None:
        self._lock: TextIO | None = None
        self.url = url
        parsed = sa.make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        try:
            if self.is_sqlite:
                file = Path(parsed.database or "")
                self._lock = _only_one(file) if locked else None
                turns = Turns(file.with_name(file.name + ".turn"))
                self.engine = _of_file(url, in_turn(turns), _CONNECTIONS)
                self.inbox = _of_file(url, in_turn(turns, first=True), 1)
            else:
                self.engine = sa.create_engine(
                    url,
                    pool_size=_CONNECTIONS,
                    pool_pre_ping=True,
                    connect_args=_CONNECT,
                )
                sa.event.listen(self.engine, "connect", _prepare_session)
                self.inbox = self.engine
            self._not_newer()
        except (OSError, SQLAlchemyError) as error:
            self.close()
            cause = getattr(error, "orig", None) or error
            printable = parsed.render_as_string(hide_password=True)
            raise DatabaseError(
                f"The database {printable} cannot be used: {' '.join(str(cause).split())}."
            ) from error

    def rest(self) -> None:
        """Close all connections, and keep the file from other servers."""
        for engine in (getattr(self, name, None) for name in ("inbox", "engine")):
            if engine is not None:
                engine.dispose()

    def close(self) -> None:
        """Close all connections and let another server have the file."""
        self.rest()
        if self._lock:
            self._lock.close()

    def private(self) -> sa.Engine:
        """Return an engine with a connection of its own, whatever the others are busy with."""
        engine = sa.create_engine(self.url, pool_size=1, max_overflow=0, connect_args=_CONNECT)
        sa.event.listen(engine, "connect", _prepare_session)
        return engine

    def _not_newer(self) -> None:
        """Refuse what a newer version wrote: nobody knows what it meant."""
        found, known = (
            get_sqlite_migration_versions(self.engine)
            if self.is_sqlite
            else get_migration_versions(self.engine, SCHEMA, use_listen_notify=True)
        )
        if found > known:
            self.close()
            raise DatabaseError(
                f"The database was written by a newer version of sockgate "
                f"(its form is {found}, this one knows {known}): start that version."
            )


def beside(url: str) -> sa.Engine:
    """Return an engine for a database that a server may be using. Raises DatabaseError."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, connect_args=_CONNECT)
        sa.event.listen(engine, "connect", _prepare_session)
    elif Path(parsed.database or "").is_file():
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _prepare_file)
    else:
        raise DatabaseError(f"There is no database {parsed.database}.")
    schema = None if parsed.get_backend_name() == "sqlite" else SCHEMA
    try:
        if sa.inspect(engine).has_table("workflow_status", schema=schema):
            return engine
    except SQLAlchemyError as error:
        engine.dispose()
        printable = parsed.render_as_string(hide_password=True)
        cause = " ".join(str(getattr(error, "orig", None) or error).split())
        raise DatabaseError(f"The database {printable} cannot be used: {cause}.") from error
    engine.dispose()
    raise DatabaseError("No server has used this database yet.")


def _only_one(file: Path) -> TextIO:
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = file.with_name(file.name + ".lock").open("a")
    end = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                lock.close()
                raise DatabaseError(f"The database {file} is in use by another server.") from None
            time.sleep(0.05)
        else:
            return lock


def _of_file(url: str, factory: type[sqlite3.Connection], connections: int) -> sa.Engine:
    # The connection used last is used next: each keeps pages and statements of its own.
    engine = sa.create_engine(
        url, pool_size=connections, pool_use_lifo=True, connect_args={"factory": factory}
    )
    sa.event.listen(engine, "connect", _prepare_file)
    return engine


def _prepare_file(connection: Any, _record: object) -> None:
    # Writers queue up at BEGIN instead of failing when a reader turns into one.
    connection.isolation_level = "IMMEDIATE"
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _prepare_session(connection: Any, _record: object) -> None:
    connection.execute(_SESSION)
    connection.commit()  # the pool rolls back what is not
