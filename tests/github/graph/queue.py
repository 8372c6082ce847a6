"""Merge queues."""

from typing import Any, ClassVar

from tests.github.clock import stamp
from tests.github.model.pulls import PullRequest
from tests.github.model.queue import MergeGroup
from tests.github.model.repositories import Repository

from .accounts import actor
from .base import Connection, Context, Node, Plain, show
from .objects import CommitNode, InRepository


class MergeQueueEntryNode(Node[tuple[MergeGroup, PullRequest]]):
    """A pull request in a merge queue."""

    typename = "MergeQueueEntry"
    plain: ClassVar[Plain] = {
        "id": lambda one: f"MQE_{one[0].id}_{one[1].number}",
        "position": lambda one: entries(one[0].repository, one[0].base_branch).index(one) + 1,
        "state": lambda _: "AWAITING_CHECKS",
        "enqueuedAt": lambda one: stamp(one[0].created_at),
        "jump": lambda _: False,
        "solo": lambda one: len(one[0].pulls) == 1,
    }

    def field_pull_request(self) -> Node[Any] | None:
        """Return which one."""
        return show(self.context, self.thing[1])

    def field_merge_queue(self) -> dict[str, Any] | None:
        """Return the queue that it stands in."""
        group, _ = self.thing
        return merge_queue(self.context, group.repository, group.base_branch)

    def _commit(self, sha: str) -> CommitNode:
        here = self.thing[0].repository
        return CommitNode(self.context, InRepository(here, here.git.show(sha)))

    def field_base_commit(self) -> CommitNode:
        """Return what the group starts from."""
        return self._commit(self.thing[0].base_sha)

    def field_head_commit(self) -> CommitNode:
        """Return the commit after this one is merged."""
        group, pull = self.thing
        return self._commit(group.heads[group.pulls.index(pull)])

    def field_enqueuer(self) -> Node[Any] | None:
        """Return who put it there."""
        return actor(self.context, self.thing[0].by)


def entries(here: Repository, branch: str) -> list[tuple[MergeGroup, PullRequest]]:
    """List what stands in the queue of a branch, the next to be merged first."""
    return [
        (group, pull)
        for group in here.groups
        if group.base_branch == branch
        for pull in group.pulls
    ]


def merge_queue(context: Context, here: Repository, branch: str) -> dict[str, Any] | None:
    """Return the merge queue of a branch, or null where nothing is queued."""
    context.may(here, "merge_queues:read")
    waiting = entries(here, branch)
    if not waiting:
        return None
    return {
        "id": f"MQ_{here.id}",
        "url": f"{context.hub.page_url}/{here.full_name}/queue/{branch}",
        "entries": _Later(waiting, lambda one: MergeQueueEntryNode(context, one)),
    }


class _Later:
    """A connection whose page is asked for by the field's arguments."""

    def __init__(self, items: list[Any], wrap: Any) -> None:
        self.items, self.wrap = items, wrap

    def __call__(self, **page: Any) -> Connection:
        return Connection(self.items, self.wrap, **page)
