"""A GitHub that answers at once, or after a fixed time: what the small GitHub said, repeated.

One evaluation of one pull request is recorded; every pull request of every installation gets the
same answers, under its own number, whatever was written meanwhile. So an evaluation always goes the
whole way, and costs this GitHub next to nothing. `python -m tests.load.replay PORT SECONDS`.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

from tests.github import SmallGitHub
from tests.github.log import LoggedRequest
from tests.github.rest.route import Answer
from tests.pulls import GRANTED, team

_HEX = re.compile(r"\b[0-9a-f]{40}\b")
_REPOSITORY = re.compile(r"^/repos/[^/]+/[^/]+")
_NUMBER = re.compile(r"\b\d+\b")
_QUERY = re.compile(r"\s*(?:query|mutation)\s*(\w*)")
_LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)
_EMPTY = {"/app/hook/deliveries": b"[]", "/app/installations": b"[]"}
_RECORDED = 1  # the number of the pull request that was recorded


def key(method: str, path: str, body: Any) -> str:
    """Name a request without what differs from one pull request to the next."""
    if path == "/graphql":
        found = _QUERY.match(body["query"])
        return f"graphql {found[1] if found else ''}"
    plain = _NUMBER.sub("N", _HEX.sub("H", _REPOSITORY.sub("/repos/R", path)))
    return f"{method} {plain}"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer."""

    status: int
    body: bytes

    def about(self, number: int) -> bytes:
        """Return the whole answer, as if it were about another pull request."""
        body = self.body
        if number != _RECORDED:
            body = re.sub(rb'"number":1\b', b'"number":%d' % number, body)
        return (
            b"HTTP/1.1 %d X\r\nContent-Type: application/json; charset=utf-8\r\n"
            b"x-ratelimit-limit: 5000\r\nx-ratelimit-remaining: 4999\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (self.status, len(body), body)
        )


def recorded() -> dict[str, Said]:
    """Evaluate one pull request at the small GitHub, and return what that said."""
    found: dict[str, Said] = {}
    with SmallGitHub() as github:
        acme = team(github)
        answer = github._server._answer

        def noted(entry: LoggedRequest, headers: dict[str, str], body: bytes) -> Answer:
            made = answer(entry, headers, body)
            said = made.body
            if entry.is_token_request:
                said = said | {"expires_at": "2100-01-01T00:00:00Z"}
            text = json.dumps(said, separators=(",", ":")).encode()
            found.setdefault(key(entry.method, entry.path, entry.body), Said(made.status, text))
            return made

        pull = acme.open({"compose.yaml": GRANTED})
        assert pull.number == _RECORDED
        with mock.patch.object(github._server, "_answer", noted):
            acme.forge.slug()
            acme.done(pull)
    return found


class _Line(asyncio.Protocol):
    """One connection: requests one after the other."""

    def __init__(self, answer: Callable[[str, str, bytes], bytes], seconds: float) -> None:
        self._answer, self._seconds = answer, seconds
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, separator, rest = self._read.partition(b"\r\n\r\n")
        if not separator:
            return
        found = _LENGTH.search(head)
        length = int(found[1]) if found else 0
        if len(rest) < length:
            return
        self._read = rest[length:]
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        answer = self._answer(method, target.partition("?")[0], rest[:length])
        if self._seconds:
            asyncio.get_running_loop().call_later(self._seconds, self._send, answer)
        else:
            self._send(answer)

    def _send(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(port: int, seconds: float) -> None:
    """Answer each request after so many seconds."""
    known = recorded()

    def answer(method: str, path: str, body: bytes) -> bytes:
        path = path.removeprefix("/api/v3").removeprefix("/api")
        if path in _EMPTY:
            return Said(200, _EMPTY[path]).about(_RECORDED)
        given = json.loads(body) if body else {}
        said = known.get(key(method, path, given))
        if said is None:
            sys.stderr.write(f"not recorded: {method} {path}\n")
            return Said(404, b'{"message":"Not Found"}').about(_RECORDED)
        number = given.get("variables", {}).get("number") if path == "/graphql" else None
        return said.about(number or _RECORDED)

    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Line(answer, seconds), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
