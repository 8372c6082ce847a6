"""The process that does the jobs, and says how it is getting on."""

import logging
import os
import signal
import socket
import threading
import time
from dataclasses import dataclass

import structlog

from bot import traces
from bot.backend import Backend, Connect
from bot.database import Database
from bot.detect.format import formats
from bot.forge.error import ForgeError
from bot.line import Answering
from bot.metrics import Metrics
from bot.processes import keep_loaded
from bot.queue import Queue
from bot.records.store import Records
from bot.review.advice import known_tool
from bot.settings import Settings

FINISHED, UNFINISHED = 0, 3  # exit codes: whether what was under way at the end was finished
JOB_SECONDS = 7.0  # that jobs under way get to finish
TRACE_SECONDS = 1.0
ARRIVE_SECONDS = 60.0  # between two tries to ask GitHub who we are
# GitHub waits for the answer to a delivery, nobody for the last millisecond of an evaluation. That
# is between our own processes: in a container or a unit, others have their share by its weight.
NICENESS = 10

# What the other process may ask.
READY, LOGIN, EVALUATED, METRICS = "ready", "login", "evaluated", "metrics"

_log = structlog.stdlib.get_logger("sockgate.server")


def work(given: Settings, connect: Connect, line: socket.socket) -> int:
    """Do jobs until told to stop; return FINISHED or UNFINISHED. Raises DatabaseError."""
    stop = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda _signal, _frame: stop.set())
    os.nice(NICENESS)
    traces.start(os.environ)
    formats()  # now, not while the first job waits for it
    known_tool("")  # likewise
    metrics = Metrics()
    database = Database(given.database_url, locked=False)
    backend = connect(given, metrics, Records(database.engine))
    queue = Queue(database, backend.work, metrics, keep=given.keep_days * 86_400.0)
    own = _Own()
    Answering(
        line,
        {
            READY: lambda: b"yes" if queue.is_ready() else b"",
            LOGIN: own.said,
            EVALUATED: lambda: b"%d" % metrics.evaluated(),
            METRICS: metrics.text,
        },
    ).start()
    queue.start()
    threading.Thread(target=_arrive, args=(backend, queue, own), daemon=True).start()
    keep_loaded()
    stop.wait()
    whole = queue.stop(JOB_SECONDS)
    traces.stop(TRACE_SECONDS)
    if not whole:
        # Threads would hold the process; their jobs are in the database, for others.
        logging.shutdown()
        os._exit(UNFINISHED)
    database.close()
    return FINISHED


@dataclass(slots=True)
class _Own:
    login: str = ""  # our App's, once GitHub said it

    def said(self) -> bytes:
        return self.login.encode()


def _arrive(backend: Backend, queue: Queue, own: _Own) -> None:
    """Ask GitHub who we are and what was missed; jobs are done meanwhile."""
    while True:
        try:
            own.login = backend.login()
            _log.info("connected", login=own.login)
            backend.sweep(queue)
        except ForgeError as error:
            _log.error("GitHub could not be asked who we are", reason=error.reason)
            if error.retry:
                time.sleep(error.after or ARRIVE_SECONDS)
                continue
        return
