"""Questions to a database that may hang: asked once at a time, and not waited for long."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Patience(Generic[_T]):
    """A question whose answer is waited for so many seconds. Safe to share between threads.

    Whoever asks while an earlier question is still open waits for that one's answer: however often
    one asks, at most one thread hangs.
    """

    def __init__(self, ask: Callable[[], _T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._open: Future[_T] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> _T:
        """Return the answer. Raises TimeoutError, and what the question raises."""
        with self._lock:
            if self._open is None:
                self._open = Future()
                threading.Thread(target=self._answer, args=(self._open,), daemon=True).start()
            answer = self._open
        return answer.result(self._seconds)

    def _answer(self, answer: "Future[_T]") -> None:
        try:
            found = self._ask()
        except Exception as error:  # noqa: BLE001 - whoever asks is told, whatever it is
            self._close()
            answer.set_exception(error)
        else:
            self._close()
            answer.set_result(found)

    def _close(self) -> None:
        with self._lock:
            self._open = None
