"""Conversation: issue comments, reviews, and review comments in their threads."""

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import Thing, change

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .apps import App
    from .pulls import PullRequest


@dataclass(eq=False, slots=True, repr=False)
class Comment(Thing):
    """What issue comments and review comments have in common."""

    hub: "SmallGitHub"
    pull: "PullRequest"
    author: "Account"
    body: str
    app: "App | None" = None
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: dt.datetime = field(init=False)
    updated_at: dt.datetime = field(init=False)
    edited_at: dt.datetime | None = None
    editor: "Account | None" = None
    minimized: str | None = None

    def _edit(self, body: str, by: "Account") -> None:
        self.body = body
        self.editor = by
        self.edited_at = self.updated_at = self.hub.clock.now()


@dataclass(eq=False, slots=True, repr=False)
class IssueComment(Comment):
    """A comment in the conversation."""

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("IC", self.id, self)
        self.created_at = self.updated_at = self.hub.clock.now()

    @change
    def edit(self, body: str, *, by: "Account") -> None:
        """Change the text; anyone with write access may, and it shows as edited."""
        before = self.body
        self._edit(body, by)
        changes = {"body": {"from": before}}
        self.hub.events.issue_comment("edited", self, by, changes=changes)

    @change
    def delete(self, *, by: "Account") -> None:
        """Remove it for good."""
        self.pull.comments.remove(self)
        self.hub.ids.forget(self.node_id)
        self.hub.events.issue_comment("deleted", self, by)


@dataclass(eq=False, slots=True, repr=False)
class Review(Thing):
    """A submitted review; comments made one by one each get one with no body."""

    hub: "SmallGitHub"
    pull: "PullRequest"
    author: "Account"
    body: str
    state: str
    commit_id: str
    id: int = field(init=False)
    node_id: str = field(init=False)
    submitted_at: dt.datetime = field(init=False)
    edited_at: dt.datetime | None = None

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("PRR", self.id, self)
        self.submitted_at = self.hub.clock.now()


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a review comment was put: lines of one side, or the file where ``line`` is None."""

    path: str
    commit_id: str
    diff_hunk: str
    side: str = "RIGHT"
    line: int | None = None
    start_line: int | None = None
    start_side: str | None = None

    @property
    def subject_type(self) -> str:
        """The word of REST's ``subject_type``."""
        return "file" if self.line is None else "line"


@dataclass(eq=False, slots=True, repr=False)
class Thread(Thing):
    """The review comments on one place; ``line`` follows the head, None once outdated."""

    hub: "SmallGitHub"
    pull: "PullRequest"
    anchor: Anchor
    line: int | None
    start_line: int | None
    id: int = field(init=False)
    node_id: str = field(init=False)
    comments: list["ReviewComment"] = field(default_factory=list)
    outdated: bool = False
    resolved_by: "Account | None" = None

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("PRRT", self.id, self)

    @change
    def resolve(self, *, by: "Account") -> None:
        """Mark the conversation as resolved."""
        self.resolved_by = by

    @change
    def unresolve(self, *, by: "Account") -> None:
        """Open it again."""
        del by
        self.resolved_by = None


@dataclass(eq=False, slots=True, repr=False)
class ReviewComment(Comment):
    """A comment on a line or a file of the diff, or an answer to one."""

    thread: Thread = field(kw_only=True)
    review: Review = field(kw_only=True)
    in_reply_to: "ReviewComment | None" = None

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("PRRC", self.id, self)
        self.created_at = self.updated_at = self.hub.clock.now()

    @change
    def edit(self, body: str, *, by: "Account") -> None:
        """Change the text."""
        self._edit(body, by)

    @change
    def delete(self, *, by: "Account") -> None:
        """Remove it, and its thread with the last one."""
        del by
        self.pull.review_comments.remove(self)
        self.thread.comments.remove(self)
        self.hub.ids.forget(self.node_id)
        if not self.thread.comments:
            self.pull.threads.remove(self.thread)
            self.hub.ids.forget(self.thread.node_id)
