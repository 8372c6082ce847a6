"""What happened to a pull request."""

from typing import Any, ClassVar

from tests.github.clock import stamp
from tests.github.model.pulls import TimelineEvent

from . import labels
from .accounts import actor
from .base import Context, Node, Plain, show
from .objects import CommitNode, InRepository


class EventNode(Node[TimelineEvent]):
    """What all timeline events show."""

    plain: ClassVar[Plain] = {
        "id": lambda event: event.node_id,
        "createdAt": lambda event: stamp(event.created_at),
        "databaseId": lambda event: event.id,
        "previousRefName": lambda event: event.before,
        "currentRefName": lambda event: event.after,
        "previousTitle": lambda event: event.before,
        "currentTitle": lambda event: event.after,
    }

    def field_actor(self) -> Node[Any] | None:
        """Return who did it."""
        return actor(self.context, self.thing.actor)

    def field_label(self) -> Node[Any]:
        """Return which label."""
        return labels.of_event(self.context, self.thing)

    def field_pull_request(self) -> Node[Any] | None:
        """Return what it happened to."""
        return show(self.context, self.thing.pull)

    def _commit(self, sha: str) -> CommitNode:
        here = self.thing.pull.repository
        return CommitNode(self.context, InRepository(here, here.git.show(sha)))

    def field_before_commit(self) -> CommitNode:
        """Return the head before a forced push."""
        return self._commit(self.thing.before)

    def field_after_commit(self) -> CommitNode:
        """Return the head after it."""
        return self._commit(self.thing.after)

    def field_commit(self) -> CommitNode:
        """Return the commit of a commit or merge."""
        return self._commit(self.thing.after)


TIMELINE = {
    "labeled": ("LABELED_EVENT", "LabeledEvent"),
    "unlabeled": ("UNLABELED_EVENT", "UnlabeledEvent"),
    "head_ref_force_pushed": ("HEAD_REF_FORCE_PUSHED_EVENT", "HeadRefForcePushedEvent"),
    "base_ref_changed": ("BASE_REF_CHANGED_EVENT", "BaseRefChangedEvent"),
    "renamed": ("RENAMED_TITLE_EVENT", "RenamedTitleEvent"),
    "closed": ("CLOSED_EVENT", "ClosedEvent"),
    "reopened": ("REOPENED_EVENT", "ReopenedEvent"),
    "merged": ("MERGED_EVENT", "MergedEvent"),
    "ready_for_review": ("READY_FOR_REVIEW_EVENT", "ReadyForReviewEvent"),
    "committed": ("PULL_REQUEST_COMMIT", "PullRequestCommit"),
    "commented": ("ISSUE_COMMENT", "IssueComment"),
    "reviewed": ("PULL_REQUEST_REVIEW", "PullRequestReview"),
}
_NODES: dict[str, type[EventNode]] = {
    kind: type(name, (EventNode,), {"typename": name}) for kind, (_, name) in TIMELINE.items()
}


def happening(context: Context, event: TimelineEvent) -> Node[Any] | None:
    """Show an event as its kind; comments and reviews as what they are."""
    if event.comment is not None:
        return show(context, event.comment)
    return _NODES[event.kind](context, event)
