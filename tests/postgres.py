"""A PostgreSQL of the tests' own: `from tests.postgres import postgres, postgres_server`.

One private server a session, from the machine's binaries, on loopback, without fsync; an empty
database a test. Where there are no binaries the test is skipped, and fails in CI.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.ports import free_port

_MISSING = "there are no PostgreSQL server binaries on this machine: install the package postgresql"
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "300",
    "shared_buffers": "64MB",
}


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; the only role is its superuser."""

    port: int

    def url(self, name: str, port: int | None = None) -> str:
        """Return the address of a database; another `port` for a way round over a proxy."""
        return f"postgresql+psycopg://sockgate@127.0.0.1:{port or self.port}/{name}"

    def create(self) -> str:
        """Make an empty database and return its name."""
        name = f"test_{uuid4().hex[:12]}"
        self._say(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected."""
        self._say(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _say(self, statement: sql.Composed) -> None:
        where = f"host=127.0.0.1 port={self.port} user=sockgate dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement)


def binaries() -> Path | None:
    """Find the folder with `initdb` and `postgres`: on the PATH, else where Debian puts it."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((place for place in places if (place / "postgres").exists()), None)


def start(folder: Path) -> "tuple[PostgresServer, subprocess.Popen[bytes]]":
    """Start a server whose data lies in a folder. Raises LookupError where there is none."""
    found = binaries()
    if found is None:
        raise LookupError(_MISSING)
    folder.mkdir(parents=True, exist_ok=True)
    as_owner = _as_owner(folder)
    data, port = folder / "data", free_port()
    subprocess.run(
        [*as_owner, found / "initdb", "-D", data, "-U", "sockgate", "-A", "trust", "--no-sync"],
        check=True,
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    settings += ["-c", f"unix_socket_directories={folder}", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*as_owner, found / "postgres", "-D", data, *settings],
            stdout=log,
            stderr=log,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        )
    _answers(port, process, folder / "log")
    return PostgresServer(port), process


def _as_owner(folder: Path) -> list[str]:
    """Return what a command has to begin with: PostgreSQL refuses to be run by root."""
    if os.geteuid() != 0:
        return []
    user = next(name for name in ("postgres", "nobody") if _exists(name))
    shutil.chown(folder, user)
    group = str(pwd.getpwnam(user).pw_gid)
    # No process in between: what ends setpriv ends the server.
    return ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--"]


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def _answers(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    where = f"host=127.0.0.1 port={port} user=sockgate dbname=postgres connect_timeout=2"
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            psycopg.connect(where).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Run one private server for the whole session."""
    folder = Path(tempfile.mkdtemp(prefix="sockgate-postgres-"))
    try:
        server, process = start(folder)
    except LookupError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    try:
        yield server
    finally:
        process.send_signal(signal.SIGINT)  # "fast shutdown"
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres(postgres_server: PostgresServer) -> Iterator[str]:
    """Return the address of an empty database, removed after the test."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)
