"""Faults on purpose: a status, a cut connection, a delay, half a body, a rate limit.

``after=True`` does what was asked and fails then, as GitHub can: a 502 whose comment was stored.
"""

import fnmatch
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .log import LoggedRequest

SECONDARY = (
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
)


@dataclass(eq=False, slots=True)
class Fault:
    """One fault; ``hits`` counts how often it struck."""

    which: Callable[[LoggedRequest], bool]
    status: int | None = None
    message: str = "Server Error"
    headers: Mapping[str, str] = field(default_factory=dict)
    reset: bool = False
    truncate: bool = False
    delay: float = 0.0
    after: bool = False
    times: int | None = None
    probability: float = 1.0
    hits: int = 0


class Faults:
    """The faults in force; the first one that fits a request strikes it."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)
        self._lock = threading.Lock()

    def add(
        self,
        method: str = "*",
        path: str = "*",
        *,
        which: Callable[[LoggedRequest], bool] = lambda _: True,
        **how: Any,
    ) -> Fault:
        """Add a fault for a method and a path with wildcards, without the ``/api/v3``.

        ``how`` is what ``Fault`` takes: ``status=502``, ``reset=True`` (connection cut),
        ``truncate=True`` (half the body), ``delay=2.0``, ``after=True``, ``times=1``,
        ``probability=0.3``, ``headers``. GraphQL's path is ``/graphql``.
        """

        def fits(request: LoggedRequest) -> bool:
            return (
                request.kind != "page"
                and fnmatch.fnmatch(request.method, method)
                and fnmatch.fnmatchcase(request.path, path)
                and which(request)
            )

        fault = Fault(fits, **how)
        self._faults.append(fault)
        return fault

    def secondary_limit(
        self, *, retry_after: int, status: int = 403, method: str = "*", path: str = "*", **how: Any
    ) -> Fault:
        """Add GitHub's secondary rate limit."""
        return self.add(
            method,
            path,
            status=status,
            message=SECONDARY,
            headers={"retry-after": str(retry_after)},
            **how,
        )

    def remove(self, fault: Fault) -> None:
        """Take one fault out."""
        self._faults.remove(fault)

    def clear(self) -> None:
        """Take all faults out."""
        self._faults.clear()

    def strike(self, request: LoggedRequest) -> Fault | None:
        """Choose the fault that strikes a request, if any."""
        with self._lock:
            for fault in self._faults:
                spent = fault.times is not None and fault.hits >= fault.times
                if spent or not fault.which(request):
                    continue
                if fault.probability < 1 and self._random.random() >= fault.probability:
                    continue
                fault.hits += 1
                return fault
        return None
