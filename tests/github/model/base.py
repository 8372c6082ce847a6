"""One lock for the whole state: every change runs alone and wakes whoever waits for one."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub


class _Part(Protocol):
    hub: "SmallGitHub"


class Thing:
    """A part of the state; its ``repr`` stays short, since everything refers to everything."""

    __slots__ = ()

    def __repr__(self) -> str:
        for name in ("login", "slug", "full_name", "name", "number", "kind", "id"):
            if hasattr(self, name):
                return f"<{type(self).__name__} {getattr(self, name)}>"
        return f"<{type(self).__name__}>"


P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=_Part)


def change(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Make a method run under the state's lock, and tell ``wait_for`` that something changed."""

    @functools.wraps(method)
    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.hub.changed:
            try:
                return method(self, *args, **kwargs)
            finally:
                self.hub.changed.notify_all()

    return run


class Refused(Exception):  # noqa: N818  GitHub's answer, not a fault of ours
    """GitHub would answer with an error: a status, a message, and ``errors`` as REST lists them."""

    def __init__(self, status: int, message: str, errors: list[object] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors


def invalid(resource: str, field: str, message: str, code: str = "custom") -> Refused:
    """Build the usual 422 about one field."""
    error = {"resource": resource, "code": code, "field": field, "message": message}
    return Refused(422, "Validation Failed", [error])
