"""The pages once there is an App: what is still to do, live, for whoever sets it up.

They name repositories, so only a browser that did the set-up sees them; everybody else, a later
start of the server included, gets the page that explains what comes after installing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import pages
from bot.gate.policy import CHECK
from bot.setup.door import COOKIE, Door
from bot.setup.manifest import SETUP, WEBHOOK
from bot.setup.watch import Seen

PROGRESS = "/setup/progress"


@dataclass(frozen=True, slots=True)
class After:
    """What the routes work with."""

    door: Door
    look: Callable[..., Seen]
    evaluations: Callable[[], int]  # finished since the start
    public_url: str

    def routes(self) -> list[Route]:
        """Return the routes, to stand beside those of the server."""
        return [Route(SETUP, self._page), Route(PROGRESS, self._part), *pages.routes()]

    async def _page(self, request: Request) -> Response:
        if not self._may(request):
            # GitHub sends everybody here who has installed the App.
            return pages.page("setup_installed.html", check=CHECK)
        return await self._shown("setup_after.html", news="installation_id" in request.query_params)

    async def _part(self, request: Request) -> Response:
        if not self._may(request):
            return Response(status_code=403)
        return await self._shown("setup_progress.html")

    async def _shown(self, template: str, *, news: bool = False) -> Response:
        seen = await run_in_threadpool(self.look, news=news)
        evaluated = await run_in_threadpool(self.evaluations)
        return pages.page(
            template,
            seen=seen,
            evaluated=evaluated,
            check=CHECK,
            hook=(self.public_url or "https://YOUR-HOST") + WEBHOOK,
            settled=_settled(seen, evaluated),
            live=PROGRESS,
        )

    def _may(self, request: Request) -> bool:
        return self.door.known(request.cookies.get(COOKIE, "")) is not None


def _settled(seen: Seen, evaluated: int) -> bool:
    """Whether nothing is left to wait for."""
    return bool(
        evaluated
        and seen.heard
        and seen.heard.well
        and seen.places
        and all(place.required for place in seen.places)
    )
