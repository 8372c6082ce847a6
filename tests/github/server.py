"""The HTTP side: one ASGI application on uvicorn in a thread."""

import asyncio
import json
import re
import socket
import struct
import threading
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.types import Receive, Scope, Send

from . import graph, pages, rest
from .auth import Token
from .faults import Fault
from .log import LoggedRequest, RequestKind
from .model.apps import App
from .model.base import Refused
from .rest.route import Answer, Call, Route
from .truth import Violation
from .truth.rest import Request

if TYPE_CHECKING:
    from .hub import SmallGitHub

DOCS = "https://docs.github.com/rest"
JSON = "application/json; charset=utf-8"
_OTHER_MEDIA = re.compile(r"vnd\.github\.(?:v3\.)?(?:diff|patch|raw|html|text|full|sha)\b")


class _Prompt(uvicorn.Server):
    """uvicorn's server, which looks ten times a second whether to stop; this one is told."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._running = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        self._running.set()
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close everything at once: nobody waits for an answer any more."""
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        for one in sockets or ():
            one.close()

    def stop(self) -> None:
        """Tell it, from another thread."""
        if self._running.wait(10) and self._loop is not None:
            self._loop.call_soon_threadsafe(self._told.set)


class Server:
    """Listens on loopback; the port is chosen by the system unless given."""

    def __init__(self, hub: "SmallGitHub", port: int) -> None:
        self.hub = hub
        # Naming the protocol lets asyncio switch Nagle's algorithm off: 40 ms a request otherwise.
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self.port: int = self._socket.getsockname()[1]
        self._pool = ThreadPoolExecutor(16, "small-github")
        config = uvicorn.Config(
            self.application,
            interface="asgi3",
            log_level="error",
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            date_header=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._uvicorn = _Prompt(config)
        self._thread = threading.Thread(
            target=self._uvicorn.run,
            kwargs={"sockets": [self._socket]},
            name="small-github-http",
            daemon=True,
        )

    def start(self) -> None:
        """Begin to answer; whoever connects before that waits in the queue."""
        self._socket.listen(256)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._uvicorn.stop()
        self._thread.join(10)
        self._socket.close()
        self._pool.shutdown(wait=False)

    async def application(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        body = await _body(receive)
        if body is None:
            return
        raw = scope["raw_path"].decode("ascii").partition("?")[0]
        kind, path = self._kind(scope["method"], raw)
        entry = LoggedRequest(
            method=scope["method"],
            path=path,
            query=scope["query_string"].decode("latin-1"),
            kind=kind,
            is_token_request=path.endswith("/access_tokens"),
            body=_parsed(body),
        )
        self.hub.requests.add(entry)
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"]}
        fault = self.hub.faults.strike(entry)
        if fault is not None and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault is not None and not fault.after and (fault.reset or fault.status):
            await self._fail(fault, entry, receive, send)
            return
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._pool, self._answer, entry, headers, body)
        if fault is not None and (fault.reset or fault.status):
            await self._fail(fault, entry, receive, send)
            return
        entry.status = answer.status
        await self._send(answer, receive, send, truncate=fault is not None and fault.truncate)

    def _kind(self, method: str, raw: str) -> tuple[RequestKind, str]:
        """Tell REST, GraphQL and pages apart; the path comes back without ``/api/v3``."""
        enterprise = self.hub.style == "enterprise"
        if raw == ("/api/graphql" if enterprise else "/graphql"):
            return "graphql", "/graphql"
        if enterprise:
            if raw.startswith("/api/v3/"):
                return "rest", raw.removeprefix("/api/v3")
            return "page", raw
        return ("page" if pages.find(method, raw) else "rest"), raw

    async def _fail(self, fault: Fault, entry: LoggedRequest, receive: Receive, send: Send) -> None:
        if fault.reset or fault.status is None:
            transport = getattr(receive, "__self__").transport  # noqa: B009  uvicorn's own cycle
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return
        entry.status = fault.status
        body = {"message": fault.message, "documentation_url": DOCS}
        answer = Answer(fault.status, body, dict(fault.headers))
        await self._send(answer, receive, send, truncate=fault.truncate)

    async def _send(self, answer: Answer, receive: Receive, send: Send, *, truncate: bool) -> None:
        page_text = isinstance(answer.body, str)
        if answer.body is None:
            content = b""
        elif page_text:
            content = answer.body.encode()
        else:
            content = json.dumps(answer.body, separators=(",", ":")).encode()
        headers = {
            "content-type": "text/html; charset=utf-8" if page_text else JSON,
            "content-length": str(len(content)),
            "date": formatdate(self.hub.clock.time(), usegmt=True),
            "server": "github.com",
            **answer.headers,
        }
        if answer.status in (204, 304):
            headers.pop("content-type")
            headers.pop("content-length")
        listed = [(k.encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": listed})
        if truncate:
            half = content[: len(content) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
            getattr(receive, "__self__").transport.close()  # noqa: B009  likewise
            return
        await send({"type": "http.response.body", "body": content})

    # One request, in a thread -------------------------------------------------------------------

    def _answer(self, entry: LoggedRequest, headers: dict[str, str], body: bytes) -> Answer:
        if entry.kind == "page":
            return pages.answer(self.hub, entry, headers.get("origin"), body)
        caller: Token | App | None = None
        kind = "graphql" if entry.kind == "graphql" else "core"
        try:
            if entry.path.startswith("/app-manifests/") and "authorization" not in headers:
                caller = self.hub.tokens.nobody()
            else:
                caller = self.hub.tokens.find(headers)
            if isinstance(caller, Token) and caller.installation is not None:
                entry.installation = caller.installation.id
            if entry.kind == "graphql":
                answer = graph.answer(self.hub, caller, entry.body)
            else:
                self._accepts(headers.get("accept", ""), entry)
                answer = self._rest(caller, entry, body)
        except Refused as refused:
            answer = _refusal(refused)
        except Violation as violation:
            answer = Answer(500, {"message": str(violation), "documentation_url": DOCS})
        except Exception as error:
            self.hub.truth.note(f"{entry.method} {entry.path}: {type(error).__name__}: {error}")
            raise
        limit = self.hub.rates.headers(caller, kind)
        always = {"x-github-media-type": "github.v3; format=json", "cache-control": "private"}
        return Answer(answer.status, answer.body, {**limit, **always, **answer.headers})

    def _accepts(self, header: str, entry: LoggedRequest) -> None:
        """Refuse media types other than JSON: answering them in JSON would be a lie."""
        if _OTHER_MEDIA.search(header):
            self.hub.truth.note(f"the small GitHub does not offer {header} for {entry.path}")
            raise Refused(415, "Unsupported 'Accept' header")

    def _rest(self, caller: Token | App, entry: LoggedRequest, body: bytes) -> Answer:
        found = rest.find(entry.method, entry.path)
        if found is None:
            self.hub.truth.note(f"the small GitHub does not offer {entry.method} {entry.path}")
            raise Refused(404, "Not Found")
        route, path = found
        if entry.path != "/rate_limit":
            self.hub.rates.spend(caller, "core")
        if body and entry.body is None:
            raise Refused(400, "Problems parsing JSON")
        query = dict(parse_qsl(entry.query, keep_blank_values=True))
        request = Request(path=path, query=query, body=entry.body if body else None)
        self.hub.truth.request(route.operation, request)
        call = Call(
            hub=self.hub,
            route=route,
            actor=caller,
            path=path,
            query=query,
            body=entry.body if body else {},
            url=f"{self.hub.url}{entry.path}",
        )
        return self._called(route, call)

    def _called(self, route: Route, call: Call) -> Answer:
        try:
            with self.hub.changed:
                answer = route.handler(call)
        except Refused as refused:
            answer = _refusal(refused)
        self.hub.truth.answer(route.operation, answer.status, answer.body)
        if route.needs != "metadata:read":
            accepted = route.needs.replace(":", "=").replace("|", "; ")
            headers = {"x-accepted-github-permissions": accepted, **answer.headers}
            return Answer(answer.status, answer.body, headers)
        return answer


def _refusal(refused: Refused) -> Answer:
    body: dict[str, Any] = {
        "message": refused.message,
        "documentation_url": DOCS,
        "status": str(refused.status),
    }
    if refused.errors is not None:
        body["errors"] = refused.errors
    return Answer(refused.status, body)


async def _body(receive: Receive) -> bytes | None:
    """Read a request's body; None where whoever sent it is gone before its end."""
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return None
