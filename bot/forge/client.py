"""App authentication, pace, retries, and one error for all that can go wrong.

What only reads is sent again; writes are not: GitHub can answer with an error after it has stored a
comment, so the job tries again after looking at what is there. Nothing waits here for a limit to
end: that is the job's, which holds no thread meanwhile.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from threading import Lock
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt
import requests
import urllib3
from github import Auth, Github, GithubException, GithubIntegration
from github.GithubException import (
    BadAttributeException,
    BadCredentialsException,
    RateLimitExceededException,
    UnknownObjectException,
)
from jwt.algorithms import RSAAlgorithm
from urllib3.util import Retry

from bot import __version__, traces
from bot.forge.error import ForgeError

Counter = Callable[[str, str, float], None]  # (kind, outcome, seconds), a request
Rate = Callable[[int, Mapping[str, str]], None]  # (installation, headers of an answer)


class Permit(Protocol):
    """Asked before each request of a job. Raises ForgeError where it may not be sent any more."""

    def sharers(self) -> int:
        """Return with how many machines the installation's pace is shared."""

    def writing(self) -> AbstractContextManager[None]:
        """Have a write under way."""


class _Free:
    """Of whoever is no job."""

    def sharers(self) -> int:
        return 1

    def writing(self) -> AbstractContextManager[None]:
        return nullcontext()


_FREE: Permit = _Free()
permit: ContextVar[Permit] = ContextVar("permit", default=_FREE)  # of the job in this context

FOREIGN = (
    GithubException,
    BadAttributeException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
)
MOST_PAGES = 100  # of a list that is read whole
_AGAIN = (0.5, 1.0)  # seconds until what only reads is sent again, and again
_TIMEOUT = 12  # seconds to connect, and as many for an answer: see `Pace.lands`
_RENEWED = timedelta(minutes=5)  # a token that ends sooner is not used for another job
_LIMITED = 60.0  # "at least one minute" (GitHub Docs, "Rate limits for the REST API")


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests of one installation may follow each other, in seconds.

    GitHub Docs, "Best practices for using the REST API". `lands`: after so long a write is done or
    never will be, whatever was answered: what takes GitHub more than ten seconds, it ends by itself
    (GitHub Docs, "Troubleshooting the REST API").
    """

    requests: float = 0.05
    writes: float = 1.0
    lands: float = 10.0


class GitHub:
    """The App as a whole: its own requests, and clients for its installations."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str,
        *,
        pace: Pace | None = None,
        count: Counter = lambda _kind, _outcome, _seconds: None,
        rate: Rate = lambda _installation, _headers: None,
    ) -> None:
        self.app_id = app_id
        self._auth = Auth.AppAuth(app_id, sign_func=_signer(private_key))
        self._options: dict[str, Any] = {
            "base_url": api_url.rstrip("/"),
            "timeout": _TIMEOUT,
            "user_agent": f"sockgate/{__version__}",
            "seconds_between_requests": None,
            "seconds_between_writes": None,
        }
        self._pace = pace or Pace()
        self._count = count
        self._rate = rate
        self._installations: dict[int, _Installation] = {}
        self._lock = Lock()

    def client(self, installation: int) -> "Client":
        """Return a client for one job: PyGithub's keep a request's state, so threads share none.

        Token and pace are the installation's. Raises ForgeError where there is no token to have.
        """
        with self._lock:
            shared = self._installations.setdefault(installation, _Installation(self._pace))
        token = shared.token(lambda: self._token(installation))
        github = Github(auth=Auth.Token(token), lazy=True, retry=None, **self._options)
        return Client(github, shared, self._count, partial(self._rate, installation))

    def slug(self) -> str:
        """Return the App's slug: its account is called "slug[bot]". Raises ForgeError."""
        with self._counted(), _errors():
            return self._app().get_app().slug

    def installations(self) -> list[int]:
        """Return every installation of the App. Raises ForgeError."""
        with self._counted(), _errors():
            return [installation.id for installation in self._app().get_installations()]

    def ask(self, path: str, verb: str = "GET") -> tuple[dict[str, Any], Any]:
        """Ask as the App itself; return the answer's headers and what it says. Raises ForgeError.

        Names of headers are in lower case.
        """
        with self._counted(), _errors():
            headers, answer = self._app().requester.requestJsonAndCheck(verb, path)
            _check_json(answer)
            return {name.lower(): value for name, value in headers.items()}, answer

    def _counted(self) -> AbstractContextManager[None]:
        return _counted(self._count, "app")

    def _app(self) -> GithubIntegration:
        return GithubIntegration(auth=self._auth, retry=_retry(), **self._options)

    def _token(self, installation: int) -> "_Token":
        with self._counted(), _errors():
            answer = self._app().get_access_token(installation)
            return _Token(answer.token, answer.expires_at)


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    expires_at: datetime


class _Installation:
    """What the clients of one installation share, whatever thread they are in."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._known: _Token | None = None
        self._asking = Lock()
        self._lock = Lock()
        self._next = {False: 0.0, True: 0.0}  # by whether it writes

    def token(self, ask: Callable[[], _Token]) -> str:
        """Return a token that lasts for a job."""
        with self._asking:
            if self._known is None or self._known.expires_at - datetime.now(UTC) < _RENEWED:
                self._known = ask()
            return self._known.text

    def drop(self, token: str) -> None:
        """Forget a token that GitHub does not take any more."""
        with self._asking:
            if self._known is not None and self._known.text == token:
                self._known = None

    def wait(self, *, writes: bool) -> None:
        """Wait for this request's turn. Raises ForgeError where it may not be sent any more."""
        machines = permit.get().sharers()
        gap = self._pace.writes * machines if writes else self._pace.requests
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next[writes])
            self._next[writes] = turn + gap
        if turn > now:
            time.sleep(turn - now)
            permit.get().sharers()

    def land(self, sent: float) -> None:
        """Wait until a write sent at that time can land no more: whoever looks then sees it."""
        time.sleep(max(0.0, sent + self._pace.lands - time.monotonic()))


class Client:
    """Requests of one installation, for one thread. Its answers are plain JSON."""

    def __init__(
        self,
        github: Github,
        shared: _Installation,
        count: Counter,
        rate: Callable[[Mapping[str, str]], None],
    ) -> None:
        self._requester = github.requester
        self._shared = shared
        self._count = count
        self._rate = rate

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """GET a REST path. Raises ForgeError."""
        return self._ask("GET", path, parameters=dict(parameters or {}))

    def send(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a write, once. Raises ForgeError."""
        return self._ask(verb, path, body=dict(body) if body is not None else None, writes=True)

    def pages(self, path: str, key: str | None = None, most: int | None = None) -> Iterator[Any]:
        """Yield the members of a paged list, a hundred a request.

        With `most` so many requests at most; without, a list that does not end is no list: raises
        ForgeError.
        """
        limit = most if most is not None else MOST_PAGES
        for page in range(1, limit + 1):
            answer = self.get(path, {"per_page": 100, "page": page})
            members = answer[key] if key else answer
            yield from members
            if len(members) < 100:
                return
        if most is None:
            what = path.rpartition("/")[2]
            raise ForgeError(f"more than {limit * 100:,} {what}", retry=False)

    def graphql(
        self, query: str, variables: Mapping[str, Any], optional: str = "", *, once: bool = False
    ) -> Any:
        """Run a GraphQL query and return its `data`.

        `optional` is a field of the top that may name nothing, or nothing that the App may see: it
        is None then. `once`: asking for less is better than asking again. Raises ForgeError for any
        other error, also where GitHub answers with half of what was asked.
        """
        answer = self._ask(
            "POST",
            self._requester.graphql_url,
            body={"query": query, "variables": dict(variables)},
            kind="graphql",
            writes=query.lstrip().startswith("mutation"),
            once=once,
        )
        for error in answer.get("errors") or []:
            where = (error.get("path") or [""])[0]
            hidden = error.get("type") in {"NOT_FOUND", "FORBIDDEN"}
            if hidden and optional and where == optional:
                continue
            raise _graphql_error(error)
        return answer["data"]

    def _ask(
        self,
        verb: str,
        url: str,
        *,
        parameters: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        kind: str = "rest",
        writes: bool = False,
        once: bool = False,
    ) -> Any:
        """Send a request, and again where it only reads and that may help at once."""
        for pause in () if writes or once else _AGAIN:
            try:
                return self._ask_once(verb, url, parameters, body, kind, writes=writes)
            except ForgeError as error:
                if not error.retry or error.after is not None or error.status == 401:
                    raise
            time.sleep(pause)
        return self._ask_once(verb, url, parameters, body, kind, writes=writes)

    def _ask_once(
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None,
        body: dict[str, Any] | None,
        kind: str,
        *,
        writes: bool,
    ) -> Any:
        self._shared.wait(writes=writes)
        under_way = permit.get().writing() if writes else nullcontext()
        try:
            with under_way:
                headers, answer = self._sent(verb, url, parameters, body, kind, writes=writes)
        except ForgeError as error:
            if isinstance(error.__cause__, GithubException):
                self._rate(_headers(error.__cause__))
            if error.status == 401 and self._requester.auth is not None:
                self._shared.drop(self._requester.auth.token)
            raise
        self._rate(headers)
        return answer

    def _sent(
        self,
        verb: str,
        url: str,
        parameters: dict[str, Any] | None,
        body: dict[str, Any] | None,
        kind: str,
        *,
        writes: bool,
    ) -> tuple[Mapping[str, str], Any]:
        began = time.monotonic()
        try:
            with _counted(self._count, kind, verb, url), _errors():
                headers, answer = self._requester.requestJsonAndCheck(
                    verb, url, parameters=parameters, input=body
                )
                _check_json(answer)
        except ForgeError as error:
            if writes and error.unsure:
                self._shared.land(began)
            raise
        return headers, answer


@contextmanager
def _counted(count: Counter, kind: str, verb: str = "", url: str = "") -> Iterator[None]:
    """Count one request, with its outcome and how long it took."""
    began, outcome = time.monotonic(), "ok"
    about = {"http.request.method": verb, "url.path": urlsplit(url).path} if verb else {}
    with traces.span(f"github {kind}", about):
        try:
            yield
        except ForgeError as error:
            outcome = error.reason.split(":")[0]
            raise
        finally:
            count(kind, outcome, time.monotonic() - began)


def _signer(private_key: str) -> Callable[[dict[str, Any]], str]:
    """Return what signs our tokens. The key is read once, at first use: it takes 50 ms."""
    return lambda payload: jwt.encode(payload, _key(private_key), algorithm="RS256")


@lru_cache(maxsize=2)
def _key(private_key: str) -> Any:
    return RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(private_key)


def _retry() -> Retry:
    """Repeat the App's own GETs that found no answer or a 5xx.

    PyGithub's own would repeat POSTs too, and wait in the thread for as long as GitHub asks.
    """
    return Retry(
        total=len(_AGAIN),
        backoff_factor=_AGAIN[0],
        allowed_methods={"GET"},
        status_forcelist=range(500, 600),
        respect_retry_after_header=False,
        raise_on_status=False,
    )


def _check_json(answer: Any) -> None:
    """Refuse what PyGithub makes of a body that is no JSON: the text itself, below "data"."""
    if isinstance(answer, dict) and isinstance(answer.get("data"), str):
        raise ValueError("no JSON")  # noqa: TRY004 - the body is at fault, not a type of ours


def _graphql_error(error: Mapping[str, Any]) -> ForgeError:
    message = str(error.get("message", "no message"))[:200]
    match error.get("type"):
        case "NOT_FOUND":
            return ForgeError(f"not found: {message}", retry=False, status=404)
        case "RATE_LIMITED":
            return ForgeError(f"rate limit: {message}", retry=True, after=_LIMITED)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return ForgeError(f"not permitted: {message}", retry=False, status=403)
        case _:
            return ForgeError(f"graphql: {message}", retry=True)


@contextmanager
def _errors() -> Iterator[None]:
    """Turn whatever comes out of a request, PyGithub or what it stands on, into a ForgeError."""
    try:
        yield
    except FOREIGN as error:
        raise forge_error(error) from error
    except jwt.PyJWTError as error:
        raise ForgeError(f"private key: {type(error).__name__}", retry=False) from error
    except (ValueError, AssertionError, RuntimeError, OSError) as error:
        # A body that was cut off or is no JSON; a redirect to another host; a connection reset.
        raise ForgeError(f"unreadable answer: {type(error).__name__}", retry=True) from error


def forge_error(error: Exception) -> ForgeError:
    """Return the one error for whatever PyGithub and what it stands on raise."""
    match error:
        case RateLimitExceededException():
            return ForgeError("rate limit: reached", retry=True, after=_until(error), status=403)
        case BadCredentialsException():
            return ForgeError("credentials: not accepted", retry=True, after=10, status=401)
        case UnknownObjectException():
            return ForgeError("not found: gone, or hidden from the App", retry=False, status=404)
        case GithubException():
            return _by_status(error)
        case requests.Timeout():
            return ForgeError("no answer: time-out", retry=True)
        case _:
            return ForgeError(f"no answer: {type(error).__name__}", retry=True)


def _by_status(error: GithubException) -> ForgeError:
    status, message = error.status, str(error.message or "")[:200]
    limited = status == 429 or (status == 403 and "retry-after" in _headers(error))
    if limited:
        return ForgeError(f"rate limit: {message}", retry=True, after=_until(error), status=status)
    if status >= 500 or status in {0, 408, 409, 425}:
        wait = _headers(error).get("retry-after", "")
        after = float(wait) if wait.isdigit() else None
        return ForgeError(f"status {status}: {message}", retry=True, after=after, status=status)
    if status in {404, 410, 451}:
        return ForgeError(f"not found: {message}", retry=False, status=status)
    if status in {401, 403}:
        return ForgeError(f"not permitted: {message}", retry=status == 401, status=status)
    return ForgeError(f"status {status}: {message}", retry=False, status=status)


def _headers(error: GithubException) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (error.headers or {}).items()}


def _until(error: GithubException) -> float:
    """Return the seconds until GitHub takes requests again.

    GitHub Docs, "Rate limits for the REST API": `retry-after`, else the primary limit's reset
    where nothing is left, else a minute.
    """
    headers = _headers(error)
    wait, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if wait.isdigit():
        return float(wait)
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0) + 1
    return _LIMITED
