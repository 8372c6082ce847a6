"""Pull requests, their timeline and their conversation."""

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.github.clock import stamp, stamp_or_none
from tests.github.diffs import FileDiff
from tests.github.model.pulls import PullRequest
from tests.github.views.pulls import association

from . import labels
from .accounts import actor
from .base import Connection, Node, Plain, show, shows
from .objects import Branch, CommitNode, InRepository, RefNode
from .queue import MergeQueueEntryNode
from .timeline import TIMELINE, happening


def _state(pull: PullRequest) -> str:
    return "MERGED" if pull.merged_at else pull.state.upper()


@shows(PullRequest)
class PullRequestNode(Node[PullRequest]):
    """A pull request."""

    typename = "PullRequest"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "fullDatabaseId": lambda one: str(one.id),
        "number": lambda one: one.number,
        "title": lambda one: one.title,
        "body": lambda one: one.body or "",
        "bodyText": lambda one: one.body or "",
        "url": lambda one: one.url,
        "permalink": lambda one: one.url,
        "resourcePath": lambda one: f"/{one.repository.full_name}/pull/{one.number}",
        "state": _state,
        "closed": lambda one: one.state == "closed",
        "merged": lambda one: one.merged_at is not None,
        "locked": lambda one: one.locked,
        "isDraft": lambda one: one.draft,
        "isCrossRepository": lambda one: one.cross_repository,
        "createdAt": lambda one: stamp(one.created_at),
        "updatedAt": lambda one: stamp(one.updated_at),
        "closedAt": lambda one: stamp_or_none(one.closed_at),
        "mergedAt": lambda one: stamp_or_none(one.merged_at),
        "lastEditedAt": lambda one: stamp_or_none(one.edited_at),
        "headRefOid": lambda one: one.head_sha,
        "headRefName": lambda one: one.head_branch,
        "baseRefOid": lambda one: one.base_sha,
        "baseRefName": lambda one: one.base_branch,
        "authorAssociation": lambda one: association(one.author, one.repository),
        "changedFiles": lambda one: len(one.files()),
        "additions": lambda one: sum(file.additions for file in one.files()),
        "deletions": lambda one: sum(file.deletions for file in one.files()),
        "isInMergeQueue": lambda one: any(one in group.pulls for group in one.repository.groups),
        "maintainerCanModify": lambda _: False,
    }

    def field_author(self) -> Node[Any] | None:
        """Return who opened it."""
        return actor(self.context, self.thing.author)

    def field_editor(self) -> Node[Any] | None:
        """Return who edited it last."""
        return actor(self.context, self.thing.editor)

    def field_merged_by(self) -> Node[Any] | None:
        """Return who merged it."""
        return actor(self.context, self.thing.merged_by)

    def field_viewer_did_author(self) -> bool:
        """Whether whoever asks opened it."""
        return self.thing.author is self.context.token.account

    def field_repository(self) -> Node[Any] | None:
        """Return the repository that it is in."""
        return show(self.context, self.thing.repository)

    def field_base_repository(self) -> Node[Any] | None:
        """Return the same."""
        return self.field_repository()

    def field_head_repository(self) -> Node[Any] | None:
        """Return where the head is, or null for a fork that is gone."""
        return show(self.context, self.thing.head_repository)

    def field_head_repository_owner(self) -> Node[Any] | None:
        """Return the owner of the head's repository."""
        return actor(self.context, self.thing.head_owner)

    def field_base_ref(self) -> RefNode | None:
        """Return the base branch, or null where it is gone."""
        if self.thing.base_branch not in self.thing.repository.branches:
            return None
        return RefNode(self.context, Branch(self.thing.repository, self.thing.base_branch))

    def field_head_ref(self) -> RefNode | None:
        """Return the head branch, or null where it is gone."""
        source, name = self.thing.head_repository, self.thing.head_branch
        if source is None or name not in source.branches:
            return None
        return RefNode(self.context, Branch(source, name))

    def _commit(self, sha: str) -> CommitNode:
        here = self.thing.repository
        return CommitNode(self.context, InRepository(here, here.git.show(sha)))

    def field_merge_commit(self) -> CommitNode | None:
        """Return the merge commit once merged."""
        return self._commit(self.thing.merge_sha) if self.thing.merge_sha else None

    def field_mergeable(self) -> str:
        """Say whether git merges it cleanly."""
        here, pull = self.thing.repository, self.thing
        if pull.base_branch not in here.branches:
            return "UNKNOWN"
        clean = here.git.merge_tree(here.branches[pull.base_branch], pull.head_sha) is not None
        return "MERGEABLE" if clean else "CONFLICTING"

    def field_potential_merge_commit(self) -> CommitNode | None:
        """Return the test merge, where there can be one."""
        if self.thing.state != "open" or self.field_mergeable() != "MERGEABLE":
            return None
        pull, git = self.thing, self.thing.repository.git
        onto = pull.repository.branches[pull.base_branch]
        tree = git.merge_tree(onto, pull.head_sha)
        if tree is None:
            return None
        parents, message = (onto, pull.head_sha), f"Merge {pull.head_sha} into {onto}"
        return self._commit(git.commit_tree(tree, parents, message, pull.author.signature()))

    def field_labels(self, **page: Any) -> Connection:
        """List the labels on it."""
        page.pop("order_by", None)
        return Connection(
            self.thing.labels, lambda one: labels.LabelNode(self.context, one), **page
        )

    def field_commits(self, **page: Any) -> Connection:
        """List its commits, oldest first, 250 at most."""

        def shown(sha: str) -> dict[str, Any]:
            return {"commit": self._commit(sha), "id": f"PURC_{sha}", "url": self.thing.url}

        return Connection(self.thing.commits()[:250], shown, **page)

    def field_files(self, **page: Any) -> Connection:
        """List what it changes."""

        def shown(file: FileDiff) -> dict[str, Any]:
            return {
                "path": file.path,
                "changeType": file.change_type,
                "additions": file.additions,
                "deletions": file.deletions,
                "viewerViewedState": "UNVIEWED",
            }

        return Connection(self.thing.files()[:3_000], shown, **page)

    def field_timeline_items(
        self, item_types: Sequence[str] | None = None, since: str | None = None, **page: Any
    ) -> Connection:
        """List what happened, of the asked kinds, oldest first."""
        page.pop("skip", None)
        chosen = [
            event
            for event in self.thing.timeline
            if event.kind in TIMELINE
            and (item_types is None or TIMELINE[event.kind][0] in item_types)
            and (since is None or stamp(event.created_at) >= since)
        ]

        return Connection(chosen, lambda one: happening(self.context, one), **page)

    def field_review_threads(self, **page: Any) -> Connection:
        """List the threads on the diff."""
        return Connection(self.thing.threads, lambda one: show(self.context, one), **page)

    def field_comments(self, **page: Any) -> Connection:
        """List the conversation."""
        page.pop("order_by", None)
        return Connection(self.thing.comments, lambda one: show(self.context, one), **page)

    def field_reviews(
        self, author: str | None = None, states: Sequence[str] | None = None, **page: Any
    ) -> Connection:
        """List reviews."""
        chosen = [
            one
            for one in self.thing.reviews
            if (states is None or one.state in states)
            and (author is None or author in (one.author.login, one.author.graphql_login))
        ]
        return Connection(chosen, lambda one: show(self.context, one), **page)

    def field_merge_queue_entry(self) -> MergeQueueEntryNode | None:
        """Return its place in the merge queue."""
        for group in self.thing.repository.groups:
            if self.thing in group.pulls:
                return MergeQueueEntryNode(self.context, (group, self.thing))
        return None
