"""What a server does by itself from time to time: one machine at a time, for all."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.forge.error import ForgeError
from bot.shared import Lease

_LOOK = 1.0  # seconds between two looks whether something is due
_SOONER = 60.0  # seconds until what failed is tried again

_log = structlog.stdlib.get_logger("sockgate.keeper")


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do every so many seconds; it asks now and then whether it may go on."""

    name: str
    every: float
    do: Callable[[Callable[[], bool]], object]


class Keeper:
    """Does each task when it is due and no other machine has it."""

    def __init__(self, lease: Lease, tasks: Iterable[Task]) -> None:
        self._lease = lease
        self._tasks = tuple(tasks)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="keeper", daemon=True)

    def start(self) -> None:
        """Begin, with whatever is due."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """End, and wait so long for what is being done."""
        self._end.set()
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _go_on(self) -> None:
        while not self._end.is_set():
            for task in self._tasks:
                if not self._end.is_set():
                    self._look(task)
            self._end.wait(_LOOK)

    def _look(self, task: Task) -> None:
        def may_go_on() -> bool:
            return not self._end.is_set() and self._lease.extend(task.name, task.every)

        try:
            if self._lease.take(task.name, task.every):
                self._do(task, may_go_on)
        except SQLAlchemyError as error:
            _log.warning("nothing can be kept in order", reason=type(error).__name__)

    def _do(self, task: Task, may_go_on: Callable[[], bool]) -> None:
        try:
            task.do(may_go_on)
        except ForgeError as error:
            _log.warning("tried again soon", task=task.name, reason=error.reason)
            self._lease.extend(task.name, max(error.after or 0, min(_SOONER, task.every)))
        except SQLAlchemyError:
            raise
        except Exception:  # noqa: BLE001 - a defect in one task ends no other
            _log.exception("a defect", task=task.name)
