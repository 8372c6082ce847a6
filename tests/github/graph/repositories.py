"""Repositories, and the queries that begin there."""

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.github.clock import stamp
from tests.github.model.repositories import Repository

from . import objects
from .accounts import actor
from .base import Connection, Node, Plain, refused, shows
from .labels import LabelNode
from .objects import Branch, RefNode
from .pulls import PullRequestNode
from .queue import merge_queue


@shows(Repository)
class RepositoryNode(Node[Repository]):
    """A repository."""

    typename = "Repository"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "name": lambda one: one.name,
        "nameWithOwner": lambda one: one.full_name,
        "isPrivate": lambda one: one.private,
        "isFork": lambda one: one.parent is not None,
        "isArchived": lambda _: False,
        "isInOrganization": lambda one: one.owner.kind == "Organization",
        "visibility": lambda one: "PRIVATE" if one.private else "PUBLIC",
        "description": lambda one: one.description,
        "url": lambda one: f"{one.hub.page_url}/{one.full_name}",
        "createdAt": lambda one: stamp(one.created_at),
        "pushedAt": lambda one: stamp(one.pushed_at),
        "isEmpty": lambda one: not one.branches,
    }

    def field_owner(self) -> Node[Any] | None:
        """Return whose it is."""
        return actor(self.context, self.thing.owner)

    def field_parent(self) -> "RepositoryNode | None":
        """Return what it was forked from."""
        parent = self.thing.parent
        return RepositoryNode(self.context, parent) if parent else None

    def field_default_branch_ref(self) -> RefNode | None:
        """Return the default branch."""
        return self._ref(self.thing.default_branch)

    def field_ref(self, qualified_name: str) -> RefNode | None:
        """Return a branch by name."""
        if qualified_name == "HEAD":
            return self._ref(self.thing.default_branch)
        return self._ref(qualified_name.removeprefix("refs/heads/"))

    def field_refs(self, ref_prefix: str, **page: Any) -> Connection:
        """List the branches below a prefix."""
        self.context.may(self.thing, "contents:read")
        below = [
            name for name in self.thing.branches if f"refs/heads/{name}".startswith(ref_prefix)
        ]
        return Connection(
            below, lambda name: RefNode(self.context, Branch(self.thing, name)), **page
        )

    def _ref(self, name: str) -> RefNode | None:
        if name not in self.thing.branches:
            return None
        return RefNode(self.context, Branch(self.thing, name))

    def field_object(self, expression: str | None = None, oid: str | None = None) -> Any:
        """Return an object by expression or by its name."""
        self.context.may(self.thing, "contents:read")
        return objects.found(self.context, self.thing, oid or expression or "HEAD")

    def field_label(self, name: str) -> LabelNode | None:
        """Return a label."""
        label = self.thing.label(name)
        return LabelNode(self.context, label) if label else None

    def field_labels(self, query: str | None = None, **page: Any) -> Connection:
        """List labels."""
        page.pop("order_by", None)
        chosen = [one for one in self.thing.labels if (query or "").lower() in one.name.lower()]
        return Connection(chosen, lambda one: LabelNode(self.context, one), **page)

    def field_pull_request(self, number: int) -> PullRequestNode:
        """Return a pull request, or an error where there is none."""
        self.context.may(self.thing, "pull_requests:read")
        pull = self.thing.pulls.get(number)
        if pull is None:
            message = f"Could not resolve to a PullRequest with the number of {number}."
            raise refused("NOT_FOUND", message)
        return PullRequestNode(self.context, pull)

    def field_pull_requests(
        self,
        states: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        base_ref_name: str | None = None,
        head_ref_name: str | None = None,
        order_by: dict[str, str] | None = None,
        **page: Any,
    ) -> Connection:
        """List pull requests, oldest first unless asked otherwise."""
        self.context.may(self.thing, "pull_requests:read")
        chosen = [
            one
            for one in self.thing.pulls.values()
            if (states is None or ("MERGED" if one.merged_at else one.state.upper()) in states)
            and (labels is None or any(one.has_label(name) for name in labels))
            and base_ref_name in (None, one.base_branch)
            and head_ref_name in (None, one.head_branch)
        ]
        if order_by and order_by["field"] == "UPDATED_AT":
            chosen.sort(key=lambda one: one.updated_at)
        if order_by and order_by["direction"] == "DESC":
            chosen.reverse()
        return Connection(chosen, lambda one: PullRequestNode(self.context, one), **page)

    def field_merge_queue(self, branch: str | None = None) -> dict[str, Any] | None:
        """Return the merge queue of a branch, or null where nothing is queued."""
        return merge_queue(self.context, self.thing, branch or self.thing.default_branch)
