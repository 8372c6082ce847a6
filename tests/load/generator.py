"""Deliveries at a steady rate, in a process of their own: each is due at a time fixed beforehand.

A latency counts from when a delivery was due, whether or not it could be sent then, so that a
server that stalls cannot hide it by slowing the sender down. At rate 0 every connection sends as
fast as it is answered, which measures throughput.

`python -m tests.load.generator PORT RATE SECONDS CONNECTIONS SECRET` prints one JSON document.
"""

import asyncio
import hashlib
import hmac
import json
import math
import sys
import time
from dataclasses import asdict, dataclass, field
from uuid import uuid4

SIZE = 30_000  # bytes of a delivery
PULLS = 200
INSTALLATIONS = 50
_WAIT = 20.0  # seconds for what is left at the end


@dataclass(slots=True)
class Load:
    """What a run showed; latencies in milliseconds."""

    rate: float
    seconds: float
    sent: int = 0
    errors: int = 0
    p50: float = 0.0
    p99: float = 0.0
    longest: float = 0.0
    a_second: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)


def payload(number: int, size: int = SIZE) -> bytes:
    """Return a delivery of about a given size, for one of many pull requests.

    As GitHub's it is objects within objects, most of their values addresses.
    """
    installation = number % INSTALLATIONS + 1
    name = f"acme-{installation}/shop"
    parts: list[dict[str, object]] = []
    pull = {"number": number + 1, "body": "More of it.\r\n", "head": {"sha": "f" * 40}}
    made = {
        "action": "synchronize",
        "installation": {"id": installation},
        "repository": {"full_name": name},
        "pull_request": pull | {"parts": parts},
        "sender": {"login": "dev"},
    }
    while len(json.dumps(made)) < size:
        at = f"https://api.github.com/repos/{name}"
        urls = {f"{what}_url": f"{at}/{what}{{/{what}_id}}" for what in ("issues", "hooks", "keys")}
        parts.append({"id": len(parts), "private": False, "fork": None, "owner": urls, **urls})
    return json.dumps(made).encode()


def heads(secret: str) -> list[tuple[bytes, bytes]]:
    """Return what a request begins with, up to its delivery id, and what follows, body included."""
    found = []
    for number in range(PULLS):
        body = payload(number)
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        head = (
            "POST /webhook HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"User-Agent: GitHub-Hookshot/load\r\nX-GitHub-Event: pull_request\r\n"
            f"X-Hub-Signature-256: sha256={digest}\r\nContent-Length: {len(body)}\r\n"
            "X-GitHub-Delivery: "
        )
        found.append((head.encode(), b"\r\n\r\n" + body))
    return found


class _Connection(asyncio.Protocol):
    """One request at a time; whoever sent it is told the status, 0 where the line was cut."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[int] | None = None
        self.transport: asyncio.Transport | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, separator, body = self._read.partition(b"\r\n\r\n")
        if not separator or self.answered is None:
            return
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if len(body) >= length:
            self._read = b""
            answered, self.answered = self.answered, None
            answered.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self.answered is not None:
            self.answered.set_result(0)
            self.answered = None
        self.transport = None


class Generator:
    """Sends to one port."""

    def __init__(self, port: int, secret: str) -> None:
        self._port = port
        self._prepared = heads(secret)
        self._run = uuid4().hex
        self._idle: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
        self._late: list[float] = []
        self._statuses: dict[str, int] = {}

    async def send(self, number: int, due: float) -> None:
        """Send one delivery over whichever connection is free, and note how it went."""
        connection = await self._idle.get()
        if connection.transport is None:
            connection = await self._connect()
        head, rest = self._prepared[number % PULLS]
        connection.answered = asyncio.get_running_loop().create_future()
        answered = connection.answered
        assert connection.transport is not None
        connection.transport.write(b"%s%s-%d%s" % (head, self._run.encode(), number, rest))
        status = str(await answered)
        self._late.append(time.perf_counter() - due)
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._idle.put_nowait(connection)

    async def run(self, rate: float, seconds: float, connections: int) -> Load:
        """Send for so long, at so many a second or as fast as they are answered."""
        for _ in range(connections):
            self._idle.put_nowait(await self._connect())
        began = time.perf_counter()
        if rate:
            await self._steadily(rate, seconds, began)
        else:
            await asyncio.gather(*(self._on_and_on(one, seconds) for one in range(connections)))
        return self._result(rate, time.perf_counter() - began)

    async def _steadily(self, rate: float, seconds: float, began: float) -> None:
        under_way: set[asyncio.Task[None]] = set()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            wait = due - time.perf_counter()
            if wait > 0:
                await asyncio.sleep(wait)
            task = asyncio.create_task(self.send(number, due))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if under_way:
            await asyncio.wait(under_way, timeout=_WAIT)
        self._statuses["none"] = len(under_way)

    async def _on_and_on(self, number: int, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (now := time.perf_counter()) < end:
            await self.send(number, now)
            number += 1_000

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, "127.0.0.1", self._port)
        return connection

    def _result(self, rate: float, seconds: float) -> Load:
        late = sorted(self._late)
        well = sum(number for status, number in self._statuses.items() if status.startswith("2"))
        sent = sum(self._statuses.values())
        found = Load(rate, round(seconds, 2), sent, sent - well)
        found.statuses = {status: number for status, number in self._statuses.items() if number}
        if late:
            found.p50, found.p99 = (round(_at(late, share) * 1000, 2) for share in (0.5, 0.99))
            found.longest = round(late[-1] * 1000, 2)
            found.a_second = round(well / seconds, 1)
        return found


def _at(ordered: list[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]


def main() -> None:
    """Read the arguments, send, print."""
    port, rate, seconds, connections, secret = sys.argv[1:]
    made = Generator(int(port), secret).run(float(rate), float(seconds), int(connections))
    sys.stdout.write(json.dumps(asdict(asyncio.run(made))) + "\n")


if __name__ == "__main__":
    main()
