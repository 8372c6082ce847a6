"""Who does the jobs, in the very process that answers: for tests that look into both."""

from dataclasses import dataclass

from bot.metrics import Metrics
from bot.queue import Queue


@dataclass(frozen=True, slots=True)
class Here:
    """A queue of this process, as `bot.web` sees the worker's."""

    queue: Queue
    counted: Metrics

    def is_ready(self) -> bool:
        """Tell whether jobs are taken up."""
        return self.queue.is_ready()

    def metrics(self) -> bytes:
        """Return what it counts."""
        return self.counted.text()
