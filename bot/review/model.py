"""The values of a review: what changed, what it adds, where that is shown."""

from dataclasses import dataclass

from bot.detect.grant import Grant, Severity, Unknown


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk of a diff, on the new side: what GitHub accepts a comment on."""

    start: int  # first line of the hunk on the new side, 1-based
    length: int  # lines on the new side, context included
    added: frozenset[int]  # lines of the new side that are added
    removed_before: frozenset[int] = frozenset()  # new-side lines right before which text went away


@dataclass(frozen=True, slots=True)
class Change:
    """One changed file. `old` is None for an added file, `new` for a deleted one.

    `hunks` is None where the diff is not known (too large, or binary): no line accepts a comment.
    """

    old: str | None
    new: str | None
    hunks: tuple[Hunk, ...] | None = None

    @property
    def path(self) -> str:
        """The name a person knows it by: the new one, else the old one."""
        return self.new or self.old or ""


@dataclass(frozen=True, slots=True)
class OnLine:
    """Shown on a line of the new side that is inside a hunk."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class OnFile:
    """Shown on a file of the diff as a whole: none of its hunks holds a fitting line."""

    path: str


@dataclass(frozen=True, slots=True)
class InSummary:
    """Shown in the check only: the diff holds no file that it belongs to."""


Anchor = OnLine | OnFile | InSummary


@dataclass(frozen=True, slots=True)
class Suggestion:
    """New text for lines of the head: an edit that was tried, and makes the finding go."""

    path: str
    first: int
    last: int
    lines: tuple[str, ...]  # without line ends; () takes the lines away
    digest: str  # of the old and the new lines: the same where only the numbers are others


@dataclass(frozen=True, slots=True)
class Finding:
    """What the head grants and the merge base does not, shown in one place.

    Grants that are shown on the very same line are one finding: `grant` is the gravest, `also` the
    rest (three services that take the same fragment).
    """

    grant: Grant
    anchor: Anchor
    also: tuple[Grant, ...] = ()
    comes_with: str = ""  # the base branch that has it, where the default branch has not
    comes_back_to: str = ""  # the branch that had it at the merge base, and has it no more
    comes_by: str = ""  # the branch with which merging it brings this about
    suggestion: Suggestion | None = None
    leaves_open: str = ""  # of a socket proxy's own mount: what its settings let through

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Everything that this finding stands for."""
        return (self.grant, *self.also)

    @property
    def fingerprint(self) -> str:
        """The identity of the gravest grant; `fingerprints` has all."""
        return self.grant.fingerprint

    @property
    def fingerprints(self) -> frozenset[str]:
        """The identities of all its grants: what a justification has to cover."""
        return frozenset(grant.fingerprint for grant in self.grants)

    @property
    def severity(self) -> Severity:
        """The grant's severity."""
        return self.grant.severity

    @property
    def path(self) -> str:
        """Where it is shown: the anchor's file, else the subject's."""
        match self.anchor:
            case OnLine(path=path) | OnFile(path=path):
                return path
            case _:
                return self.grant.path

    @property
    def line(self) -> int:
        """Where it is shown: the anchor's line, else the most telling line of the grant."""
        if isinstance(self.anchor, OnLine):
            return self.anchor.line
        on_file = [step.line for step in self.grant.steps if step.path == self.path]
        return on_file[0] if on_file else self.grant.line


@dataclass(frozen=True, slots=True)
class SetAside:
    """A grant of the head that is not new, or not asked for, and why."""

    grant: Grant
    why: str


@dataclass(frozen=True, slots=True)
class Review:
    """What a pull request adds."""

    findings: tuple[Finding, ...] = ()
    unknowns: tuple[Unknown, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    scanned: int = 0  # files of the head that were read and understood as some format
    # Grants of the merge base that are gone; of very many deleted files only if something is new.
    removed: tuple[Grant, ...] = ()
