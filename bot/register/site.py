"""The routes of the register: signing in, the page, and the same as CSV and JSON.

Whoever is not signed in is told nothing, not even how much there is.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from bot import pages
from bot.detect.grant import How, Severity
from bot.records.log import csv_line
from bot.register import decisions
from bot.register.look import (
    FIELDS,
    LOST,
    PAGE,
    Filter,
    count,
    everything,
    filter_of,
    one_page,
    unread,
)
from bot.register.sessions import LIFETIME, Session, close_session, find_session, open_session
from bot.register.signin import SignIn, SignInError
from bot.register.trend import HEIGHT, WIDTH, trend
from bot.setup.door import is_own
from bot.setup.manifest import CALLBACK

REGISTER, SIGN_IN, SIGN_OUT = "/register", "/auth/signin", "/auth/signout"
DECISIONS = "/register/justifications"
_KINDS = (
    ("justified", "justified"),
    ("orphaned", "justified, and its reason or person is gone"),
    ("refused", "label refused"),
    ("past-red", "merged past a red check"),
    ("all", "everything"),
)
_STATE_SECONDS = 600


@dataclass(slots=True)
class RegisterSite:
    """What the routes work with."""

    engine: sa.Engine
    sign_in: SignIn
    public_url: str
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def _is_https(self) -> bool:
        return self.public_url.startswith("https://")

    def _named(self, name: str) -> str:
        return f"__Host-{name}" if self._is_https else name

    @property
    def cookie(self) -> str:
        """The name of the cookie that a session has."""
        return self._named("sockgate_session")

    def routes(self) -> list[Route]:
        """Return the routes, to stand beside those of the server."""
        key = sha256(b"sockgate sign-in\0" + self.sign_in.client_secret.encode()).hexdigest()
        state = Middleware(
            SessionMiddleware,
            secret_key=key,
            session_cookie=self._named("sockgate_signin"),
            max_age=_STATE_SECONDS,
            same_site="lax",
            https_only=self._is_https,
        )
        return [
            Route(REGISTER, self._page),
            Route("/register.csv", self._csv),
            Route("/register.json", self._json),
            Route(DECISIONS, self._decisions),
            Route(f"{DECISIONS}.csv", self._decisions_csv),
            Route(f"{DECISIONS}.json", self._decisions_json),
            Route(SIGN_IN, self._begin, methods=["POST"], middleware=[state]),
            Route(CALLBACK, self._end, middleware=[state]),
            Route(SIGN_OUT, self._leave, methods=["POST"]),
        ]

    # Signing in and out

    async def _begin(self, request: Request) -> Response:
        if not is_own(request.headers):
            return self._refused("This form was not sent from here.", 403)
        request.session.clear()
        return await self.sign_in.begin(request, self.public_url + CALLBACK)

    async def _end(self, request: Request) -> Response:
        try:
            person = await self.sign_in.end(request)
        except SignInError as error:
            return self._refused(str(error), 403)
        finally:
            request.session.clear()
        secret = await run_in_threadpool(
            open_session, self.engine, person.login, person.repositories, self.now()
        )
        answer = RedirectResponse(REGISTER, 303)
        answer.set_cookie(
            self.cookie,
            secret,
            max_age=int(LIFETIME.total_seconds()),
            httponly=True,
            secure=self._is_https,
            samesite="lax",
        )
        return answer

    async def _leave(self, request: Request) -> Response:
        if not is_own(request.headers):
            return self._refused("This form was not sent from here.", 403)
        await run_in_threadpool(close_session, self.engine, request.cookies.get(self.cookie, ""))
        answer = RedirectResponse(REGISTER, 303)
        answer.delete_cookie(self.cookie, httponly=True, secure=self._is_https, samesite="lax")
        return answer

    def _refused(self, why: str, status: int) -> Response:
        return self._door(status, why)

    def _door(self, status: int = 200, why: str = "") -> Response:
        web = self.sign_in.web_url
        return pages.page("register_door.html", status=status, why=why, form_action=("'self'", web))

    # The register

    async def _who(self, request: Request) -> Session | None:
        secret = request.cookies.get(self.cookie, "")
        return await run_in_threadpool(find_session, self.engine, secret, self.now())

    async def _page(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return self._door()
        return await run_in_threadpool(self._shown, who, filter_of(request.query_params))

    def _shown(self, who: Session, wanted: Filter) -> Response:
        number = count(self.engine, who.id, wanted)
        last = max(1, -(-number // PAGE))
        wanted = replace(wanted, page=min(wanted.page, last))
        return pages.page(
            "register.html",
            who=who.login,
            wanted=wanted,
            number=number,
            last=last,
            rows=[self._linked(row) for row in one_page(self.engine, who.id, wanted)],
            trend=trend(self.engine, who.id, self.now().date()),
            unread=unread(self.engine, who.id),
            width=WIDTH,
            height=HEIGHT,
            hows=_any_of(How),
            severities=_any_of(Severity),
            address=lambda **other: _address(wanted, **other),
        )

    def _linked(self, row: dict[str, Any]) -> dict[str, Any]:
        place = f"{self.sign_in.web_url}/{row['repository']}"
        return row | {
            "place_url": place,
            "file_url": f"{place}/blob/{row['head']}/{quote(row['path'])}#L{row['line']}",
        }

    async def _csv(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return _unknown()
        rows = everything(self.engine, who.id, filter_of(request.query_params))
        return _as_csv("register.csv", FIELDS, rows)

    async def _json(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return _unknown()
        return _as_json(everything(self.engine, who.id, filter_of(request.query_params)))

    # The decisions

    async def _decisions(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return self._door()
        wanted = decisions.wanted_of(request.query_params)
        return await run_in_threadpool(self._decided, who, wanted)

    def _decided(self, who: Session, wanted: decisions.Wanted) -> Response:
        number = decisions.count(self.engine, who.id, wanted)
        last = max(1, -(-number // PAGE))
        wanted = replace(wanted, page=min(wanted.page, last))
        web = self.sign_in.web_url
        return pages.page(
            "register_decisions.html",
            who=who.login,
            wanted=wanted,
            number=number,
            last=last,
            rows=[
                row | {"pull_url": f"{web}/{row['repository']}/pull/{row['pull']}"}
                for row in decisions.one_page(self.engine, who.id, wanted)
            ],
            kinds=_KINDS,
            lost=LOST,
            address=lambda **other: _query(asdict(wanted) | other),
        )

    async def _decisions_csv(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return _unknown()
        rows = decisions.everything(self.engine, who.id, decisions.wanted_of(request.query_params))
        return _as_csv("decisions.csv", decisions.FIELDS, rows)

    async def _decisions_json(self, request: Request) -> Response:
        who = await self._who(request)
        if who is None:
            return _unknown()
        wanted = decisions.wanted_of(request.query_params)
        return _as_json(decisions.everything(self.engine, who.id, wanted))


def _unknown() -> Response:
    return Response('{"error": "sign in at /register first"}', 401, media_type="application/json")


def _as_csv(name: str, fields: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Response:
    def lines() -> Iterator[str]:
        yield csv_line(fields) + "\r\n"
        for row in rows:
            yield csv_line(row[one] for one in fields) + "\r\n"

    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(lines(), media_type="text/csv; charset=utf-8", headers=named)


def _as_json(rows: Iterable[Mapping[str, Any]]) -> Response:
    def text() -> Iterator[str]:
        yield "["
        for number, row in enumerate(rows):
            yield ("," if number else "") + json.dumps(row)
        yield "]\n"

    return StreamingResponse(text(), media_type="application/json")


def _any_of(kinds: Iterable[str]) -> list[tuple[str, str]]:
    return [("", "any"), *((str(one), str(one)) for one in kinds)]


def _address(wanted: Filter, **other: Any) -> str:
    """Return the query of the same filter, but for what is given."""
    said = {
        "text": wanted.text,
        "repository": wanted.repository,
        "severity": wanted.severity,
        "how": wanted.how,
        "image": wanted.image,
        "state": wanted.state,
        "justified": wanted.justified,
        "sort": wanted.sort,
        "order": "down" if wanted.down else "up",
        "page": wanted.page,
    } | other
    return _query(said)


def _query(said: Mapping[str, Any]) -> str:
    return "?" + urlencode({name: value for name, value in said.items() if value})
