"""Server processes of a campaign: started, killed, stopped and asked."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.campaigns.town import Town
from tests.load.processes import TOP, children, figure, is_gone, ready
from tests.ports import free_port


class Machine:
    """One server, on a port that it keeps over all its lives."""

    def __init__(self, town: Town, folder: Path, database: str = "") -> None:
        self.port = free_port()
        self._log = folder / f"log-{self.port}"
        self._environment = os.environ | {
            "APP_ID": str(town.app.id),
            "PRIVATE_KEY": town.app.private_key,
            "WEBHOOK_SECRET": town.app.secret,
            "GITHUB_API_URL": town.github.url,
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "LOG_LEVEL": "info",
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def webhook(self) -> str:
        """Return where deliveries go."""
        return f"http://127.0.0.1:{self.port}/webhook"

    def start(self, *, wait: bool = True) -> None:
        """Start it unless it runs, and wait until it takes work."""
        if self._process is not None:
            if wait:
                ready(self.port)
            return
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.campaigns.server"],
                env=self._environment,
                cwd=TOP,
                stderr=log,
            )
        if wait:
            ready(self.port)

    def kill(self, what: str = "all") -> None:
        """End it at once (kill -9): all its processes, or one, which the others have to notice."""
        if self._process is None:
            return
        main = self._process.pid
        others = children(main)  # the worker was started first
        victims = {"all": [main, *others], "main": [main], "worker": others[:1], "web": others[1:]}
        for pid in victims[what]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if what in {"all", "main"}:
            self._process.wait()
            self._process = None
            while not all(map(is_gone, others)):
                time.sleep(0.01)

    def stop(self) -> float:
        """Ask it to end (SIGTERM); return how many seconds that took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(20)
        self._process = None
        return time.monotonic() - began

    def jobs(self, state: str) -> int:
        """Return how many jobs are in a state, as its metrics say."""
        return round(figure(self.port, f'sockgate_queue_jobs{{state="{state}"}}'))

    def log(self) -> str:
        """Return what it said last."""
        return self._log.read_text("utf-8", "replace")[-4000:]


def settle(town: Town, machine: Machine, seconds: float) -> None:
    """Wait until all has happened, everything is right, and nothing is left to do.

    `seconds`: how long it may look the same, however slow this machine is.
    """
    before: tuple[object, ...] = ()
    end = 0.0
    while True:
        town.go_on(5)
        wrong = town.wrong()
        left = {s: machine.jobs(s) for s in ("waiting", "postponed", "running", "dead")}
        if not wrong and not any(left.values()) and not town.github.webhooks.busy:
            return
        now = (town.left, wrong, left["dead"])
        if now != before:
            before, end = now, time.monotonic() + seconds
        if time.monotonic() > end:
            raise AssertionError(f"{wrong[:10]} {left}\n{machine.log()}")
        time.sleep(0.2)
