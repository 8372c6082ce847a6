"""Routes: an operation of GitHub's description, who may call it, and what answers."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from tests.github.auth import Token
from tests.github.model.apps import App
from tests.github.model.base import Refused
from tests.github.model.pulls import PullRequest
from tests.github.model.repositories import Repository

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub
    from tests.github.views.base import Urls

_LONG = ("basehead", "path", "ref")  # parameters that may hold a slash


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; ``body`` None is an empty one."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One request to one operation."""

    hub: "SmallGitHub"
    route: "Route"
    actor: Token | App
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any
    url: str

    @property
    def urls(self) -> "Urls":
        """The addresses that answers link to."""
        return self.hub.urls

    @property
    def token(self) -> Token:
        """The token of an operation that is not the App's own."""
        if isinstance(self.actor, App):
            raise Refused(403, "Resource not accessible by integration")
        return self.actor

    @property
    def app(self) -> App:
        """The App of an operation that takes its signed token."""
        if isinstance(self.actor, App):
            return self.actor
        raise Refused(401, "A JSON web token could not be decoded")

    def number(self, name: str) -> int:
        """Return a number of the path, or refuse as not found."""
        if not self.path[name].isdigit():
            raise Refused(404, "Not Found")
        return int(self.path[name])

    def repository(self) -> Repository:
        """Return the repository of the path, as far as the caller may use it for this."""
        found = self.hub.find_repository(self.path["owner"], self.path["repo"])
        token = self.token
        if found is None or not token.sees(found):
            raise Refused(404, "Not Found")
        if not token.permits(found, self.route.needs):
            message = "Must have admin rights to Repository."
            if token.installation is not None:
                message = "Resource not accessible by integration"
            raise Refused(403, message)
        return found

    def pull(self, name: str = "pull_number") -> PullRequest:
        """Return the pull request of the path."""
        found = self.repository().pulls.get(self.number(name))
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def page(
        self, items: Sequence[Any], view: Callable[[Any], Any], *, wrap: str | None = None
    ) -> Answer:
        """Answer one page of a list, with links to the others; ``wrap`` names it in an object."""
        size = min(max(int(self.query.get("per_page", "30")), 1), 100)
        current = max(int(self.query.get("page", "1")), 1)
        last = max((len(items) + size - 1) // size, 1)
        chosen = [view(item) for item in items[(current - 1) * size : current * size]]
        links = {"prev": current - 1, "next": current + 1, "last": last, "first": 1}
        shown = [
            f'<{self.url}?{urlencode({**self.query, "page": number})}>; rel="{name}"'
            for name, number in links.items()
            if (current > 1 and name in ("prev", "first"))
            or (current < last and name in ("next", "last"))
        ]
        body = chosen if wrap is None else {"total_count": len(items), wrap: chosen}
        return Answer(200, body, {"link": ", ".join(shown)} if shown else {})


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: ``template`` is the path as GitHub's description writes it."""

    method: str
    template: str
    needs: str
    handler: Handler
    pattern: re.Pattern[str]

    @property
    def operation(self) -> tuple[str, str]:
        """The key in GitHub's description."""
        return (self.method, self.template)


ROUTES: list[Route] = []


def route(method: str, template: str, needs: str = "metadata:read") -> Callable[[Handler], Handler]:
    """Register a handler for an operation that needs a permission, or one of several ("|")."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, needs, handler, _pattern(template)))
        return handler

    return register


def _pattern(template: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", template)
    text = ""
    for position, part in enumerate(parts):
        if position % 2 == 0:
            text += re.escape(part)
        else:
            text += f"(?P<{part}>{'.+' if part in _LONG else '[^/]+'})"
    return re.compile(text + r"\Z")


def find(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """Find the operation of a path that is still percent-encoded."""
    for one in sorted(ROUTES, key=lambda one: -len(one.template)):  # the most specific first
        if one.method == method:
            found = one.pattern.match(raw_path)
            if found:
                return one, {name: unquote(text) for name, text in found.groupdict().items()}
    return None
