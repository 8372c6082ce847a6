"""A `sockgate serve` as a process of its own, with what it logs."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.ports import free_port

_TOP = Path(__file__).parents[2]
_OURS = ("APP_", "PRIVATE_", "WEBHOOK_", "CLIENT_", "GITHUB_", "DATABASE_", "PUBLIC_", "LOG_")


class Server:
    """Runs between `with` and its end; `environment` is beside HOST, PORT and DATA_DIR."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self.data = data
        self.lines: list[str] = []
        clean = {name: text for name, text in os.environ.items() if not name.startswith(_OURS)}
        self._environment = clean | {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(data),
            **(environment or {}),
        }
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"],
            env=self._environment,
            cwd=_TOP,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for(lambda: self.status("/healthz") == 200)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        assert self._process is not None
        assert self._reader is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(20)
        self._reader.join(5)
        if self._process.stderr:
            self._process.stderr.close()
        return code

    def logged(self, event: str) -> list[dict[str, Any]]:
        """Return the log's lines of one kind."""
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in found if line.get("event", "").startswith(event)]

    def status(self, path: str) -> int:
        """Return the status of a page, 0 where there is no answer."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait_for(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        """Wait until something holds, as long as the server lives."""
        assert self._process is not None
        until = time.monotonic() + seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError("the server did not do it:\n" + "".join(self.lines))
            time.sleep(0.05)

    def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line)
