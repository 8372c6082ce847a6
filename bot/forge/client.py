"""App authentication, pace, retries, and one error for all that can go wrong.

What only reads is sent again; writes are not: GitHub can answer with an error after it has stored a
comment, so the job tries again after looking at what is there. Nothing waits here for a limit to
end: that is the job's, which holds no thread meanwhile.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import lru_cache, partial
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

import jwt
from github import Auth, Github, GithubException, GithubIntegration
from jwt.algorithms import RSAAlgorithm
from urllib3.util import Retry

from bot import __version__, traces
from bot.forge.error import ForgeError
from bot.forge.failures import as_forge_errors, check_json, graphql_error, headers_of
from bot.forge.pace import Installation, Pace, Token, permit

Counter = Callable[[str, str, float], None]  # (kind, outcome, seconds), a request
Rate = Callable[[int, Mapping[str, str]], None]  # (installation, headers of an answer)


MOST_PAGES = 100  # of a list that is read whole
_AGAIN = (0.5, 1.0)  # seconds until what only reads is sent again, and again
_TIMEOUT = 12  # seconds to connect, and as many for an answer: see `Pace.lands`


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
        self._installations: dict[int, Installation] = {}
        self._lock = Lock()

    def client(self, installation: int) -> "Client":
        """Return a client for one job: PyGithub's keep a request's state, so threads share none.

        Token and pace are the installation's. Raises ForgeError where there is no token to have.
        """
        with self._lock:
            shared = self._installations.setdefault(installation, Installation(self._pace))
        token = shared.token(lambda: self._token(installation))
        github = Github(auth=Auth.Token(token), lazy=True, retry=None, **self._options)
        return Client(github, shared, self._count, partial(self._rate, installation))

    def slug(self) -> str:
        """Return the App's slug: its account is called "slug[bot]". Raises ForgeError."""
        with self._counted(), as_forge_errors():
            return self._app().get_app().slug

    def installations(self) -> list[int]:
        """Return every installation of the App. Raises ForgeError."""
        with self._counted(), as_forge_errors():
            return [installation.id for installation in self._app().get_installations()]

    def ask(self, path: str, verb: str = "GET") -> tuple[dict[str, Any], Any]:
        """Ask as the App itself; return the answer's headers and what it says. Raises ForgeError.

        Names of headers are in lower case.
        """
        with self._counted(), as_forge_errors():
            headers, answer = self._app().requester.requestJsonAndCheck(verb, path)
            check_json(answer)
            return {name.lower(): value for name, value in headers.items()}, answer

    def _counted(self) -> AbstractContextManager[None]:
        return _counted(self._count, "app")

    def _app(self) -> GithubIntegration:
        return GithubIntegration(auth=self._auth, retry=_retry(), **self._options)

    def _token(self, installation: int) -> "Token":
        with self._counted(), as_forge_errors():
            answer = self._app().get_access_token(installation)
            return Token(answer.token, answer.expires_at)


class Client:
    """Requests of one installation, for one thread. Its answers are plain JSON."""

    def __init__(
        self,
        github: Github,
        shared: Installation,
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
            raise graphql_error(error)
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
                self._rate(headers_of(error.__cause__))
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
            with _counted(self._count, kind, verb, url), as_forge_errors():
                headers, answer = self._requester.requestJsonAndCheck(
                    verb, url, parameters=parameters, input=body
                )
                check_json(answer)
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
