"""Pull requests: head and base, labels, timeline, conversation, reviews."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github import diffs
from tests.github.git import File, Signature

from . import queue
from .base import Refused, Thing, change
from .comments import Anchor, IssueComment, Review, ReviewComment, Thread
from .reviewing import Draft, anchored, followed

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .apps import App
    from .checks import CheckRun
    from .labels import Label
    from .repositories import Repository


@dataclass(eq=False, slots=True, repr=False)
class TimelineEvent(Thing):
    """Something that happened, as it was then: a label keeps its name of that moment."""

    hub: "SmallGitHub"
    pull: "PullRequest"
    kind: str
    actor: "Account"
    app: "App | None" = None
    label: "Label | None" = None
    label_name: str = ""
    label_color: str = ""
    before: str = ""
    after: str = ""
    comment: "IssueComment | Review | None" = None
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: dt.datetime = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("EV", self.id, self)
        self.created_at = self.hub.clock.now()


@dataclass(eq=False, slots=True, repr=False)
class PullRequest(Thing):
    """A pull request; ``head_repository`` becomes None when the fork is deleted."""

    hub: "SmallGitHub"
    repository: "Repository"
    number: int
    author: "Account"
    title: str
    body: str | None
    draft: bool
    head_repository: "Repository | None"
    head_branch: str
    head_sha: str
    base_branch: str
    base_sha: str
    head_owner: "Account" = field(init=False)
    state: str = "open"
    merged_by: "Account | None" = None
    merge_sha: str | None = None
    locked: bool = False
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: dt.datetime = field(init=False)
    updated_at: dt.datetime = field(init=False)
    closed_at: dt.datetime | None = None
    edited_at: dt.datetime | None = None
    editor: "Account | None" = None
    merged_at: dt.datetime | None = None
    labels: list["Label"] = field(default_factory=list)
    timeline: list[TimelineEvent] = field(default_factory=list)
    comments: list[IssueComment] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    review_comments: list[ReviewComment] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("PR", self.id, self)
        self.head_owner = self._source().owner
        self.created_at = self.updated_at = self.hub.clock.now()

    # What it is ---------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where its page is."""
        return f"{self.hub.page_url}/{self.repository.full_name}/pull/{self.number}"

    @property
    def cross_repository(self) -> bool:
        """Whether the head is in a fork, also one that is gone."""
        return self.head_repository is not self.repository

    @property
    def merge_base(self) -> str | None:
        """Where the head left the base branch."""
        return self.repository.git.merge_base(self.base_sha, self.head_sha)

    def commits(self) -> tuple[str, ...]:
        """List the shas of its commits, oldest first."""
        return self.repository.git.log(self.base_sha, self.head_sha)

    def files(self) -> tuple[diffs.FileDiff, ...]:
        """List what it changes, against the merge base."""
        base = self.merge_base
        return diffs.between(self.repository.git, base, self.head_sha) if base else ()

    def check(self, name: str, app: "App | None" = None) -> "CheckRun | None":
        """Return the newest check run of a name on the head, by one App or by any."""
        for run in self.repository.check_runs(self.head_sha):
            if run.name == name and (app is None or run.app is app):
                return run
        return None

    def has_label(self, name: str) -> bool:
        """Whether a label of this very name is on it."""
        return any(label.name == name for label in self.labels)

    # Pushes -------------------------------------------------------------------------------------

    def push(
        self,
        files: Mapping[str, File],
        *,
        by: "Account | None" = None,
        message: str = "",
        author: "Account | Signature | None" = None,
        committer: "Account | Signature | None" = None,
        date: dt.datetime | None = None,
        force: bool = False,
    ) -> str:
        """Push one more commit, or with ``force`` one that replaces all others; return its sha."""
        source = self._source()
        pusher = by or self.author
        parent = self.merge_base if force else self.head_sha
        sha = source.write(
            files,
            parents=(parent or self.base_sha,),
            message=message,
            author=author or pusher,
            committer=committer or author or pusher,
            date=date,
        )
        source.push(self.head_branch, sha, by=pusher)
        return sha

    def reset(self, sha: str, *, by: "Account | None" = None) -> None:
        """Force-push the head branch to an existing commit."""
        self._source().push(self.head_branch, sha, by=by or self.author)

    def _source(self) -> "Repository":
        if self.head_repository is None:
            raise ValueError("the head repository is gone")
        return self.head_repository

    def head_moved(self, sha: str | None, by: "Account") -> None:
        """Follow the head branch (called by ``Repository.push``); a deleted branch closes."""
        if sha is None:
            self.close(by=by)
            return
        before, git = self.head_sha, self.repository.git
        known = set(self.commits())
        self.head_sha, self.base_sha = sha, self.repository.branches[self.base_branch]
        if git.merge_base(before, sha) != before:
            self._note("head_ref_force_pushed", by, before=before, after=sha)
        self.note_commits(by, known)
        for thread in self.threads:
            followed(thread, git, self)
        self.hub.events.pull_request("synchronize", self, by, before=before, after=sha)

    def note_commits(self, by: "Account", known: set[str] | None = None) -> None:
        """Put new commits into the timeline."""
        for sha in self.commits():
            if sha not in (known or ()):
                self._note("committed", by, after=sha)

    # Edits --------------------------------------------------------------------------------------

    @change
    def edit(
        self,
        *,
        by: "Account",
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
    ) -> None:
        """Change title, body or base branch."""
        changes: dict[str, Any] = {}
        if title is not None and title != self.title:
            changes["title"] = {"from": self.title}
            self._note("renamed", by, before=self.title, after=title)
            self.title = title
        if body is not None and body != self.body:
            changes["body"] = {"from": self.body or ""}
            self.body = body
            self.editor, self.edited_at = by, self.hub.clock.now()
        if base is not None and base != self.base_branch:
            if base not in self.repository.branches:
                raise Refused(422, "Validation Failed")
            changes["base"] = {"ref": {"from": self.base_branch}, "sha": {"from": self.base_sha}}
            self._note("base_ref_changed", by, before=self.base_branch, after=base)
            self.base_branch, self.base_sha = base, self.repository.branches[base]
        self.updated_at = self.hub.clock.now()
        self.hub.events.pull_request("edited", self, by, changes=changes)

    @change
    def close(self, *, by: "Account") -> None:
        """Close without merging."""
        if self.state == "open":
            self.state, self.closed_at = "closed", self.hub.clock.now()
            self._note("closed", by)
            self.hub.events.pull_request("closed", self, by)

    @change
    def reopen(self, *, by: "Account") -> None:
        """Open again, with what was pushed to the head branch meanwhile."""
        self.state, self.closed_at = "open", None
        known = set(self.commits())
        source = self.head_repository
        self.head_sha = (
            source.branches.get(self.head_branch, self.head_sha) if source else self.head_sha
        )
        self._note("reopened", by)
        self.note_commits(by, known)
        self.hub.events.pull_request("reopened", self, by)

    @change
    def mark_ready(self, *, by: "Account") -> None:
        """Take a draft out of draft."""
        self.draft = False
        self._note("ready_for_review", by)
        self.hub.events.pull_request("ready_for_review", self, by)

    @change
    def merge(self, *, by: "Account") -> str:
        """Merge with a merge commit; return its sha."""
        sha = queue.merge(self.repository, self.repository.branches[self.base_branch], self, by)
        self.merged_as(sha, by)
        self.repository.push(self.base_branch, sha, by=by)
        return sha

    def merged_as(self, sha: str, by: "Account") -> None:
        """Note the merge (the base branch is moved by the caller)."""
        now = self.hub.clock.now()
        self.state, self.merge_sha, self.merged_by = "closed", sha, by
        self.closed_at = self.merged_at = now
        self._note("merged", by, after=sha)
        self._note("closed", by)
        self.hub.events.pull_request("closed", self, by)

    # Labels -------------------------------------------------------------------------------------

    @change
    def label(self, name: str, *, by: "Account", app: "App | None" = None) -> None:
        """Put a label on, creating it as the API does if the repository lacks it."""
        label = self.repository.label(name) or self.repository.create_label(name, by=by)
        if label in self.labels:
            return
        self.labels.append(label)
        self._note("labeled", by, app=app, label=label)
        self.hub.events.pull_request("labeled", self, by, label=label)

    @change
    def unlabel(self, name: str, *, by: "Account", app: "App | None" = None) -> None:
        """Take a label off."""
        label = self.repository.label(name)
        if label is None or label not in self.labels:
            raise Refused(404, "Label does not exist")
        self.labels.remove(label)
        self._note("unlabeled", by, app=app, label=label)
        self.hub.events.pull_request("unlabeled", self, by, label=label)

    def _note(
        self,
        kind: str,
        actor: "Account",
        *,
        app: "App | None" = None,
        label: "Label | None" = None,
        before: str = "",
        after: str = "",
        comment: "IssueComment | Review | None" = None,
    ) -> None:
        self.updated_at = self.hub.clock.now()
        event = TimelineEvent(
            self.hub,
            self,
            kind,
            actor,
            app=app,
            label=label,
            label_name=label.name if label else "",
            label_color=label.color if label else "",
            before=before,
            after=after,
            comment=comment,
        )
        self.timeline.append(event)

    # Conversation -------------------------------------------------------------------------------

    @change
    def comment(self, body: str, *, by: "Account", app: "App | None" = None) -> IssueComment:
        """Write into the conversation."""
        comment = IssueComment(self.hub, self, by, body, app)
        self.comments.append(comment)
        self._note("commented", by, app=app, comment=comment)
        self.hub.events.issue_comment("created", comment, by)
        return comment

    @change
    def review(
        self,
        *,
        by: "Account",
        body: str = "",
        state: str = "COMMENTED",
        comments: Sequence[Draft] = (),
        commit_id: str | None = None,
        app: "App | None" = None,
    ) -> Review:
        """Submit a review; one comment outside the diff refuses it whole (422)."""
        commit = commit_id or self.head_sha
        anchors = [anchored(self, draft, commit, whole_review=True) for draft in comments]
        review = self._submit(by, body, state, commit, app)
        for draft, anchor in zip(comments, anchors, strict=True):
            self._start_thread(anchor, draft.body, by, review, app)
        return review

    @change
    def review_comment(
        self, draft: Draft, *, by: "Account", commit_id: str | None = None, app: "App | None" = None
    ) -> ReviewComment:
        """Write one review comment on a line or on a file."""
        commit = commit_id or self.head_sha
        anchor = anchored(self, draft, commit, whole_review=False)
        review = self._submit(by, "", "COMMENTED", commit, app)
        return self._start_thread(anchor, draft.body, by, review, app)

    @change
    def reply(
        self, to: ReviewComment, body: str, *, by: "Account", app: "App | None" = None
    ) -> ReviewComment:
        """Answer in a thread; an answer always hangs on the thread's first comment."""
        review = self._submit(by, "", "COMMENTED", self.head_sha, app)
        first = to.thread.comments[0]
        return self._write(to.thread, body, by, review, app, first)

    def _submit(
        self, by: "Account", body: str, state: str, commit: str, app: "App | None"
    ) -> Review:
        review = Review(self.hub, self, by, body, state, commit)
        self.reviews.append(review)
        self._note("reviewed", by, app=app, comment=review)
        return review

    def _start_thread(
        self, anchor: Anchor, body: str, by: "Account", review: Review, app: "App | None"
    ) -> ReviewComment:
        thread = Thread(self.hub, self, anchor, anchor.line, anchor.start_line)
        self.threads.append(thread)
        return self._write(thread, body, by, review, app, None)

    def _write(
        self,
        thread: Thread,
        body: str,
        by: "Account",
        review: Review,
        app: "App | None",
        in_reply_to: ReviewComment | None,
    ) -> ReviewComment:
        comment = ReviewComment(
            self.hub, self, by, body, app, thread=thread, review=review, in_reply_to=in_reply_to
        )
        thread.comments.append(comment)
        self.review_comments.append(comment)
        return comment
