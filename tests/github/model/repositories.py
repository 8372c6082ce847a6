"""Repositories: branches backed by git, collaborators, labels, forks, and what opens in them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.github.git import NOTHING, ZEROS, File, Git, Signature

from .accounts import NO_ROLE, Account, Role
from .base import Refused, Thing, change
from .checks import CheckRun, CheckSuite
from .labels import Label
from .protection import Protection, Ruleset
from .pulls import PullRequest
from .queue import MergeGroup

if TYPE_CHECKING:
    import datetime as dt

    from tests.github.hub import SmallGitHub

    from .apps import App

BUILT_IN = ("read", "triage", "write", "maintain", "admin")


@dataclass(eq=False, slots=True, repr=False)
class Repository(Thing):
    """One repository; forks of one network share ``git``, each with its own branches."""

    hub: "SmallGitHub"
    owner: Account
    name: str
    private: bool
    default_branch: str
    git: Git
    parent: "Repository | None" = None
    description: str | None = None
    deleted: bool = False
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: "dt.datetime" = field(init=False)
    pushed_at: "dt.datetime" = field(init=False)
    branches: dict[str, str] = field(default_factory=dict)
    collaborators: dict[Account, Role] = field(default_factory=dict)
    labels: list[Label] = field(default_factory=list)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    suites: list[CheckSuite] = field(default_factory=list)
    groups: list[MergeGroup] = field(default_factory=list)
    required_checks: list[tuple[str, "App"]] = field(default_factory=list)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    last_number: int = 0

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("R", self.id, self)
        self.created_at = self.pushed_at = self.hub.clock.now()

    @property
    def full_name(self) -> str:
        """The name as in URLs: ``owner/name``."""
        return f"{self.owner.login}/{self.name}"

    @property
    def head(self) -> str:
        """The commit at the tip of the default branch."""
        return self.branches[self.default_branch]

    # People ------------------------------------------------------------------------------------

    @change
    def add_collaborator(self, user: Account, role: str) -> None:
        """Give a role: a built-in one, or one that the organisation defined (``custom_role``)."""
        base = role if role in BUILT_IN else self.owner.roles[role]
        if self.owner.kind == "User" and base in ("triage", "maintain"):
            raise Refused(422, f"a user's own repository has no role {role}")
        self.collaborators[user] = Role(role, base)

    @change
    def remove_collaborator(self, user: Account) -> None:
        """Take the role away."""
        del self.collaborators[user]

    def role(self, user: Account) -> Role:
        """Return the highest role that a user has here, however it was given."""
        if user is self.owner or user in self.owner.owners:
            return Role("admin", "admin")
        return self.collaborators.get(user, NO_ROLE if self.private else Role("read", "read"))

    def may(self, user: Account, base: str) -> bool:
        """Say whether a user's role reaches a built-in one."""
        order = ("none", *BUILT_IN)
        return order.index(self.role(user).base) >= order.index(base)

    # Content -----------------------------------------------------------------------------------

    def commit(
        self,
        files: Mapping[str, File],
        *,
        by: Account,
        branch: str | None = None,
        message: str = "",
        author: Account | Signature | None = None,
        committer: Account | Signature | None = None,
        date: "dt.datetime | None" = None,
    ) -> str:
        """Push one commit with these files (None deletes) onto a branch; return its sha.

        ``author`` and ``committer`` may be forged, and so may ``date``; ``by`` is who pushes.
        """
        branch = branch or self.default_branch
        start = self.branches.get(branch) or self.branches.get(self.default_branch)
        sha = self.write(
            files,
            parents=(start,) if start else (),
            message=message,
            author=author or by,
            committer=committer or author or by,
            date=date,
        )
        self.push(branch, sha, by=by)
        return sha

    def write(
        self,
        files: Mapping[str, File],
        *,
        parents: tuple[str, ...],
        author: Account | Signature,
        committer: Account | Signature,
        message: str = "",
        date: "dt.datetime | None" = None,
    ) -> str:
        """Store one commit that no branch has yet; return its sha."""
        return self.git.commit(
            f"refs/at/{self.id}/written",
            files,
            parents=parents,
            message=message or f"Change {', '.join(files) or 'nothing'} ({self.hub.ids.new()})",
            author=author.signature(date) if isinstance(author, Account) else author,
            committer=committer.signature(date) if isinstance(committer, Account) else committer,
        )

    @change
    def push(self, branch: str, sha: str | None, *, by: Account, quiet: bool = False) -> None:
        """Point a branch at a commit, forced or not (None deletes it), and tell whoever listens.

        ``quiet`` is for branches that GitHub itself moves without a push event.
        """
        before = self.branches.get(branch)
        if sha == before:
            return
        self.git.set_ref(f"refs/at/{self.id}/heads/{branch}", sha)
        if sha is None:
            del self.branches[branch]
        else:
            self.branches[branch] = sha
        self.pushed_at = self.hub.clock.now()
        if not quiet:
            self.hub.events.push(self, branch, before or ZEROS, sha or ZEROS, by)
        for pull in self.hub.pulls_from(self, branch):
            pull.head_moved(sha, by)
        if sha is not None and not quiet:
            self.hub.events.suites_requested(self, branch, before, sha, by)

    def start_point(self, other: "Repository") -> str:
        """Return where a branch of this repository leaves another's default branch."""
        head = self.head
        return self.git.merge_base(head, other.head) or head

    def resolve(self, name: str) -> str | None:
        """Return the commit that a branch, a tag-like name or a (short) sha stands for here."""
        if name in ("HEAD", ""):
            name = self.default_branch
        name = name.removeprefix("refs/").removeprefix("heads/")
        if name in self.branches:
            return self.branches[name]
        number = name.removeprefix("pull/").removesuffix("/head")
        if name.startswith("pull/") and number.isdigit():
            pull = self.pulls.get(int(number))
            return pull.head_sha if pull else None
        return self.git.resolve(name) if _is_hex(name) else None

    def tree_of(self, name: str) -> str | None:
        """Return the tree behind a name: a branch, a commit, or a tree's own sha."""
        if name == NOTHING:
            return NOTHING
        commit = self.resolve(name)
        if commit:
            return self.git.show(commit).tree
        found = self.git.read(name) if _is_hex(name) else None
        return found[0] if found and found[1] == "tree" else None

    # Forks -------------------------------------------------------------------------------------

    @change
    def fork(self, owner: Account, name: str | None = None) -> "Repository":
        """Fork into another account, with the branches as they are."""
        copy = Repository(
            hub=self.hub,
            owner=owner,
            name=name or self.name,
            private=self.private,
            default_branch=self.default_branch,
            git=self.git,
            parent=self,
        )
        copy.branches.update(self.branches)
        self.hub.add_repository(copy)
        return copy

    @change
    def delete(self) -> None:
        """Delete it; pull requests from it live on with no head repository."""
        self.deleted = True
        for repository in self.hub.repositories():
            for pull in repository.pulls.values():
                if pull.head_repository is self:
                    pull.head_repository = None

    # Labels ------------------------------------------------------------------------------------

    def label(self, name: str) -> Label | None:
        """Find a label; names are unique without regard to case."""
        return next((one for one in self.labels if one.name.lower() == name.lower()), None)

    @change
    def create_label(
        self, name: str, *, by: Account, color: str = "ededed", description: str | None = None
    ) -> Label:
        """Create a label; a second of the same name is refused."""
        if self.label(name):
            error = {"resource": "Label", "code": "already_exists", "field": "name"}
            raise Refused(422, "Validation Failed", [error])
        label = Label(self.hub, self, name, color, description)
        self.labels.append(label)
        self.hub.events.label("created", label, by)
        return label

    # Pull requests -----------------------------------------------------------------------------

    def pull(
        self,
        files: Mapping[str, File] | None = None,
        *,
        by: Account,
        title: str = "A change",
        body: str | None = None,
        branch: str | None = None,
        base: str | None = None,
        source: "Repository | None" = None,
        draft: bool = False,
        message: str = "",
        author: Account | Signature | None = None,
        committer: Account | Signature | None = None,
        date: "dt.datetime | None" = None,
    ) -> PullRequest:
        """Open a pull request; with ``files``, one commit is pushed for it first.

        ``source`` is the fork that the branch is in. Without ``files`` the branch must exist.
        """
        source = source or self
        base = base or self.default_branch
        branch = branch or f"change-{self.last_number + 1}"
        if files is not None:
            parent = source.branches.get(branch)
            if parent is None:
                own = source.branches.get(base)
                parent = own if source is not self and own else self.branches[base]
            sha = source.write(
                files,
                parents=(parent,),
                message=message or title,
                author=author or by,
                committer=committer or author or by,
                date=date,
            )
            source.push(branch, sha, by=by)
        return self.open_pull(source, branch, base, by=by, title=title, body=body, draft=draft)

    @change
    def open_pull(
        self,
        source: "Repository",
        branch: str,
        base: str,
        *,
        by: Account,
        title: str,
        body: str | None = None,
        draft: bool = False,
    ) -> PullRequest:
        """Open a pull request from an existing branch."""
        if base not in self.branches:
            raise Refused(422, "Validation Failed", [_field("base", "invalid")])
        if branch not in source.branches:
            raise Refused(422, "Validation Failed", [_field("head", "invalid")])
        self.last_number += 1
        pull = PullRequest(
            hub=self.hub,
            repository=self,
            number=self.last_number,
            author=by,
            title=title,
            body=body,
            draft=draft,
            head_repository=source,
            head_branch=branch,
            head_sha=source.branches[branch],
            base_branch=base,
            base_sha=self.branches[base],
        )
        self.pulls[pull.number] = pull
        pull.note_commits(by)
        self.hub.events.pull_request("opened", pull, by)
        return pull

    # Checks ------------------------------------------------------------------------------------

    @change
    def suite(self, app: "App", sha: str) -> CheckSuite:
        """Return the App's check suite of a commit, made at first need."""
        for suite in self.suites:
            if suite.app is app and suite.sha == sha:
                return suite
        suite = CheckSuite(self.hub, self, app, sha)
        self.suites.append(suite)
        return suite

    @change
    def post_check(
        self, app: "App", sha: str, name: str, conclusion: str | None = "success"
    ) -> CheckRun:
        """Report a check run as an App would; None for one that still runs."""
        return self.new_check(app, sha, name=name, conclusion=conclusion)

    @change
    def new_check(self, app: "App", sha: str, /, *, name: str, **changes: Any) -> CheckRun:
        """Create a check run, with what ``CheckRun.update`` takes."""
        suite = self.suite(app, sha)
        run = CheckRun(self.hub, suite, name)
        run.apply(**changes)
        suite.runs.append(run)
        self.hub.events.check_run("created", run, app.bot)
        run.announce_completion()
        return run

    def check_runs(self, sha: str) -> list[CheckRun]:
        """List all check runs of a commit, newest first."""
        runs = [run for suite in self.suites if suite.sha == sha for run in suite.runs]
        return sorted(runs, key=lambda run: run.id, reverse=True)

    # Merge queue -------------------------------------------------------------------------------

    @change
    def queue(
        self,
        *pulls: PullRequest,
        by: Account,
        base: str | None = None,
        behind: MergeGroup | None = None,
    ) -> MergeGroup:
        """Build one merge group of these pull requests and ask for its checks."""
        return MergeGroup.build(self, pulls, base or self.default_branch, by, behind)


def _is_hex(name: str) -> bool:
    return 7 <= len(name) <= 40 and all(letter in "0123456789abcdef" for letter in name)


def _field(name: str, code: str) -> dict[str, str]:
    return {"resource": "PullRequest", "field": name, "code": code}
