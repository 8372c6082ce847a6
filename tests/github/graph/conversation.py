"""Comments, reviews and threads."""

from typing import Any, ClassVar

from tests.github.clock import stamp, stamp_or_none
from tests.github.model.comments import Comment, IssueComment, Review, ReviewComment, Thread
from tests.github.views.pulls import association

from .accounts import UserNode, actor
from .base import Connection, Node, Plain, show, shows
from .objects import CommitNode, InRepository


class _CommentNode(Node[Any]):
    """What all comments show."""

    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "fullDatabaseId": lambda one: str(one.id),
        "body": lambda one: one.body,
        "bodyText": lambda one: one.body,
        "createdAt": lambda one: stamp(one.created_at),
        "updatedAt": lambda one: stamp(one.updated_at),
        "lastEditedAt": lambda one: stamp_or_none(one.edited_at),
        "includesCreatedEdit": lambda one: one.edited_at is not None,
        "isMinimized": lambda one: one.minimized is not None,
        "minimizedReason": lambda one: one.minimized,
        "authorAssociation": lambda one: association(one.author, one.pull.repository),
    }
    thing: Comment

    def field_author(self) -> Node[Any] | None:
        """Return who wrote it."""
        return actor(self.context, self.thing.author)

    def field_editor(self) -> Node[Any] | None:
        """Return who edited it last."""
        return actor(self.context, self.thing.editor)

    def field_viewer_did_author(self) -> bool:
        """Whether whoever asks wrote it."""
        return self.thing.author is self.context.token.account

    def field_pull_request(self) -> Node[Any] | None:
        """Return the pull request."""
        return show(self.context, self.thing.pull)


@shows(IssueComment)
class IssueCommentNode(_CommentNode):
    """A comment in the conversation."""

    typename = "IssueComment"
    plain: ClassVar[Plain] = {
        **_CommentNode.plain,
        "url": lambda one: f"{one.pull.url}#issuecomment-{one.id}",
    }


@shows(ReviewComment)
class ReviewCommentNode(_CommentNode):
    """A comment on the diff."""

    typename = "PullRequestReviewComment"
    plain: ClassVar[Plain] = {
        **_CommentNode.plain,
        "url": lambda one: f"{one.pull.url}#discussion_r{one.id}",
        "path": lambda one: one.thread.anchor.path,
        "line": lambda one: one.thread.line,
        "startLine": lambda one: one.thread.start_line,
        "originalLine": lambda one: one.thread.anchor.line,
        "originalStartLine": lambda one: one.thread.anchor.start_line,
        "outdated": lambda one: one.thread.outdated,
        "diffHunk": lambda one: one.thread.anchor.diff_hunk,
        "subjectType": lambda one: one.thread.anchor.subject_type.upper(),
        "state": lambda _: "SUBMITTED",
    }
    thing: ReviewComment

    def field_reply_to(self) -> "ReviewCommentNode | None":
        """Return the comment that it answers."""
        to = self.thing.in_reply_to
        return ReviewCommentNode(self.context, to) if to else None

    def field_original_commit(self) -> CommitNode:
        """Return the commit that it was made on."""
        here, sha = self.thing.pull.repository, self.thing.thread.anchor.commit_id
        return CommitNode(self.context, InRepository(here, here.git.show(sha)))

    def field_pull_request_review(self) -> Node[Any] | None:
        """Return the review that it came with."""
        return show(self.context, self.thing.review)


@shows(Review)
class ReviewNode(Node[Review]):
    """A review."""

    typename = "PullRequestReview"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "fullDatabaseId": lambda one: str(one.id),
        "body": lambda one: one.body,
        "state": lambda one: one.state,
        "createdAt": lambda one: stamp(one.submitted_at),
        "submittedAt": lambda one: stamp(one.submitted_at),
        "lastEditedAt": lambda one: stamp_or_none(one.edited_at),
        "url": lambda one: f"{one.pull.url}#pullrequestreview-{one.id}",
    }

    def field_author(self) -> Node[Any] | None:
        """Return who reviewed."""
        return actor(self.context, self.thing.author)

    def field_viewer_did_author(self) -> bool:
        """Whether whoever asks reviewed."""
        return self.thing.author is self.context.token.account

    def field_commit(self) -> CommitNode:
        """Return the commit that was reviewed."""
        here = self.thing.pull.repository
        return CommitNode(self.context, InRepository(here, here.git.show(self.thing.commit_id)))

    def field_comments(self, **page: Any) -> Connection:
        """List the comments that came with it."""
        mine = [one for one in self.thing.pull.review_comments if one.review is self.thing]
        return Connection(mine, lambda one: ReviewCommentNode(self.context, one), **page)


@shows(Thread)
class ThreadNode(Node[Thread]):
    """A thread on the diff."""

    typename = "PullRequestReviewThread"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "path": lambda one: one.anchor.path,
        "line": lambda one: None if one.outdated else one.line,
        "startLine": lambda one: None if one.outdated else one.start_line,
        "originalLine": lambda one: one.anchor.line,
        "originalStartLine": lambda one: one.anchor.start_line,
        "diffSide": lambda one: one.anchor.side,
        "startDiffSide": lambda one: one.anchor.start_side,
        "subjectType": lambda one: one.anchor.subject_type.upper(),
        "isResolved": lambda one: one.resolved_by is not None,
        "isOutdated": lambda one: one.outdated,
        "isCollapsed": lambda one: one.outdated or one.resolved_by is not None,
    }

    def field_resolved_by(self) -> UserNode | None:
        """Return who resolved it."""
        who = self.thing.resolved_by
        return UserNode(self.context, who) if who else None

    def field_comments(self, **page: Any) -> Connection:
        """List its comments."""
        return Connection(self.thing.comments, lambda one: show(self.context, one), **page)

    def field_pull_request(self) -> Node[Any] | None:
        """Return the pull request."""
        return show(self.context, self.thing.pull)

    def field_viewer_can_resolve(self) -> bool:
        """Whether whoever asks may resolve it."""
        needs = self.context.hub.limits.resolving_needs
        return self.context.token.permits(self.thing.pull.repository, needs)
