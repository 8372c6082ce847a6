"""The processes of a measurement: each is started, waited for, watched and ended."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOP = Path(__file__).parents[2]
SECRET = "load"
_READY = 60.0  # seconds


@contextlib.contextmanager
def process(*arguments: str, **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run `python -m ...` until the end of the block.

    What it logs goes into a file: writing that is part of its work, and nobody reads it here.
    """
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(
            [sys.executable, "-m", *arguments], env=os.environ | environment, cwd=TOP, stderr=said
        )
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            try:
                started.wait(20)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait()


def settings(port: int, api_port: int, folder: Path, **more: str) -> Mapping[str, str]:
    """Return the environment of a real server."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return {
        "APP_ID": "1",
        "PRIVATE_KEY": pem.decode(),
        "WEBHOOK_SECRET": SECRET,
        "GITHUB_API_URL": f"http://127.0.0.1:{api_port}/api/v3",
        "DATA_DIR": str(folder),
        "DATABASE_URL": "",
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "LOG_LEVEL": "info",
    } | more


def ready(port: int, path: str = "/readyz") -> float:
    """Wait until a port answers; return after how many seconds."""
    began = time.monotonic()
    while time.monotonic() - began < _READY:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return time.monotonic() - began
    raise TimeoutError(f"nobody answers at port {port}")


def figure(port: int, line: str) -> float:
    """Return one sample of a server's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        for said in answer.read().decode().splitlines():
            if said.startswith(f"{line} "):
                return float(said.rsplit(" ", 1)[1])
    return 0.0


def megabytes(pid: int) -> float:
    """Return how much memory a process and its children have, what they share counted once.

    Pss of proc_pid_smaps(5): each page's share of those that use it.
    """
    kilobytes = 0
    for one in (pid, *children(pid)):
        text = Path(f"/proc/{one}/smaps_rollup").read_text("utf-8")
        kilobytes += int(
            next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1]
        )
    return round(kilobytes / 1024, 1)


class Watch:
    """Notes the memory of a process and its children every second."""

    def __init__(self, pid: int) -> None:
        self.seen: list[float] = []
        self._pid = pid
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(OSError):
                self.seen.append(megabytes(self._pid))
            self._end.wait(1)


def seconds_of(pid: int) -> float:
    """Return the seconds of the processor that a process and its children used (proc(5))."""
    ticks = os.sysconf("SC_CLK_TCK")
    found = 0.0
    for one in (pid, *children(pid)):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text("utf-8").rpartition(")")[2].split()
            found += sum(map(int, fields[11 : 13 if one != pid else 15])) / ticks
    return found


def children(pid: int) -> list[int]:
    """Return the processes that the first thread of a process started, by their ids."""
    with contextlib.suppress(OSError):
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
        return sorted(int(one) for one in text.split())
    return []


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, be it that nobody asked for its exit code yet."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return True
    return text.rpartition(")")[2].split()[0] == "Z"
