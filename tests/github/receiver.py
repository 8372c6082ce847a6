"""A webhook receiver for tests of deliveries: answers what it is told to, keeps what came."""

import hashlib
import hmac
import http.server
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery as it came over HTTP."""

    headers: dict[str, str]
    body: bytes

    def signed_with(self, secret: str) -> bool:
        """Check ``X-Hub-Signature-256``."""
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return self.headers["X-Hub-Signature-256"] == f"sha256={digest}"


class Receiver:
    """Listens on loopback; ``status`` is what it answers from now on."""

    def __init__(self) -> None:
        self.status = 202
        self.received: list[Received] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """Keeps the request and answers."""

            def do_POST(self) -> None:
                """Take a delivery."""
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.received.append(Received(dict(self.headers), body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}/webhook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
