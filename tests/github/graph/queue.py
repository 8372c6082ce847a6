"""Merge queues."""

from typing import Any, ClassVar

from tests.github.clock import stamp
from tests.github.model.pulls import PullRequest
from tests.github.model.queue import MergeGroup

from .accounts import actor
from .base import Node, Plain, show
from .objects import CommitNode, InRepository


class MergeQueueEntryNode(Node[tuple[MergeGroup, PullRequest]]):
    """A pull request in a merge queue."""

    typename = "MergeQueueEntry"
    plain: ClassVar[Plain] = {
        "id": lambda one: f"MQE_{one[0].id}_{one[1].number}",
        "position": lambda one: one[0].pulls.index(one[1]) + 1,
        "state": lambda _: "AWAITING_CHECKS",
        "enqueuedAt": lambda one: stamp(one[0].created_at),
        "jump": lambda _: False,
        "solo": lambda one: len(one[0].pulls) == 1,
    }

    def field_pull_request(self) -> Node[Any] | None:
        """Return which one."""
        return show(self.context, self.thing[1])

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
