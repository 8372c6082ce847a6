"""Evaluations a second on one PostgreSQL, with a GitHub that takes its time, by machines."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dbos import DBOSClient

from bot.database import beside
from bot.jobs import Job
from bot.pull import PullRef
from bot.stored import APPLICATION, options
from bot.wake import WakePull
from tests.load.processes import figure, process, ready, seconds_of, settings
from tests.ports import free_port
from tests.postgres import start

MOST = 60  # evaluations a second and machine that there are jobs for
WARM = 3.0  # seconds before it counts
DONE = 'sockgate_evaluations_total{outcome="done"}'
TOOK = "sockgate_evaluation_seconds"
ASKED = 'sockgate_github_requests_total{kind="%s",outcome="ok"}'


@dataclass(frozen=True, slots=True)
class Seen:
    """What was counted up to a moment, over all machines."""

    at: float
    done: float
    took: float  # seconds, of all evaluations together
    requests: float
    processor: float  # seconds, of the machines
    database: float  # seconds of the processor


def scaling(machines: Sequence[int], call: str, seconds: float) -> None:
    """Print evaluations a second for each number of machines."""
    sys.stdout.write(f"evaluations on PostgreSQL; GitHub takes {call} s a request\n")
    for number in machines:
        with tempfile.TemporaryDirectory(prefix="sockgate-load-") as folder:
            server, postgres = start(Path(folder))
            try:
                url = server.url(server.create())
                _one(url, postgres.pid, number, call, seconds, Path(folder))
            finally:
                postgres.send_signal(signal.SIGINT)
                postgres.wait(20)


def _one(url: str, postgres: int, number: int, call: str, seconds: float, folder: Path) -> None:
    api_port = free_port()
    ports = [free_port() for _ in range(number)]
    with ExitStack() as running:
        running.enter_context(process("tests.load.replay", str(api_port), call))
        ready(api_port, "/api/v3/app")
        pids = []
        for port in ports:
            given = settings(port, api_port, folder, DATABASE_URL=url)
            pids.append(running.enter_context(process("bot.cli", "serve", **given)).pid)
        for port in ports:
            ready(port)
        _fill(url, round(MOST * number * (seconds + WARM)))
        time.sleep(WARM)
        first = _look(ports, pids, postgres)
        time.sleep(seconds)
        last = _look(ports, pids, postgres)
    _say(number, first, last)


def _fill(url: str, number: int) -> None:
    """Put so many pull requests into the queue, each of an installation of its own."""
    engine = beside(url)
    client = DBOSClient(system_database_engine=engine, application_name=APPLICATION, lazy=True)
    with engine.begin() as connection:
        for one in range(1, number + 1):
            asked = Job(f"id-{one}", f"id-{one}", WakePull(PullRef(one, f"acme-{one}", "shop", 1)))
            client.enqueue_in_transaction(connection, options(asked), asked.document())
    engine.dispose()


def _look(ports: Sequence[int], pids: Sequence[int], postgres: int) -> Seen:
    return Seen(
        time.monotonic(),
        sum(figure(port, DONE) for port in ports),
        sum(figure(port, f"{TOOK}_sum") for port in ports),
        sum(figure(port, ASKED % kind) for port in ports for kind in ("rest", "graphql", "app")),
        sum(map(seconds_of, pids)),
        seconds_of(postgres),
    )


def _say(number: int, first: Seen, last: Seen) -> None:
    seconds = last.at - first.at
    done = last.done - first.done
    machine = (last.processor - first.processor) / seconds
    database = (last.database - first.database) / seconds
    sys.stdout.write(
        f"{number} machines: {done / seconds:6.1f} a second, "
        f"{(last.took - first.took) / max(done, 1):.2f} s and "
        f"{(last.requests - first.requests) / max(done, 1):.1f} requests each; "
        f"processors busy: {machine:.2f} with machines, {database:.2f} with PostgreSQL, "
        f"of {os.cpu_count()}; load {os.getloadavg()[0]:.1f}\n"
    )
    sys.stdout.flush()
