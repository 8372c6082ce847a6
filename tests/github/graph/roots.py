"""Where queries and mutations begin."""

from typing import Any

from tests.github.model.accounts import Account
from tests.github.model.checks import CheckRun, CheckSuite
from tests.github.model.comments import Comment, Thread
from tests.github.model.labels import Label
from tests.github.model.pulls import PullRequest
from tests.github.model.repositories import Repository

from .accounts import UserNode, actor
from .base import Context, Node, refused, show
from .conversation import ThreadNode
from .repositories import RepositoryNode


class Query:
    """The root of queries."""

    def __init__(self, context: Context, cost: dict[str, Any]) -> None:
        self.context = context
        self.cost = cost

    def field_viewer(self) -> UserNode:
        """Return whoever asks; for an installation that is its App's bot, ``name[bot]``."""
        return UserNode(self.context, self.context.token.account)

    def field_rate_limit(self, *, dry_run: bool = False) -> dict[str, Any]:
        """Tell what this query costs and what is left."""
        del dry_run
        return self.cost

    def field_repository(
        self, owner: str, name: str, *, follow_renames: bool = True
    ) -> RepositoryNode:
        """Return a repository, or an error where there is none for whoever asks."""
        del follow_renames
        found = self.context.hub.find_repository(owner, name)
        if found is None or not self.context.token.sees(found):
            message = f"Could not resolve to a Repository with the name '{owner}/{name}'."
            raise refused("NOT_FOUND", message)
        return RepositoryNode(self.context, found)

    def field_node(self, id: str) -> Node[Any]:  # noqa: A002  the schema's name
        """Return anything by its id."""
        node = _visible(self.context, self.context.hub.ids.find(id))
        if node is None:
            message = f"Could not resolve to a node with the global id of '{id}'"
            raise refused("NOT_FOUND", message)
        return node

    def field_nodes(self, ids: list[str]) -> list[Node[Any]]:
        """Return several."""
        return [self.field_node(one) for one in ids]

    def field_user(self, login: str) -> UserNode:
        """Return a user by login."""
        account = self.context.hub.find_account(login)
        if account is None or account.kind != "User":
            raise refused("NOT_FOUND", f"Could not resolve to a User with the login of '{login}'.")
        return UserNode(self.context, account)


def _home(thing: object) -> Repository | None:
    """Return the repository that decides whether something may be seen."""
    match thing:
        case Repository():
            return thing
        case PullRequest() | Label():
            return thing.repository
        case Comment() | Thread():
            return thing.pull.repository
        case CheckRun():
            return thing.suite.repository
        case CheckSuite():
            return thing.repository
        case _:
            return None


def _visible(context: Context, thing: object) -> Node[Any] | None:
    home = _home(thing)
    if home is not None and not context.token.sees(home):
        return None
    return actor(context, thing) if isinstance(thing, Account) else show(context, thing)


class Mutation:
    """The root of mutations: what REST has no operation for."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def _thread(self, number: str) -> Thread:
        found = self.context.hub.ids.find(number)
        if not isinstance(found, Thread) or not self.context.token.sees(found.pull.repository):
            message = f"Could not resolve to a node with the global id of '{number}'"
            raise refused("NOT_FOUND", message)
        return found

    def field_resolve_review_thread(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        """Resolve a thread; it takes more than writing comments does."""
        thread = self._thread(input["threadId"])
        self.context.may(thread.pull.repository, self.context.hub.limits.resolving_needs)
        thread.resolve(by=self.context.token.account)
        return _payload(input, thread=ThreadNode(self.context, thread))

    def field_unresolve_review_thread(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        """Open it again."""
        thread = self._thread(input["threadId"])
        self.context.may(thread.pull.repository, self.context.hub.limits.resolving_needs)
        thread.unresolve(by=self.context.token.account)
        return _payload(input, thread=ThreadNode(self.context, thread))

    def _comment(self, number: str) -> Comment:
        found = self.context.hub.ids.find(number)
        if not isinstance(found, Comment) or not self.context.token.sees(found.pull.repository):
            message = f"Could not resolve to a node with the global id of '{number}'"
            raise refused("NOT_FOUND", message)
        self.context.may(found.pull.repository, "pull_requests:write|issues:write")
        return found

    def field_minimize_comment(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        """Fold a comment away, with a reason."""
        comment = self._comment(input["subjectId"])
        comment.minimized = input["classifier"].lower().replace("_", "-")
        return _payload(input, minimizedComment=_visible(self.context, comment))

    def field_unminimize_comment(self, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        """Show it again."""
        comment = self._comment(input["subjectId"])
        comment.minimized = None
        return _payload(input, unminimizedComment=_visible(self.context, comment))


def _payload(given: dict[str, Any], **what: Any) -> dict[str, Any]:
    return {"clientMutationId": given.get("clientMutationId"), **what}
