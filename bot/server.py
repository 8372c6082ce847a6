"""The server: read the settings, open what it needs, and keep its processes until told to stop.

Exit codes: 0 stopped as asked, 2 could not start (a sentence on standard error says why).
"""

import errno
import socket
import sys
import time
from collections.abc import Mapping
from functools import partial

import structlog

from bot import logs, settings
from bot.backend import Connect, connect
from bot.database import Database, DatabaseError
from bot.line import line
from bot.processes import Processes, apart, settle_memory
from bot.queue import prepare
from bot.records.upgrade import NewerError
from bot.settings import Problems, Settings, Unset
from bot.setup.door import Door
from bot.setup.run import set_up
from bot.web_process import answer
from bot.worker_process import FINISHED, work

STOPPED, NOT_STARTED = 0, 2
# A stop takes 10 s at most: past this nothing is waited for, as where the database hangs.
STOP_SECONDS = 9.5
_PORT_SECONDS = 2.0  # that the processes of a server just killed may take to end

_log = structlog.stdlib.get_logger("sockgate.server")


def main(environment: Mapping[str, str]) -> int:
    """Read the settings and serve until told to stop."""
    found = settings.read(environment)
    if isinstance(found, Problems) and found.unset:
        return _set_up(found.unset, environment)
    if isinstance(found, Problems):
        return _refuse_all(found)
    return run(found, connect)


def _set_up(unset: Unset, environment: Mapping[str, str]) -> int:
    """Serve the set-up pages, then, on the same socket, with what was set up."""
    logs.configure(unset.log_level)
    try:
        listening = _listen(unset.host, unset.port)
    except OSError as error:
        return _refuse(f"Cannot listen on {unset.host}, port {unset.port}: {error.strerror}.")
    with listening:
        visitors = apart(partial(set_up, unset, listening))
        if visitors is None:
            return STOPPED
        found = settings.read(environment)
        if isinstance(found, Problems):
            return _refuse_all(found)
        return run(found, connect, listening.dup(), Door(local=False, visitors=visitors))


def run(
    given: Settings,
    connect: Connect,
    listening: socket.socket | None = None,
    visitors: Door | None = None,
) -> int:
    """Serve with this GitHub until told to stop.

    A set-up that went before hands over its socket, and who may see how it goes on.
    """
    logs.configure(given.log_level, given.secrets)
    try:
        door = listening or _listen(given.host, given.port)
    except OSError as error:
        return _refuse(f"Cannot listen on {given.host}, port {given.port}: {error.strerror}.")
    with door:
        try:
            database = Database(given.database_url)
        except DatabaseError as error:
            return _refuse(str(error))
        try:
            prepare(database)
            database.rest()
            return _serve(given, door, connect, visitors)
        except NewerError as error:
            return _refuse(str(error))
        finally:
            database.close()


def _serve(given: Settings, door: socket.socket, connect: Connect, visitors: Door | None) -> int:
    asking, answering = line()
    with asking, answering:
        settle_memory()
        processes = Processes(
            {
                "worker": partial(work, given, connect, answering),
                "web": partial(answer, given, door, visitors, asking),
            }
        )
        codes = processes.run(STOP_SECONDS)
    if codes.get("worker") == FINISHED and "web" in codes:
        _log.info("stopped")
    else:
        _log.warning("stopped with jobs unfinished")
    return STOPPED


def _listen(host: str, port: int) -> socket.socket:
    """Listen; asyncio sends answers at once only where a socket names its protocol.

    Otherwise each answer on a kept connection waits 40 ms for the other side (Nagle's algorithm).
    """
    end = time.monotonic() + _PORT_SECONDS
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    while True:
        try:
            made = socket.create_server((host, port), family=family)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return socket.socket(made.family, made.type, socket.IPPROTO_TCP, made.detach())


def _refuse_all(problems: Problems) -> int:
    for sentence in problems.sentences:
        _refuse(sentence)
    return NOT_STARTED


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"sockgate: {sentence}\n")
    return NOT_STARTED
