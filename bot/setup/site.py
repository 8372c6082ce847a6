"""The pages before there is an App: one form, GitHub, and back with a code.

No other site can act here: a form is taken only from our own page, a code only with a state that
this server gave to this very browser, once.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot import pages
from bot.setup import store
from bot.setup.convert import ConversionError, convert
from bot.setup.door import COOKIE, STATE_SECONDS, Door, Visitor, is_own
from bot.setup.edition import PUBLIC_WEB, edition, is_loopback, origin_of
from bot.setup.manifest import CREATED, SETUP, WEBHOOK, Wish, manifest, new_app
from bot.setup.store import Credentials, StoreError

_LARGEST_FORM = 8 * 1024
_LOGIN = re.compile(r"[0-9A-Za-z](?:-?[0-9A-Za-z]){0,38}")  # GitHub's names of organisations
_log = structlog.stdlib.get_logger("sockgate.setup")


@dataclass(frozen=True, slots=True)
class Form:
    """The form as it was filled in, and what is wrong with it, by field."""

    public_url: str = ""
    account: str = "own"
    organization: str = ""
    github: str = PUBLIC_WEB
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class SetupSite:
    """What the routes work with. `stored` is told when the App is stored and answered for."""

    door: Door
    data_dir: Path
    stored: Callable[[Credentials], None]
    public_url: str = ""
    github: str = PUBLIC_WEB
    done: bool = False

    def app(self) -> Starlette:
        """Build the application."""
        return Starlette(
            routes=[
                Route("/", self._to_start),
                Route(SETUP, self._start),
                Route(SETUP, self._send, methods=["POST"]),
                Route(CREATED, self._created),
                Route(WEBHOOK, _not_yet, methods=["POST"]),
                Route("/healthz", _alive),
                Route("/readyz", _not_ready),
                *pages.routes(),
            ]
        )

    async def _to_start(self, _request: Request) -> Response:
        return RedirectResponse(SETUP, 303)

    async def _start(self, request: Request) -> Response:
        if self.done:
            return _moment()
        token = request.query_params.get("token")
        if token is not None:
            visitor = self.door.enter(token)
            if visitor is None:
                _log.warning("a wrong or used token for the set-up page")
                return _closed()
            return _remembered(RedirectResponse(SETUP, 303), visitor, request)
        visitor = self._visitor(request)
        if visitor is None:
            return _closed()
        public = self.public_url or _public_guess(request)
        return _remembered(_form(Form(public, github=self.github)), visitor, request)

    async def _send(self, request: Request) -> Response:
        """Check the form, and pass its manifest on to GitHub."""
        visitor = self._visitor(request)
        if visitor is None:
            return _closed()
        origin = request.headers.get("origin", "")
        if not is_own(request.headers):
            return _failed(403, "This form was sent from another site.")
        body = await _small(request)
        if body is None:
            return _failed(413, "This form is too large.")
        given = {name: values[-1].strip() for name, values in parse_qs(body).items()}
        form = Form(
            given.get("public_url", ""),
            given.get("account", "own"),
            given.get("organization", ""),
            given.get("github", "") or self.github,
        )
        wish = _wish(form, origin)
        if isinstance(wish, Form):
            return _remembered(_form(wish, 422), visitor, request)
        try:
            await run_in_threadpool(store.check, self.data_dir)
        except StoreError as error:
            return _failed(500, f"The App's credentials could not be kept: {error}")
        state = self.door.expect(visitor, wish)
        answer = pages.page(
            "setup_send.html",
            # A sign-in on the way may lead over other hosts.
            form_action=(wish.edition.web, "https:"),
            action=new_app(wish, state),
            manifest=manifest(wish),
            wish=wish,
        )
        return _remembered(answer, visitor, request)

    async def _created(self, request: Request) -> Response:
        """Take what GitHub sends the browser back with."""
        visitor = self.door.known(request.cookies.get(COOKIE, ""))
        state, code = (request.query_params.get(name, "") for name in ("state", "code"))
        wish = self.door.returned(visitor, state) if visitor else None
        if wish is None:
            _log.warning("a code that this browser did not ask for")
            return _failed(
                403,
                "This answer does not belong to this browser, or it was used before. "
                "If you have created an App just now, delete it on GitHub and begin again.",
            )
        if self.done:
            return _failed(409, "An App is set up already.")
        self.done = True
        try:
            credentials = await run_in_threadpool(self._keep, wish, code)
        except (ConversionError, StoreError) as error:
            self.done = False
            _log.error("the App could not be taken over", why=str(error))
            return _failed(502, str(error), again=True)
        _log.info("the App is stored", app=credentials.slug, owner=credentials.owner)
        finish = BackgroundTask(self.stored, credentials)
        return RedirectResponse(SETUP, 303, {"Connection": "close"}, background=finish)

    def _keep(self, wish: Wish, code: str) -> Credentials:
        store.check(self.data_dir)
        credentials = convert(wish.edition, code, wish.public_url)
        store.write(self.data_dir, credentials)
        return credentials

    def _visitor(self, request: Request) -> Visitor | None:
        known = self.door.known(request.cookies.get(COOKIE, ""))
        peer = request.client.host if request.client else ""
        host = request.headers.get("host", "")
        if known or not self.door.is_local(host, peer, request.headers):
            return known
        return self.door.admit()


def _wish(form: Form, origin: str) -> Wish | Form:
    problems = {}
    place = edition(form.github)
    if place is None:
        problems["github"] = (
            "GitHub’s address has to look like https://github.example.com, without a path."
        )
    public = origin_of(form.public_url)
    if public is None:
        problems["public_url"] = (
            "The server’s address has to look like https://sockgate.example.com, without a path."
        )
    elif place and _is_here(public) and not _is_here(place.web):
        problems["public_url"] = (
            "GitHub cannot reach that address: it means “this machine” to whoever uses it."
        )
    organization = form.organization if form.account == "organization" else ""
    if form.account == "organization" and not _LOGIN.fullmatch(organization):
        problems["organization"] = (
            "The organization’s name has to be the one in its address on GitHub."
        )
    if problems or place is None or public is None:
        return Form(form.public_url, form.account, form.organization, form.github, problems)
    return Wish(place, organization, public, origin_of(origin) or public)


def _is_here(address: str) -> bool:
    return is_loopback(urlsplit(address).hostname or "")


def _public_guess(request: Request) -> str:
    """Propose the address that the browser used, unless that is good on this machine only."""
    host = request.headers.get("host", "")
    origin = origin_of(f"https://{host}")
    return "" if origin is None or _is_here(origin) else origin


async def _small(request: Request) -> str | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return None
    return body.decode(errors="replace")


def _form(form: Form, status: int = 200) -> Response:
    return pages.page("setup_start.html", status=status, form=form, public_github=PUBLIC_WEB)


def _closed() -> Response:
    return pages.page("setup_closed.html", status=403)


def _moment() -> Response:
    """Answer while this server ends: the next one listens on the same socket."""
    answer = pages.page("setup_moment.html")
    answer.headers["Connection"] = "close"
    return answer


def _failed(status: int, why: str, *, again: bool = False) -> Response:
    return pages.page("setup_failed.html", status=status, why=why, again=again)


def _remembered(answer: Response, visitor: Visitor, request: Request) -> Response:
    """Give the browser its cookie. GitHub sends it back from another site: lax, not strict."""
    secure = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    answer.set_cookie(
        COOKIE,
        visitor.secret,
        max_age=int(STATE_SECONDS),
        path=SETUP,
        httponly=True,
        samesite="lax",
        secure=secure,
    )
    return answer


async def _alive(_request: Request) -> Response:
    return JSONResponse({"status": "alive"})


async def _not_ready(_request: Request) -> Response:
    return JSONResponse({"status": "not ready", "why": "no App is set up yet"}, 503)


async def _not_yet(_request: Request) -> Response:
    """Refuse a delivery for now: GitHub shows it as failed, and it can be asked for again."""
    answer = {"error": "no App is set up yet"}
    return JSONResponse(answer, 503, {"Retry-After": "60", "Connection": "close"})
