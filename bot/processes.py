"""The processes of a server: one that answers, one that works, and this one, which keeps them.

Jobs compute, and Python lets one thread of a process compute at a time; apart from them, deliveries
are answered whatever is being evaluated. This one has no threads, so that forking is safe at any
time; what is imported and set up beforehand is shared. Whichever of the others ends by itself is
started again; where this one is killed, the others end at once.
"""

import ctypes
import gc
import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import connection
from multiprocessing.context import ForkProcess
from threading import Thread
from types import FrameType
from typing import TypeVar

import structlog

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before an ended process is started again
STEADY = 60.0  # seconds after which a process counts as well, so that the pauses begin anew
FAILED = 1
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h

_T = TypeVar("_T")
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_fork = multiprocessing.get_context("fork")
_log = structlog.stdlib.get_logger("sockgate.server")

Role = Callable[[], int]  # what a process does, up to its exit code


@dataclass(slots=True)
class _Child:
    """One role, and the process that has it."""

    name: str
    role: Role
    process: ForkProcess | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0  # when it is started again

    def start(self) -> None:
        self.started = time.monotonic()
        self.process = _forked(self.role, self.name)

    def send(self, what: int) -> None:
        if self.process is not None:
            _send(self.process, what)

    def ended(self) -> int | None:
        """Return the exit code of a process that has just ended, and forget it."""
        if self.process is None or (code := self.process.exitcode) is None:
            return None
        self.process.close()
        self.process = None
        return code

    def fail(self, code: int) -> None:
        now = time.monotonic()
        if now - self.started > STEADY:
            self.pause = FIRST_PAUSE
        self.due = now + self.pause
        _log.error("a process ended: it is started again", process=self.name, code=code)
        self.pause = min(2 * self.pause, LONGEST_PAUSE)


class Processes:
    """Runs roles until it is told to stop."""

    def __init__(self, roles: Mapping[str, Role]) -> None:
        self._children = [_Child(name, role) for name, role in roles.items()]
        self._told: list[int] = []  # signals

    def run(self, seconds: float) -> Mapping[str, int]:
        """Run them until SIGTERM or SIGINT, which they are told, and so many seconds after that.

        Return the exit codes of those that ended by then; the others were killed.
        """
        wake, ring = socket.socketpair()
        with wake, ring:
            wake.settimeout(0)
            ring.settimeout(0)
            with _handled(self._told.append):
                rung = signal.set_wakeup_fd(ring.fileno())
                try:
                    self._keep(wake)
                    return self._end(wake, time.monotonic() + seconds)
                finally:
                    signal.set_wakeup_fd(rung)
                    for child in self._children:
                        child.send(signal.SIGKILL)

    def _keep(self, wake: socket.socket) -> None:
        while not self._told:
            now = time.monotonic()
            for child in self._children:
                if child.process is None and child.due <= now:
                    child.start()
            due = [child.due - now for child in self._children if child.process is None]
            self._wait(wake, min(due, default=None))
            for child in self._children:
                if (code := child.ended()) is not None:
                    child.fail(code)

    def _end(self, wake: socket.socket, deadline: float) -> Mapping[str, int]:
        codes: dict[str, int] = {}
        while True:
            while self._told:
                what = self._told.pop(0)
                for child in self._children:
                    child.send(what)
            left = deadline - time.monotonic()
            if left <= 0 or not any(child.process for child in self._children):
                return codes
            self._wait(wake, left)
            for child in self._children:
                if (code := child.ended()) is not None:
                    codes[child.name] = code

    def _wait(self, wake: socket.socket, seconds: float | None) -> None:
        sentinels = [child.process.sentinel for child in self._children if child.process]
        connection.wait([wake, *sentinels], seconds)
        with suppress(BlockingIOError):
            wake.recv(100)


def keep_loaded() -> None:
    """Look for garbage once more, and never again among what there is now: it stays.

    A search through all of it would stop every thread.
    """
    gc.collect()
    gc.freeze()


def settle_memory() -> None:
    """Have what is loaded so far shared with the processes to come, and not looked through again.

    All threads of a process allocate from one arena, where the C library is glibc (mallopt(3)): the
    interpreter runs them one at a time, so none is in another's way, and arenas of their own would
    each keep what others could use, and grow for hours.
    """
    keep_loaded()
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def apart(do: Callable[[], _T]) -> _T | None:
    """Do something in a process of its own, which is told of signals; return what it returns.

    None where it ended without.
    """
    receiving, sending = _fork.Pipe(duplex=False)

    def answer() -> int:
        sending.send(do())
        return 0

    process = _forked(answer, "apart")
    sending.close()
    with _handled(partial(_send, process)):
        try:
            found: _T = receiving.recv()
        except EOFError:
            return None
        else:
            return found
        finally:
            process.join()


@contextmanager
def _handled(tell: Callable[[int], object]) -> Iterator[None]:
    """Tell of each signal that would end this process, and go on."""

    def handle(what: int, _frame: FrameType | None) -> None:
        tell(what)

    before = {one: signal.signal(one, handle) for one in _SIGNALS}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _send(process: ForkProcess, what: int) -> None:
    if process.pid is not None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, what)


def _forked(role: Role, name: str) -> ForkProcess:
    process = _fork.Process(target=_play, args=(role,), name=name, daemon=True)
    # What is sent to it before it can take signals waits.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    return process


def _play(role: Role) -> None:
    """Be a process with this role, as long as the one that forked it lives."""
    signal.set_wakeup_fd(-1)
    for one in _SIGNALS:
        signal.signal(one, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
    Thread(target=_follow, name="parent", daemon=True).start()
    try:
        code = role()
    except Exception:  # noqa: BLE001 - told in our form, and then it is started again
        _log.exception("a process failed")
        code = FAILED
    raise SystemExit(code)


def _follow() -> None:
    if parent := multiprocessing.parent_process():
        connection.wait([parent.sentinel])
    os._exit(FAILED)
