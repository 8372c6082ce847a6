"""Merge groups: what a merge queue would merge next, as one real commit."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from .base import Refused, Thing, change

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .pulls import PullRequest
    from .repositories import Repository

Reason = Literal["merged", "invalidated", "dequeued"]


@dataclass(eq=False, slots=True, repr=False)
class MergeGroup(Thing):
    """Pull requests merged one after the other onto the base, on a branch of GitHub's own."""

    hub: "SmallGitHub"
    repository: "Repository"
    pulls: tuple["PullRequest", ...]
    base_branch: str
    base_sha: str
    head_sha: str
    by: "Account"
    heads: tuple[str, ...]
    behind: "MergeGroup | None" = None  # the group ahead in the queue that it is built on
    id: int = field(init=False)
    created_at: "dt.datetime" = field(init=False)
    destroyed: Reason | None = None

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.created_at = self.hub.clock.now()

    @property
    def branch(self) -> str:
        """The branch's name: it names the last pull request only."""
        last = self.pulls[-1]
        return f"gh-readonly-queue/{self.base_branch}/pr-{last.number}-{self.base_sha}"

    @classmethod
    def build(
        cls,
        repository: "Repository",
        pulls: "Iterable[PullRequest]",
        base: str,
        by: "Account",
        behind: "MergeGroup | None" = None,
    ) -> "MergeGroup":
        """Merge the pull requests' heads in order and announce the result.

        Behind another group the base is that group's commit, not the branch's.
        """
        members = tuple(pulls)
        start = head = behind.head_sha if behind else repository.branches[base]
        heads = []
        for pull in members:
            head = merge(repository, head, pull, by)
            heads.append(head)
        group = cls(
            hub=repository.hub,
            repository=repository,
            pulls=members,
            base_branch=base,
            base_sha=start,
            head_sha=head,
            by=by,
            heads=tuple(heads),
            behind=behind,
        )
        repository.groups.append(group)
        repository.push(group.branch, head, by=by)
        repository.hub.events.merge_group("checks_requested", group, by)
        return group

    @change
    def merge(self) -> None:
        """Let the queue merge it: the base moves to the group's commit."""
        for pull, sha in zip(self.pulls, self.heads, strict=True):
            pull.merged_as(sha, self.by)
        self.repository.push(self.base_branch, self.head_sha, by=self.by)
        self.destroy("merged")

    @change
    def destroy(self, reason: Reason = "dequeued") -> None:
        """Take the group apart."""
        self.destroyed = reason
        self.repository.groups.remove(self)
        self.repository.push(self.branch, None, by=self.by)
        self.hub.events.merge_group("destroyed", self, self.by)


def merge(repository: "Repository", onto: str, pull: "PullRequest", by: "Account") -> str:
    """Write the merge commit of a pull request's head onto a commit."""
    git = repository.git
    tree = git.merge_tree(onto, pull.head_sha)
    if tree is None:
        raise Refused(405, "Pull Request is not mergeable")
    source = pull.head_repository
    owner = source.owner.login if source else "unknown"
    message = f"Merge pull request #{pull.number} from {owner}/{pull.head_branch}\n\n{pull.title}"
    return git.commit_tree(tree, (onto, pull.head_sha), message, by.signature())
