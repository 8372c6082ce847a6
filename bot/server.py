"""The server: open what it needs, listen, and close it all in order.

Exit codes: 0 stopped as asked, 2 could not start (a sentence on standard error says why).
"""

import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import FrameType
from typing import assert_never

import structlog
import uvicorn
from starlette.routing import BaseRoute, Route

from bot import logs, settings, traces
from bot.database import Database, DatabaseError
from bot.detect.format import formats
from bot.evaluate import Done, Gone, Moved, evaluate
from bot.expand import expand, groups, scans
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.group import GroupDone, GroupGone, evaluate_group
from bot.jobs import Job
from bot.keeper import Task
from bot.memory import Memory
from bot.metrics import Metrics
from bot.missed import redeliver
from bot.pull import PullRef
from bot.queue import Queue
from bot.records.register import Register
from bot.records.store import Records
from bot.records.upgrade import NewerError, upgrade
from bot.review.advice import known_tool
from bot.scan import scan
from bot.settings import Problems, Settings, Unset
from bot.setup.after import After
from bot.setup.door import Door
from bot.setup.run import set_up
from bot.setup.watch import Watch
from bot.sweep import sweep
from bot.wake import WakeGroup, WakeLeave, WakePull, WakeScan
from bot.web import Site
from bot.work import Outcome, Work

STOPPED, NOT_STARTED = 0, 2

# A stop takes 10 s at most: /readyz says so, then the doors close, then what runs is finished.
READY_SECONDS, REQUEST_SECONDS, JOB_SECONDS = 1.0, 3, 4.0
TRACE_SECONDS = 1.0
STOP_SECONDS = 9.5  # past this nothing is waited for any more, as where the database hangs
MISSED_SECONDS, SWEEP_SECONDS = 300.0, 3600.0  # between two looks for what was missed
STORE_SECONDS = 10.0
# Whoever answers deliveries waits for evaluations that compute, at each step for one such turn of
# each: at Python's 5 ms and sixteen evaluations that adds up to what GitHub would notice.
TURN_SECONDS = 0.0005
ARRIVE_SECONDS = 60.0  # between two tries to ask GitHub who we are

_log = structlog.stdlib.get_logger("sockgate.server")


@dataclass(frozen=True, slots=True)
class Backend:
    """GitHub as the server needs it, injected."""

    work: Work
    login: Callable[[], str]  # of our App, `slug[bot]`; asks GitHub
    # What it looks for by itself, from the start on; the queue removes what is old.
    sweep: Callable[[Queue], None] = lambda queue: queue.tend(())


Connect = Callable[[Settings, Metrics, Records], Backend]


def main(environment: Mapping[str, str]) -> int:
    """Read the settings and serve until told to stop."""
    found = settings.read(environment)
    if isinstance(found, Problems) and found.unset:
        return _set_up(found.unset, environment)
    if isinstance(found, Problems):
        return _refuse_all(found)
    return serve(found)


def serve(given: Settings) -> int:
    """Serve with the GitHub that the settings name."""
    return run(given, connect)


def _set_up(unset: Unset, environment: Mapping[str, str]) -> int:
    """Serve the set-up pages, then, on the same socket, with what was set up."""
    logs.configure(unset.log_level)
    try:
        listening = _listen(unset.host, unset.port)
    except OSError as error:
        return _refuse(f"Cannot listen on {unset.host}, port {unset.port}: {error.strerror}.")
    with listening:
        visitors = set_up(unset, listening)
        if visitors is None:
            return STOPPED
        found = settings.read(environment)
        if isinstance(found, Problems):
            return _refuse_all(found)
        return run(found, connect, listening.dup(), visitors)


def connect(given: Settings, metrics: Metrics, memory: Records) -> Backend:
    """Make what the queue and the server need of GitHub; nothing is asked yet."""
    github = _github(given, metrics)
    return Backend(
        Work(
            partial(_evaluated, github, memory),
            partial(expand, github),
            partial(_group, github, memory),
            partial(groups, github),
            partial(scans, github),
            partial(_registered, github, Register(memory.engine)),
        ),
        lambda: f"{github.slug()}[bot]",
        lambda queue: queue.tend(_tasks(github, queue, metrics)),
    )


def _github(given: Settings, metrics: Metrics) -> GitHub:
    return GitHub(
        given.app_id,
        given.private_key,
        given.api_url,
        count=metrics.github,
        rate=metrics.rate,
    )


def _tasks(github: GitHub, queue: Queue, metrics: Metrics) -> tuple[Task, ...]:
    """Return what the server does by itself: look for what it was never told."""

    def put(name: str, pull: PullRef) -> None:
        root = f"{name}:{pull.owner}/{pull.repo}#{pull.number}"
        queue.accept(Job(root, name, WakePull(pull))).result(STORE_SECONDS)

    def missed(go_on: Callable[[], bool]) -> None:
        metrics.redelivered(redeliver(github, queue.database, go_on=go_on))

    def swept(go_on: Callable[[], bool]) -> None:
        metrics.swept(sweep(github, put, go_on))

    return (Task("missed", MISSED_SECONDS, missed), Task("sweep", SWEEP_SECONDS, swept))


def _evaluated(github: GitHub, memory: Memory, pull: PullRef) -> Outcome:
    with traces.span("evaluation", _names(pull)):
        found = evaluate(github, pull, memory=memory, failed=_not_written)
    match found:
        case Done(verdict, head, writes, is_queued, is_unread):
            _log.info("evaluated", head=head, conclusion=verdict.conclusion, writes=len(writes))
            if is_unread:
                return Outcome.UNREAD
            return Outcome.QUEUED if is_queued else Outcome.DONE
        case Moved():
            return Outcome.MOVED
        case Gone(why):
            _log.info("nothing to evaluate", why=why)
            return Outcome.GONE if why == "closed" else Outcome.MISSING


def _names(pull: PullRef) -> dict[str, str | int]:
    return {"repository": f"{pull.owner}/{pull.repo}", "pull": pull.number}


def _group(github: GitHub, memory: Memory, asked: WakeGroup) -> Outcome:
    match evaluate_group(github, asked, memory=memory):
        case GroupDone(answer, head, wrote):
            members = [one.number for one in answer.members]
            conclusion = answer.verdict.conclusion
            _log.info("group", head=head, conclusion=conclusion, members=members, wrote=wrote)
            return Outcome.DONE
        case GroupGone():
            _log.info("nothing to evaluate", why="the merge queue does not have it any more")
            return Outcome.GONE


def _registered(github: GitHub, register: Register, asked: WakeScan | WakeLeave) -> None:
    match asked:
        case WakeScan(at):
            found = scan(github, register, at)
            _log.info("scanned", head=found.head, changed=found.changed, failed=found.failed)
        case WakeLeave(installation, repositories):
            register.forget(installation, [f"{at.owner}/{at.repo}" for at in repositories])
        case _:
            assert_never(asked)


def _not_written(what: str, why: str) -> None:
    _log.warning("not written", what=what, why=why)


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
            upgrade(database.engine)
            return _serve(given, door, database, connect, visitors)
        except NewerError as error:
            return _refuse(str(error))
        finally:
            database.close()


def _serve(
    given: Settings,
    door: socket.socket,
    database: Database,
    connect: Connect,
    visitors: Door | None,
) -> int:
    sys.setswitchinterval(TURN_SECONDS)
    traces.start(os.environ)
    formats()  # now, not while the first deliveries wait for it
    known_tool("")  # likewise
    metrics = Metrics()
    backend = connect(given, metrics, Records(database.engine))
    queue = Queue(database, backend.work, metrics, keep=given.keep_days * 86_400.0)
    metrics.watch(queue.depth)
    queue.start()
    own = _Own()
    site = Site(queue, metrics, given.webhook_secrets, lambda: own.login)
    site.pages = (*_pages(given, metrics, visitors), *_register(given, database))
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through it for garbage would stop all threads
    threading.Thread(target=_arrive, args=(backend, queue, own), daemon=True).start()
    config = uvicorn.Config(
        site.app(),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=REQUEST_SECONDS,
    )
    _log.info("listening", host=given.host, port=door.getsockname()[1], github=given.api_url)
    running = _Server(config, site)
    running.run(sockets=[door])
    whole = queue.stop(JOB_SECONDS)
    traces.stop(TRACE_SECONDS)
    if not whole:
        _end()
    running.deadline.cancel()
    _log.info("stopped")
    return STOPPED


def _end() -> None:
    """End at once: threads would hold the process; their jobs are in the database, for others."""
    _log.warning("stopped with jobs unfinished")
    logging.shutdown()
    os._exit(STOPPED)


def _pages(given: Settings, metrics: Metrics, visitors: Door | None) -> list[BaseRoute]:
    """Return the pages for people."""
    github = _github(given, metrics)
    visitors = visitors or Door(local=False)
    done = partial(metrics.value, "sockgate_evaluations_total", outcome="done")
    return [*After(visitors, Watch(github, given.web_url).look, done, given.public_url).routes()]


def _register(given: Settings, database: Database) -> list[Route]:
    """Return the register's pages, where people can sign in."""
    if not (given.client_id and given.client_secret and given.public_url):
        return []
    from bot.register.signin import SignIn  # noqa: PLC0415 - start-up
    from bot.register.site import RegisterSite  # noqa: PLC0415

    sign_in = SignIn(given.client_id, given.client_secret, given.web_url, given.api_url)
    return RegisterSite(database.engine, sign_in, given.public_url).routes()


@dataclass(slots=True)
class _Own:
    login: str | None = None


def _arrive(backend: Backend, queue: Queue, own: _Own) -> None:
    """Ask GitHub who we are and what was missed; the server answers meanwhile."""
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


class _Server(uvicorn.Server):
    """Tells the load balancer first, and exits with 0 where it was asked to stop."""

    def __init__(self, config: uvicorn.Config, site: Site) -> None:
        super().__init__(config)
        self._site = site
        self.deadline = _timer(STOP_SECONDS, _end)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        if not self._site.stopping:
            self.deadline.start()
        if sig == signal.SIGTERM and not self._site.stopping:
            self._site.stopping = True
            _timer(READY_SECONDS, self._close).start()
        else:
            self._site.stopping = True
            self._close()

    def _close(self) -> None:
        self.should_exit = True


def _timer(seconds: float, do: Callable[[], None]) -> threading.Timer:
    made = threading.Timer(seconds, do)
    made.daemon = True
    return made


def _listen(host: str, port: int) -> socket.socket:
    """Listen; asyncio sends answers at once only where a socket names its protocol.

    Otherwise each answer on a kept connection waits 40 ms for the other side (Nagle's algorithm).
    """
    made = socket.create_server((host, port), family=_family(host))
    return socket.socket(made.family, made.type, socket.IPPROTO_TCP, made.detach())


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _refuse_all(problems: Problems) -> int:
    for sentence in problems.sentences:
        _refuse(sentence)
    return NOT_STARTED


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"sockgate: {sentence}\n")
    return NOT_STARTED
