"""Pull requests, their timeline and their conversation."""

from collections.abc import Sequence
from typing import Any, ClassVar

from tests.github.clock import stamp, stamp_or_none
from tests.github.diffs import FileDiff
from tests.github.model.comments import Comment, IssueComment, Review, ReviewComment, Thread
from tests.github.model.pulls import PullRequest, TimelineEvent
from tests.github.model.queue import MergeGroup
from tests.github.views.pulls import association

from . import labels
from .accounts import UserNode, actor
from .base import Connection, Node, Plain, show, shows
from .objects import Branch, CommitNode, InRepository, RefNode


def _page_url(pull: PullRequest) -> str:
    return f"{pull.hub.page_url}/{pull.repository.full_name}/pull/{pull.number}"


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
        "url": _page_url,
        "permalink": _page_url,
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

    def field_base_ref(self) -> RefNode:
        """Return the base branch."""
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
        clean = here.git.merge_tree(here.branches[pull.base_branch], pull.head_sha) is not None
        return "MERGEABLE" if clean else "CONFLICTING"

    def field_labels(self, **page: Any) -> Connection:
        """List the labels on it."""
        page.pop("order_by", None)
        return Connection(
            self.thing.labels, lambda one: labels.LabelNode(self.context, one), **page
        )

    def field_commits(self, **page: Any) -> Connection:
        """List its commits, oldest first, 250 at most."""

        def shown(sha: str) -> dict[str, Any]:
            return {"commit": self._commit(sha), "id": f"PURC_{sha}", "url": _page_url(self.thing)}

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

        def shown(event: TimelineEvent) -> Node[Any]:
            match event.kind:
                case "commented" if isinstance(event.comment, IssueComment):
                    return IssueCommentNode(self.context, event.comment)
                case "reviewed" if isinstance(event.comment, Review):
                    return ReviewNode(self.context, event.comment)
                case "committed":
                    return PullRequestCommitNode(self.context, event)
                case kind:
                    return EVENT_NODES[kind](self.context, event)

        return Connection(chosen, shown, **page)

    def field_review_threads(self, **page: Any) -> Connection:
        """List the threads on the diff."""
        return Connection(self.thing.threads, lambda one: ThreadNode(self.context, one), **page)

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
        return Connection(chosen, lambda one: ReviewNode(self.context, one), **page)

    def field_merge_queue_entry(self) -> "MergeQueueEntryNode | None":
        """Return its place in the merge queue."""
        for group in self.thing.repository.groups:
            if self.thing in group.pulls:
                return MergeQueueEntryNode(self.context, (group, self.thing))
        return None


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

    def field_pull_request(self) -> PullRequestNode:
        """Return what it happened to."""
        return PullRequestNode(self.context, self.thing.pull)

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


class PullRequestCommitNode(EventNode):
    """A commit in the timeline."""

    typename = "PullRequestCommit"


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
EVENT_NODES: dict[str, type[EventNode]] = {
    kind: type(name, (EventNode,), {"typename": name}) for kind, (_, name) in TIMELINE.items()
}


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

    def field_pull_request(self) -> PullRequestNode:
        """Return the pull request."""
        return PullRequestNode(self.context, self.thing.pull)


@shows(IssueComment)
class IssueCommentNode(_CommentNode):
    """A comment in the conversation."""

    typename = "IssueComment"
    plain: ClassVar[Plain] = {
        **_CommentNode.plain,
        "url": lambda one: f"{_page_url(one.pull)}#issuecomment-{one.id}",
    }


@shows(ReviewComment)
class ReviewCommentNode(_CommentNode):
    """A comment on the diff."""

    typename = "PullRequestReviewComment"
    plain: ClassVar[Plain] = {
        **_CommentNode.plain,
        "url": lambda one: f"{_page_url(one.pull)}#discussion_r{one.id}",
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

    def field_pull_request_review(self) -> "ReviewNode":
        """Return the review that it came with."""
        return ReviewNode(self.context, self.thing.review)


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
        "url": lambda one: f"{_page_url(one.pull)}#pullrequestreview-{one.id}",
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

    def field_pull_request(self) -> PullRequestNode:
        """Return the pull request."""
        return PullRequestNode(self.context, self.thing.pull)

    def field_viewer_can_resolve(self) -> bool:
        """Whether whoever asks may resolve it."""
        needs = self.context.hub.limits.resolving_needs
        return self.context.token.permits(self.thing.pull.repository, needs)


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

    def field_pull_request(self) -> PullRequestNode:
        """Return which one."""
        return PullRequestNode(self.context, self.thing[1])

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
