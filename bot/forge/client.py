"""App authentication, throttle, retries, and one error for all that can go wrong.

GETs are repeated below; writes are not: GitHub can answer with an error after it has stored a
comment, so the job tries again after looking at what is there.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any

import requests
import urllib3
from github import Auth, Github, GithubException, GithubIntegration, GithubRetry
from github.GithubException import (
    BadCredentialsException,
    RateLimitExceededExceedsMaxWait,
    RateLimitExceededException,
    UnknownObjectException,
)
from github.Requester import Requester

from bot import __version__
from bot.forge.error import ForgeError

Counter = Callable[[str, str], None]  # (kind, outcome), a request

_LONGEST_WAIT = 5.0  # seconds within a request; longer waits are the job's
_GET_ATTEMPTS = 2
_TIMEOUT = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast requests may follow each other, in seconds (GitHub Docs, "Best practices")."""

    requests: float = 0.05
    writes: float = 1.0


class GitHub:
    """The App as a whole: its own requests, and clients for its installations."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str,
        *,
        pace: Pace | None = None,
        count: Counter = lambda _kind, _outcome: None,
    ) -> None:
        self.app_id = app_id
        self._auth = Auth.AppAuth(app_id, private_key)
        self._options: dict[str, Any] = {
            "base_url": api_url.rstrip("/"),
            "timeout": _TIMEOUT,
            "user_agent": f"sockgate/{__version__}",
            "seconds_between_requests": (pace or Pace()).requests,
            "seconds_between_writes": (pace or Pace()).writes,
        }
        self._count = count
        self._clients: dict[int, Client] = {}
        self._lock = Lock()

    def client(self, installation: int) -> "Client":
        """Return the client of an installation. Its token is shared, so it is asked for once."""
        with self._lock:
            if installation not in self._clients:
                auth = self._auth.get_installation_auth(installation)
                github = Github(auth=auth, retry=_retry(), lazy=True, **self._options)
                self._clients[installation] = Client(github.requester, self._count)
            return self._clients[installation]

    def slug(self) -> str:
        """Return the App's slug: its account is called "slug[bot]". Raises ForgeError."""
        with _errors():
            integration = GithubIntegration(auth=self._auth, retry=_retry(), **self._options)
            self._count("app", "asked")
            return integration.get_app().slug

    def installations(self) -> list[int]:
        """Return every installation of the App. Raises ForgeError."""
        with _errors():
            integration = GithubIntegration(auth=self._auth, retry=_retry(), **self._options)
            return [installation.id for installation in integration.get_installations()]


class Client:
    """Requests of one installation. Its answers are plain JSON."""

    def __init__(self, requester: Requester, count: Counter) -> None:
        self._requester = requester
        self._count = count

    def get(self, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """GET a REST path. Raises ForgeError."""
        return self._ask("GET", path, parameters=dict(parameters or {}))

    def send(self, verb: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a write, once. Raises ForgeError."""
        return self._ask(verb, path, body=dict(body) if body is not None else None)

    def pages(self, path: str, key: str | None = None, most: int = 100) -> Iterator[Any]:
        """Yield the members of a paged list, a hundred a request, at most `most` requests."""
        for page in range(1, most + 1):
            answer = self.get(path, {"per_page": 100, "page": page})
            members = answer[key] if key else answer
            yield from members
            if len(members) < 100:
                return

    def graphql(self, query: str, variables: Mapping[str, Any], optional: str = "") -> Any:
        """Run a GraphQL query and return its `data`.

        `optional` is a field of the top that may name nothing: it is None then. Raises ForgeError
        for any other error, also where GitHub answers with half of what was asked.
        """
        body = {"query": query, "variables": dict(variables)}
        answer = self._ask("POST", self._requester.graphql_url, body=body, kind="graphql")
        for error in answer.get("errors") or []:
            where = (error.get("path") or [""])[0]
            if error.get("type") == "NOT_FOUND" and optional and where == optional:
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
    ) -> Any:
        try:
            with _errors():
                _, answer = self._requester.requestJsonAndCheck(
                    verb, url, parameters=parameters, input=body
                )
        except ForgeError as error:
            self._count(kind, error.reason.split(":")[0])
            raise
        self._count(kind, "ok")
        return answer


def _retry() -> GithubRetry:
    return GithubRetry(
        total=_GET_ATTEMPTS,
        backoff_factor=0.5,
        allowed_methods={"GET"},
        max_rate_limit_wait=_LONGEST_WAIT,
    )


def _graphql_error(error: Mapping[str, Any]) -> ForgeError:
    message = str(error.get("message", "no message"))
    match error.get("type"):
        case "NOT_FOUND":
            return ForgeError(f"not found: {message}", retry=False)
        case "RATE_LIMITED":
            return ForgeError(f"rate limit: {message}", retry=True, after=60)
        case "FORBIDDEN" | "INSUFFICIENT_SCOPES":
            return ForgeError(f"not permitted: {message}", retry=False)
        case _:
            return ForgeError(f"graphql: {message}", retry=True)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (GithubException, requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise forge_error(error) from error
    except (ValueError, AssertionError) as error:  # a body that was cut off, or no JSON
        raise ForgeError(f"unreadable answer: {type(error).__name__}", retry=True) from error


def forge_error(error: Exception) -> ForgeError:
    """Return the one error for whatever PyGithub and what it stands on raise."""
    match error:
        case RateLimitExceededExceedsMaxWait():
            return ForgeError("rate limit: to be waited for", retry=True, after=error.wait)
        case RateLimitExceededException():
            return ForgeError("rate limit: reached", retry=True, after=60)
        case BadCredentialsException():
            return ForgeError("credentials: not accepted", retry=True, after=10)
        case UnknownObjectException():
            return ForgeError("not found: gone, or not visible to the App", retry=False)
        case GithubException():
            return _by_status(error)
        case requests.Timeout():
            return ForgeError("no answer: time-out", retry=True)
        case _:
            return ForgeError(f"no answer: {type(error).__name__}", retry=True)


def _by_status(error: GithubException) -> ForgeError:
    status, message = error.status, str(error.message or "")[:200]
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    wait = headers.get("retry-after", "")
    after = float(wait) if wait.isdigit() else None
    if status >= 500 or status in {0, 408, 409, 425}:
        return ForgeError(f"status {status}: {message}", retry=True, after=after)
    if status == 429 or (status == 403 and after is not None):
        return ForgeError(f"rate limit: {message}", retry=True, after=after or 60)
    if status in {404, 410, 451}:
        return ForgeError(f"not found: {message}", retry=False)
    if status in {401, 403}:
        return ForgeError(f"not permitted: {message}", retry=status == 401)
    return ForgeError(f"status {status}: {message}", retry=False)
