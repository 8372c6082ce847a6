"""Questions from one process of a server to another, over a pair of sockets.

They are datagrams: one arrives whole or not at all, so a process that died in the middle leaves no
half of an answer to the next one. Each answer carries its question's number; a late one is dropped.
"""

import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

_LONGEST = 200_000  # bytes of an answer; Linux takes 212,992 by default (socket(7), SO_SNDBUF)

Answer = Callable[[], bytes]


def line() -> tuple[socket.socket, socket.socket]:
    """Return both ends: the one that asks, the one that answers."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


class Asking:
    """The end that asks. Safe to share between threads: one question at a time."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._numbers = count(1)
        self._lock = threading.Lock()

    def ask(self, what: str, seconds: float) -> bytes:
        """Return the answer. Raises TimeoutError, ConnectionError where there is none."""
        with self._lock:
            number = str(next(self._numbers))
            self._end.settimeout(seconds)
            self._end.send(f"{number} {what}".encode())
            while True:
                given, state, answer = self._end.recv(_LONGEST + 100).split(b" ", 2)
                if given.decode() == number:
                    break
        if state != b"well":
            raise ConnectionError(f"{what}: {answer.decode()}")
        return answer


class Answering:
    """The end that answers, in a thread of its own."""

    def __init__(self, end: socket.socket, answers: Mapping[str, Answer]) -> None:
        self._end = end
        self._answers = answers
        self._thread = threading.Thread(target=self._go_on, name="line", daemon=True)

    def start(self) -> None:
        """Answer from now on, as long as the process lives."""
        self._thread.start()

    def _go_on(self) -> None:
        while question := self._question():
            number, what = question.split(b" ", 1)
            try:
                state, answer = b"well", self._answers[what.decode()]()
                if len(answer) > _LONGEST:
                    raise ValueError(f"{len(answer)} bytes")  # noqa: TRY301 - told like the others
            except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it is
                state, answer = b"ill", type(error).__name__.encode()
            with suppress(OSError):  # whoever asked has ended meanwhile
                self._end.send(b"%s %s %s" % (number, state, answer))

    def _question(self) -> bytes:
        try:
            return self._end.recv(1000)
        except OSError:  # the line is closed
            return b""
