"""What an evaluation remembers, as the evaluation sees it: injected, and kept by `bot.records`.

GitHub is asked first for everything; what is remembered only adds runs of ours that GitHub does not
list any more. So a lost memory means that a label is asked for again, never that less is asked.
"""

from collections.abc import Iterable
from typing import Protocol

from bot.gate.facts import CheckRun
from bot.publish.audit import Entry
from bot.pull import PullRef


class MemoryFailedError(Exception):
    """What had to be remembered could not be; trying again can help."""


class Memory(Protocol):
    """Both a reader and a writer. Every method raises MemoryFailedError."""

    def checks(self, pull: PullRef) -> tuple[CheckRun, ...]:
        """Return our runs that spoke of this pull request, as they were published."""
        ...

    def remember(self, pull: PullRef, runs: Iterable[CheckRun]) -> None:
        """Keep what a published run showed and accepted."""
        ...

    def record(self, entry: Entry) -> None:
        """Append to the audit log, unless the newest record says the same."""
        ...


class NoMemory:
    """Remembers nothing: GitHub is all there is."""

    def checks(self, pull: PullRef) -> tuple[CheckRun, ...]:  # noqa: ARG002 - of the protocol
        """Return nothing."""
        return ()

    def remember(self, pull: PullRef, runs: Iterable[CheckRun]) -> None:
        """Forget it."""

    def record(self, entry: Entry) -> None:
        """Forget it."""
