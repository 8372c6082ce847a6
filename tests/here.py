"""Taking in and doing, in the very process of a test that looks into both."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bot.intake import Intake, Receipt
from bot.jobs import Job
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


def hand_in(intake: Intake, *jobs: Job) -> list[Receipt]:
    """Hand them in all at once, and wait until they are stored."""

    async def stored() -> list[Receipt]:
        async with asyncio.timeout(20):
            return await asyncio.gather(*(intake.accept(one) for one in jobs))

    # In a thread of its own: a browser's driver may be running a loop in this one.
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(lambda: asyncio.run(stored())).result()
