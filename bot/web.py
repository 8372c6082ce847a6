"""The routes: the webhook, health, readiness, metrics."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

import structlog
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot import traces, wake
from bot.gate.policy import json_schema
from bot.intake import Intake
from bot.jobs import Job
from bot.metrics import CONTENT_TYPE, Arrivals
from bot.patience import Patience
from bot.wake import Ignored, Refused, Wake

BODY_SECONDS = 10.0  # GitHub gives up on a delivery after ten seconds
STORE_SECONDS = 8.0
READY_SECONDS = 2.0
LARGE, LARGE_AT_ONCE = (
    1024 * 1024,
    8,
)  # so many larger bodies at a time: they cannot fill the memory
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_log = structlog.stdlib.get_logger("sockgate.web")


class Worker(Protocol):
    """Who does the jobs. Both raise OSError where nobody answers."""

    def is_ready(self) -> bool:
        """Tell whether jobs are taken up."""

    def metrics(self) -> bytes:
        """Return what it counts, in the text form that Prometheus reads."""


@dataclass(slots=True)
class Site:
    """What the routes work with."""

    intake: Intake
    arrivals: Arrivals
    secrets: tuple[str, ...] = field(repr=False)
    own: Callable[[], str | None]  # our App's login, once it is known
    worker: Worker
    pages: tuple[BaseRoute, ...] = ()  # for people, beside our own
    stopping: bool = False  # no new work is wanted: said by /readyz before the doors close

    _stores: Patience[bool] = field(init=False, repr=False)
    _works: Patience[bool] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._stores = Patience(self.intake.is_ready, READY_SECONDS)
        self._works = Patience(self.worker.is_ready, READY_SECONDS)

    def app(self) -> ASGIApp:
        """Build the application."""
        large = asyncio.Semaphore(LARGE_AT_ONCE)

        async def webhook(request: Request) -> Response:
            began = time.monotonic()
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await _body(request, large)
            except TimeoutError:
                return self._refuse(Refused(408, "the body did not arrive in time"), began)
            except ClientDisconnect:
                return self._refuse(Refused(400, "the connection was closed in mid-body"), began)
            if body is None:
                return self._refuse(wake.too_large(), began)
            match await self._read(request, body):
                case Refused() as refused:
                    return self._refuse(refused, began)
                case Ignored() as ignored:
                    return self._ignore(ignored, began)
                case found:
                    return await self._accept(found, began)

        async def healthz(_request: Request) -> Response:
            return JSONResponse({"status": "alive"})

        async def readyz(_request: Request) -> Response:
            why = "shutting down" if self.stopping else await self._unready()
            if why:
                return JSONResponse({"status": "not ready", "why": why}, 503)
            return JSONResponse({"status": "ready"})

        async def metrics(_request: Request) -> Response:
            text = await run_in_threadpool(self._counted)
            return Response(text, headers={"Content-Type": CONTENT_TYPE})

        async def schema(_request: Request) -> Response:
            return JSONResponse(json_schema(), media_type="application/schema+json")

        routes = [
            Route("/webhook", webhook, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
            Route("/sockgate.schema.json", schema),
            *self.pages,
        ]
        return with_headers(Starlette(routes=routes))

    async def _read(self, request: Request, body: bytes) -> Wake | Ignored | Refused:
        given = (request.headers, body, self.secrets, self.own())
        if len(body) > LARGE:
            return await run_in_threadpool(wake.read, *given)
        return wake.read(*given)

    async def _accept(self, found: Wake, began: float) -> Response:
        asked = Job(found.delivery, found.delivery, found.target)
        names = ({"head": found.head} if found.head else {}) | asked.names()
        with traces.span("delivery", {**names, "event": found.event, "action": found.action}):
            return await self._store(found, replace(asked, trace=traces.here()), names, began)

    async def _store(
        self, found: Wake, asked: Job, names: dict[str, str | int], began: float
    ) -> Response:
        about = {"event_name": found.event, "action": found.action, "head": None} | names
        try:
            async with asyncio.timeout(STORE_SECONDS):
                receipt = await self.intake.accept(asked)
        except Exception:  # noqa: BLE001 - whatever it is, the delivery is not stored
            # GitHub shows it as failed, and it can be asked for again.
            self.arrivals.delivery(found.event, "failed")
            seconds = self._since(began)
            _log.exception("delivery not stored", status=503, seconds=seconds, **about)
            return JSONResponse({"error": "the delivery could not be stored"}, 503)
        self.arrivals.delivery(found.event, receipt)
        seconds = self._since(began)
        _log.info("delivery", outcome=receipt, status=202, seconds=seconds, **about)
        return JSONResponse({"delivery": found.delivery, "status": receipt}, 202)

    def _ignore(self, ignored: Ignored, began: float) -> Response:
        self.arrivals.delivery(ignored.event, "ignored")
        _log.info(
            "delivery",
            outcome="ignored",
            why=ignored.why,
            event_name=ignored.event,
            action=ignored.action,
            delivery=ignored.delivery,
            status=204,
            seconds=self._since(began),
        )
        return Response(status_code=204, headers={"X-Sockgate-Ignored": ignored.why})

    def _refuse(self, refused: Refused, began: float) -> Response:
        self.arrivals.delivery("", "refused")
        _log.warning(
            "delivery",
            outcome="refused",
            why=refused.why,
            status=refused.status,
            seconds=self._since(began),
        )
        # What is left of an unread body is not waited for.
        headers = {"Connection": "close"} if refused.status in {408, 413} else None
        return JSONResponse({"error": refused.why}, refused.status, headers)

    def _since(self, began: float) -> float:
        seconds = time.monotonic() - began
        self.arrivals.acknowledgement(seconds)
        return round(seconds, 4)

    async def _unready(self) -> str:
        try:
            stores = await run_in_threadpool(self._stores)
        except Exception:  # noqa: BLE001 - whatever keeps the database away, the answer is the same
            _log.exception("the database is out of reach")
            return "the database is out of reach"
        try:
            works = await run_in_threadpool(self._works)
        except OSError:
            return "the process that does the jobs does not answer"
        return "" if stores and works else "the queue is not running"

    def _counted(self) -> bytes:
        try:
            works = self.worker.metrics()
        except OSError:
            works = b""
        self.arrivals.worker(is_up=bool(works))
        return self.arrivals.text() + works


async def _body(request: Request, large: asyncio.Semaphore) -> bytes | None:
    """Read the body, or stop as soon as it is longer than GitHub ever sends."""
    declared = request.headers.get("content-length", "")
    length = int(declared) if declared.isascii() and declared.isdigit() else None
    if length is not None and length > wake.MAX_BODY:
        return None
    if length is None or length > LARGE:
        async with large:
            return await _stream(request)
    return await _stream(request)


async def _stream(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > wake.MAX_BODY:
            return None
        body += chunk
    return bytes(body)


def with_headers(app: ASGIApp) -> ASGIApp:
    """Give every answer the headers that a browser should see, unless it has its own."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                # ASGI: pairs of bytes, names in lower case.
                own = {name for name, _ in message["headers"]}
                message["headers"] += [one for one in _HEADERS if one[0] not in own]
            await send(message)

        await app(scope, receive, sending)

    return wrapped
