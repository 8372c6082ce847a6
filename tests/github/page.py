"""Pages for people."""

from typing import TYPE_CHECKING

from .rest.route import Answer

if TYPE_CHECKING:
    from .hub import SmallGitHub
    from .log import LoggedRequest


def find(method: str, path: str) -> bool:
    """Whether a path is a page, where the API is at the root too."""
    return method == "GET" and path == "/"


def answer(hub: "SmallGitHub", entry: "LoggedRequest") -> Answer:
    """Answer a request for a page."""
    del hub, entry
    return Answer(404, {"message": "Not Found"})
