"""Collect what was found wrong; a test fails if there is anything."""

import functools
import threading
from collections.abc import Iterable
from typing import Any

from . import hooks
from .rest import Operation, Request, Rest

_LOADING = threading.Lock()


@functools.lru_cache(maxsize=1)
def _rest(operations: tuple[Operation, ...]) -> Rest:
    return Rest(operations)


class Violation(Exception):  # noqa: N818  it is recorded first, raised second
    """A request or an answer that GitHub's own description does not allow."""


class Truth:
    """The judge of one small GitHub; with ``strict`` off it lets everything pass."""

    def __init__(self, operations: Iterable[Operation], *, strict: bool) -> None:
        self.strict = strict
        self.violations: list[str] = []
        self._operations = tuple(operations)

    def note(self, problem: str) -> None:
        """Record a violation found elsewhere."""
        self.violations.append(problem)

    def _found(self, what: str, problems: list[str]) -> None:
        if problems:
            text = f"{what}: {'; '.join(problems)}"
            self.violations.append(text)
            raise Violation(text)

    @property
    def rest(self) -> Rest:
        """The REST description, loaded at first need and shared within the process."""
        with _LOADING:
            return _rest(self._operations)

    def request(self, operation: Operation, request: Request) -> None:
        """Check a REST request."""
        if self.strict:
            what = f"request {' '.join(operation)}"
            self._found(what, self.rest.request_problems(operation, request))

    def answer(self, operation: Operation, status: int, body: Any) -> None:
        """Check a REST answer."""
        if self.strict:
            problems = self.rest.answer_problems(operation, status, body)
            self._found(f"answer {status} to {' '.join(operation)}", problems)

    def webhook(self, event: str, action: str | None, payload: Any) -> None:
        """Check a webhook's payload; a wrong one is recorded and still sent."""
        if self.strict:
            found = hooks.problems(event, action, payload)
            if found:
                self.note(f"webhook {event}.{action}: {'; '.join(found)}")
