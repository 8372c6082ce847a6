"""What is on our own side: stored credentials, clock, database."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import time

import requests
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.database import SCHEMA
from bot.doctor.report import REACH, Line, fail, lost, ok, warn
from bot.records.reading import UnreadableError, reader
from bot.records.upgrade import NEWEST, VERSION_TABLE
from bot.settings import Settings
from bot.setup import store

_SECONDS = 10
# GitHub takes a token whose `iat` lies up to a minute ahead of its own clock; PyGithub writes it
# a minute early for that reason.
_CLOSE, _TOO_FAR = 10, 60
_DEAD = ("ERROR", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
_LARGE = 10 * 1024**3


def credentials(given: Settings) -> Iterator[Line]:
    """Look at where the credentials come from."""
    file = given.data_dir / store.NAME
    if not file.exists():
        yield ok("settings", f"App {given.app_id}, from the environment")
    elif store.is_private(given.data_dir):
        yield ok("settings", f"App {given.app_id}; {file} is readable by its owner only")
    else:
        yield fail("settings", f"{file} can be read by others", f"chmod 600 {file}")


def clock(api_url: str) -> Line:
    """Compare our clock with GitHub's, to the second that HTTP gives."""
    about = "clock"
    try:
        with requests.get(
            f"{api_url}/meta", timeout=_SECONDS, allow_redirects=False, stream=True
        ) as answer:
            theirs = parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (requests.RequestException, KeyError, ValueError) as error:
        says = f"{api_url} could not be asked for the time ({type(error).__name__})"
        return lost(about, says, REACH)
    ahead = round(time() - theirs)
    says = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} GitHub's"
    mend = "let this machine set its clock from the network (NTP)"
    if abs(ahead) > _TOO_FAR:
        return fail(about, f"{says}: GitHub refuses our tokens", mend)
    if abs(ahead) > _CLOSE:
        return warn(about, says, mend)
    return ok(about, "right")


def database(url: str) -> Iterator[Line]:
    """Look into the database, beside a server that may be running."""
    about = "database"
    try:
        engine = reader(url)
    except UnreadableError as error:
        yield lost(about, str(error), "start the server once: it creates the tables")
        return
    try:
        with engine.connect() as connection:
            yield _version(connection)
            yield _size(url, connection)
            yield _dead(connection)
    except SQLAlchemyError as error:
        says = f"could not be read: {type(error).__name__}"
        yield lost(about, says, "look at DATABASE_URL, and into the database's own log")
    finally:
        engine.dispose()


def _version(connection: sa.Connection) -> Line:
    query = sa.text(f"SELECT version_num FROM {VERSION_TABLE}")  # noqa: S608 - a name of ours
    found = str(connection.execute(query).scalar_one_or_none())
    if found == NEWEST:
        return ok("database", f"tables of version {found}")
    if found < NEWEST:
        return warn("database", f"tables of version {found}", "start this version of the server")
    return fail("database", f"tables of the newer version {found}", "run that version of sockgate")


def _size(url: str, connection: sa.Connection) -> Line:
    if connection.dialect.name == "sqlite":
        file = Path(sa.make_url(url).database or "")
        size = sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.exists())
    else:
        query = sa.text("SELECT pg_database_size(current_database())")
        size = int(connection.execute(query).scalar_one())
    says = f"{size / 1024**2:.1f} MiB"
    if size > _LARGE:
        return warn("database", says, "look at what fills it; finished jobs go by themselves")
    return ok("database", says)


def _dead(connection: sa.Connection) -> Line:
    schema = "" if connection.dialect.name == "sqlite" else f"{SCHEMA}."
    states = ", ".join(f"'{state}'" for state in _DEAD)
    query = sa.text(
        f"SELECT count(*) FROM {schema}workflow_status WHERE status IN ({states})"  # noqa: S608
    )
    dead = int(connection.execute(query).scalar_one())
    if dead:
        return warn(
            "jobs",
            f"{dead} were given up",
            "sockgate jobs --dead says why; then sockgate jobs retry --all",
        )
    return ok("jobs", "none was given up")
