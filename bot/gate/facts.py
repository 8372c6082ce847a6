"""Facts: one pull request as read from GitHub, all values. Tests build it by hand."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from bot.pull import PullRef


class Role(IntEnum):
    """A person's role on a repository, ordered.

    GitHub Docs, "Repository roles for an organization". A custom role counts as the legacy
    permission it is based on.
    """

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5


@dataclass(frozen=True, slots=True)
class Account:
    """Whoever did something. `is_person` is false for Apps, bots and deleted accounts."""

    login: str
    is_person: bool = True

    def same(self, login: str) -> bool:
        """Compare as GitHub does: logins are case-insensitive."""
        return self.login.lower() == login.lower()


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """A label put on or taken off, newest last in `Facts.events`."""

    name: str  # as it was called then: renaming a label does not rewrite history
    added: bool
    actor: Account | None  # None where the account is gone
    at: datetime
    id: int = 0  # REST id of the event
    through: str = ""  # slug of the App that acted for the person; "" for nobody


@dataclass(frozen=True, slots=True)
class CheckRun:
    """A run of our own App on a commit of the pull request, recognised by the App's id.

    What it showed and accepted is its own record, which nobody else can write (`publish.record`).
    """

    head: str
    completed_at: datetime | None
    pulls: frozenset[int] = frozenset()  # the pull requests it speaks of: a check is a commit's
    shown: frozenset[str] = frozenset()  # fingerprints of the findings on its page
    label: int | None = None  # the label event that it found to count
    covers: frozenset[str] = frozenset()  # fingerprints that the label was put on for
    digest: str = ""  # of everything that was written
    id: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of our own App, recognised by its author."""

    id: int  # REST id
    body: str
    thread: str | None = None  # node id of the review thread; None for a comment below
    path: str = ""
    line: int | None = None
    answered: bool = False  # somebody else wrote in the thread


@dataclass(frozen=True, slots=True)
class Reason:
    """A comment that a person wrote below, as a possible reason."""

    author: Account
    body: str
    at: datetime
    edited: bool


@dataclass(frozen=True, slots=True)
class PolicyText:
    """The policy's text on a trusted branch, and where that is."""

    text: str | None  # None where there is something of the name that is no text
    where: str  # ".github/sockgate.yml" or "owner/.github: sockgate.yml"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pull request was closed."""

    merged: bool
    by: str = ""  # login of whoever merged it; "" where GitHub does not say
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """One snapshot. Nothing in it is decided by the pull request alone, but its own text."""

    pull: PullRef
    head: str
    base: str  # head of the base branch; the merge base comes with the changes
    is_open: bool
    author: Account | None
    ended: Ended | None = None  # None while it is open
    branch: str = ""  # name of the head branch, wherever it is
    base_branch: str = ""
    default_branch: str = ""
    default_head: str = ""  # "" where the repository has no commit
    is_in_default: bool = False  # the default branch has the head; asked only for another base
    body: str = ""
    contributors: frozenset[str] = frozenset()  # authors and committers of its commits
    all_contributors_known: bool = True  # false past what GitHub lists
    has_merges: bool = False  # one of its commits has several parents, or may have
    labels: tuple[str, ...] = ()
    label_ids: tuple[tuple[str, str], ...] = ()  # by name: a label keeps its id when renamed
    put_on: tuple[tuple[datetime, str], ...] = ()  # when labels were put on, by id; the latest
    events: tuple[LabelEvent, ...] = ()  # of the policy's label
    force_pushes: tuple[datetime, ...] = ()  # when the head was replaced
    roles: tuple[tuple[str, Role], ...] = ()  # by login, of those who put the label on
    teams: tuple[str, ...] = ()  # of the policy's: those that whoever put the label on is in
    teams_known: bool = True  # false where GitHub does not tell who is in one
    checks: tuple[CheckRun, ...] = ()  # on its commits and its replaced heads, oldest first
    check_asked: bool = False  # somebody pressed "Re-run" since our newest check on the head
    comments: tuple[Comment, ...] = ()
    reasons: tuple[Reason, ...] = ()
    policy: PolicyText | None = None
    changes_policy: str | None = None  # the policy as the pull request would have it
    owner_is_user: bool = False
    owner_is_alone: bool = False  # nobody else is a collaborator; asked only where that matters
    same_head: tuple[int, ...] = ()  # other open pull requests with this head commit
    is_queued: bool = False  # in a merge queue
    updated_at: datetime | None = None
    read_at: datetime | None = field(default=None, compare=False)

    def role(self, login: str) -> Role:
        """Return a person's role now; what could not be looked up is none."""
        return next((role for name, role in self.roles if name.lower() == login.lower()), Role.NONE)

    def own_check(self) -> CheckRun | None:
        """Return our newest run on the head."""
        on_head = [run for run in self.checks if run.head == self.head]
        return on_head[-1] if on_head else None


def was_replaced(run: CheckRun, facts: Facts) -> bool:
    """Tell whether a forced push came after a run: a newer run may have gone with it."""
    shown = run.completed_at
    return shown is not None and any(shown <= push for push in facts.force_pushes)
