"""Who is signed in, and which repositories GitHub let them see when they signed in.

The database holds a digest of what the cookie holds, and no token of GitHub's. A session ends
after an hour, so what somebody may see is never older than that.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import sqlalchemy as sa

from bot.records.tables import session_repositories, sessions, stamp

LIFETIME = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in."""

    id: str  # digest of what its cookie holds
    login: str


def open_session(engine: sa.Engine, login: str, seen: Iterable[int], now: datetime) -> str:
    """Keep a new session; return what its cookie is to hold. Sessions that are over are removed."""
    secret = secrets.token_urlsafe(32)
    number = _digest(secret)
    rows = [{"session": number, "repository": one} for one in sorted(set(seen))]
    with engine.begin() as connection:
        over = list(
            connection.execute(sa.select(sessions.c.id).where(sessions.c.until <= stamp(now)))
        )
        for row in over:
            _remove(connection, row.id)
        until = stamp(now + LIFETIME)
        connection.execute(sa.insert(sessions).values(id=number, login=login, until=until))
        if rows:
            connection.execute(sa.insert(session_repositories), rows)
    return secret


def find_session(engine: sa.Engine, secret: str, now: datetime) -> Session | None:
    """Return the session that a cookie stands for, None where there is none or it is over."""
    if not secret:
        return None
    query = sa.select(sessions.c.id, sessions.c.login).where(
        sessions.c.id == _digest(secret), sessions.c.until > stamp(now)
    )
    with engine.connect() as connection:
        row = connection.execute(query).first()
    return Session(row.id, row.login) if row else None


def close_session(engine: sa.Engine, secret: str) -> None:
    """Forget a session."""
    with engine.begin() as connection:
        _remove(connection, _digest(secret))


def _remove(connection: sa.Connection, number: str) -> None:
    connection.execute(
        sa.delete(session_repositories).where(session_repositories.c.session == number)
    )
    connection.execute(sa.delete(sessions).where(sessions.c.id == number))


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
