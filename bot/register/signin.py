"""Signing in with GitHub: as a user of our App, who sees what both the App and the user may.

GitHub Docs, "Generating a user access token for a GitHub App". The token is used once, to ask which
repositories that is, and then forgotten.
"""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import httpx2
from authlib.integrations.starlette_client import OAuth, OAuthError
from starlette.requests import Request
from starlette.responses import Response

_SECONDS = 20.0
_AT_ONCE = 8  # requests
_A_PAGE = 100
_MOST_PAGES = 200  # of one list


class SignInError(Exception):
    """Why nobody is signed in now, in one sentence for whoever tried."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in, and the REST ids of what they may see."""

    login: str
    repositories: tuple[int, ...]


@dataclass(slots=True)
class SignIn:
    """The two halves of signing in."""

    client_id: str
    client_secret: str = field(repr=False)
    web_url: str
    api_url: str
    _app: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._app = OAuth().register(
            "github",
            client_id=self.client_id,
            client_secret=self.client_secret,
            authorize_url=f"{self.web_url}/login/oauth/authorize",
            access_token_url=f"{self.web_url}/login/oauth/access_token",
            client_kwargs={
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_post",
                "timeout": _SECONDS,
            },
        )

    async def begin(self, request: Request, callback: str) -> Response:
        """Send the browser to GitHub, with a state and a challenge that only it can answer."""
        answer: Response = await self._app.authorize_redirect(request, callback)
        return answer

    async def end(self, request: Request) -> Person:
        """Return who came back. Raises SignInError."""
        if "error" in request.query_params:
            raise SignInError("GitHub says that access was not granted.")
        try:
            answer = await self._app.authorize_access_token(request)
            token = answer["access_token"]
        except (OAuthError, KeyError) as error:
            raise SignInError("This sign-in was not begun here, or it took too long.") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise SignInError("GitHub did not answer.") from error
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
        headers["User-Agent"] = "sockgate"
        async with httpx2.AsyncClient(headers=headers, timeout=_SECONDS) as client:
            try:
                return await self._person(client)
            except (httpx2.HTTPError, KeyError, TypeError, ValueError) as error:
                raise SignInError("GitHub did not say what you may see.") from error

    async def _person(self, client: httpx2.AsyncClient) -> Person:
        answer = await client.get(f"{self.api_url}/user")
        login = str(answer.raise_for_status().json()["login"])
        room = asyncio.Semaphore(_AT_ONCE)
        lists = _Lists(client, self.api_url, room)
        installed = await lists.all("/user/installations", "installations")
        paths = [f"/user/installations/{int(one['id'])}/repositories" for one in installed]
        found = await asyncio.gather(*(lists.all(path, "repositories") for path in paths))
        return Person(login, tuple(sorted({int(one["id"]) for some in found for one in some})))


@dataclass(frozen=True, slots=True)
class _Lists:
    """Reads lists of GitHub's, several pages at once: ten thousand repositories are a hundred."""

    client: httpx2.AsyncClient
    api_url: str
    room: asyncio.Semaphore

    async def all(self, path: str, key: str) -> list[dict[str, Any]]:
        first = await self._page(path, 1)
        last = min(-(-int(first["total_count"]) // _A_PAGE), _MOST_PAGES)
        rest = await asyncio.gather(*(self._page(path, n) for n in range(2, last + 1)))
        return [one for page in (first, *rest) for one in page[key]]

    async def _page(self, path: str, number: int) -> dict[str, Any]:
        asked = {"per_page": _A_PAGE, "page": number}
        async with self.room:
            answer = await self.client.get(f"{self.api_url}{path}", params=asked)
        page: dict[str, Any] = answer.raise_for_status().json()
        return page
