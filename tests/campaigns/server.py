"""The real server with shorter waits: `python -m tests.campaigns.server`, settings as always."""

import os
import sys
from functools import partial
from typing import Any

import bot.backend
import bot.forge.client
import bot.missed
import bot.server
import bot.worker
import bot.worker_process
from bot import settings
from bot.forge.client import GitHub
from bot.forge.pace import Pace
from bot.machines import Times
from bot.queue import Queue
from tests.campaigns import PATIENCE

LANDS = 6.0  # seconds after which it has done what it was sent, or never will


def main() -> int:
    backend: Any = bot.backend
    process: Any = bot.worker_process
    client: Any = bot.forge.client
    bot.missed.PAUSE = 1.0
    bot.worker.LONGEST_PAUSE = 0.5
    client._TIMEOUT = PATIENCE
    bot.worker_process.ARRIVE_SECONDS = 1.0
    backend.MISSED_SECONDS, backend.SWEEP_SECONDS = 1.0, 3.0
    times = Times(beat=0.3, lapse=1.5, silence=5.0)
    process.Queue = partial(
        Queue, times=times, poll=0.05, first_pause=0.1, last_attempt=1_000, lands=LANDS
    )
    backend.GitHub = partial(GitHub, pace=Pace(0, 0, LANDS))
    found = settings.read(os.environ)
    assert isinstance(found, settings.Settings), found
    return bot.server.run(found, bot.backend.connect)


if __name__ == "__main__":
    sys.exit(main())
