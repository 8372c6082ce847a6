"""How a field finds its value: a table of plain fields, or a method for what takes arguments."""

import base64
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, TypeVar

import graphql

from tests.github.auth import Token

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub
    from tests.github.model.repositories import Repository

T = TypeVar("T")
Info: TypeAlias = graphql.GraphQLResolveInfo[Any]
Plain: TypeAlias = Mapping[str, Callable[[Any], Any]]
MOST = 100  # of ``first`` and ``last``


@dataclass(frozen=True, slots=True)
class Context:
    """Who asks, and where the answers are."""

    hub: "SmallGitHub"
    token: Token

    def may(self, repository: "Repository", needs: str) -> None:
        """Refuse with FORBIDDEN what the token lacks the permission for."""
        if not self.token.permits(repository, needs):
            raise refused("FORBIDDEN", "Resource not accessible by integration")


def refused(kind: str, message: str) -> graphql.GraphQLError:
    """Build an error with GitHub's ``type``."""
    return graphql.GraphQLError(message, extensions={"type": kind})


class Node(Generic[T]):
    """Something that GraphQL shows: ``plain`` fields by name, others as ``field_…`` methods."""

    typename: ClassVar[str]
    plain: ClassVar[Plain] = {}

    def __init__(self, context: Context, thing: T) -> None:
        self.context = context
        self.thing = thing


_SHOWN: dict[type, Callable[[Context, Any], "Node[Any]"]] = {}
N = TypeVar("N", bound=type[Node[Any]])


def shows(kind: type) -> Callable[[N], N]:
    """Register a node class as what shows a kind of thing, so that ``show`` finds it."""

    def register(node: N) -> N:
        _SHOWN[kind] = node
        return node

    return register


def show(context: Context, thing: object) -> "Node[Any] | None":
    """Show a thing as what it is; None for None and for what has no node."""
    node = _SHOWN.get(type(thing))
    return node(context, thing) if node else None


@functools.cache
def snake(name: str) -> str:
    """Turn ``nameWithOwner`` into ``name_with_owner``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def resolve(source: Any, info: Info, **arguments: Any) -> Any:
    """Find a field's value; what GitHub has and the small GitHub has not is an error that shows."""
    name = info.field_name
    if isinstance(source, dict) and name in source:
        value = source[name]
        return value(**arguments) if callable(value) else value
    method = getattr(source, f"field_{snake(name)}", None)
    if method is not None:
        return method(**{snake(key): value for key, value in arguments.items()})
    if isinstance(source, Node) and name in source.plain:
        return source.plain[name](source.thing)
    context: Context = info.context
    message = f"the small GitHub does not offer {info.parent_type.name}.{name}"
    context.hub.truth.note(message)
    raise graphql.GraphQLError(message)


def type_of(value: Any, _info: Info, _kind: Any) -> str:
    """Name the type behind an interface or union."""
    return str(value.typename)


class Connection:
    """One page of a list; ``first`` or ``last`` must be given, at most 100 (GitHub's rule)."""

    def __init__(
        self,
        items: Sequence[Any],
        wrap: Callable[[Any], Any],
        *,
        first: int | None = None,
        last: int | None = None,
        after: str | None = None,
        before: str | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        if first is None and last is None:
            raise refused(
                "MISSING_PAGINATION_BOUNDARIES",
                "You must provide a `first` or `last` value to properly paginate the connection.",
            )
        for name, size in (("first", first), ("last", last)):
            if size is not None and size > MOST:
                message = f"Requesting {size} records exceeds the `{name}` limit of 100 records."
                raise refused("EXCESSIVE_PAGINATION", message)
        start = _position(after) + 1 if after else 0
        end = _position(before) if before else len(items)
        self.start, self.end = start, end
        if first is not None:
            self.end = min(end, start + first)
        if last is not None:
            self.start = max(self.start, self.end - last)
        self.items, self.wrap, self.more = items, wrap, more or {}

    def _page(self) -> list[Any]:
        return [self.wrap(item) for item in self.items[self.start : self.end]]

    def field_nodes(self) -> list[Any]:
        """List what is on the page."""
        return self._page()

    def field_edges(self) -> list[Any]:
        """List it with cursors."""
        return [
            {"node": node, "cursor": _cursor(self.start + number), **getattr(node, "edge", {})}
            for number, node in enumerate(self._page())
        ]

    def field_total_count(self) -> int:
        """Count all, not only the page."""
        return len(self.items)

    def field_filtered_count(self) -> int:
        """Count all that the filter lets through."""
        return len(self.items)

    def field_page_info(self) -> dict[str, Any]:
        """Say whether there is more."""
        some = self.end > self.start
        return {
            "startCursor": _cursor(self.start) if some else None,
            "endCursor": _cursor(self.end - 1) if some else None,
            "hasNextPage": self.end < len(self.items),
            "hasPreviousPage": self.start > 0,
        }


def _cursor(position: int) -> str:
    return base64.b64encode(f"cursor:v2:{position}".encode()).decode()


def _position(cursor: str) -> int:
    try:
        return int(base64.b64decode(cursor).decode().rpartition(":")[2])
    except ValueError:
        message = f"`{cursor}` does not appear to be a valid cursor."
        raise refused("INVALID_CURSOR_ARGUMENTS", message) from None
