"""Where a review comment may stand, and where it goes when the head moves.

Messages are those that GitHub's API answers (seen in public issue threads, for example
parkerbxyz/suggest-changes#28 and danobi/prr#11).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.github import diffs

from .base import Refused
from .comments import Anchor, Thread

if TYPE_CHECKING:
    from tests.github.git import Git

    from .pulls import PullRequest


@dataclass(frozen=True, slots=True)
class Draft:
    """A review comment as asked for; ``subject_type`` is None unless the request names it."""

    path: str
    body: str
    line: int | None = None
    side: str = "RIGHT"
    start_line: int | None = None
    start_side: str | None = None
    subject_type: str | None = None
    position: int | None = None


def anchored(pull: "PullRequest", draft: Draft, commit: str, *, whole_review: bool) -> Anchor:
    """Find the place in the diff of ``commit`` against the base, or refuse with GitHub's 422."""
    git = pull.repository.git
    if git.resolve(commit) is None:
        raise _refusal("commit_id", "is not part of the pull request", whole_review=whole_review)
    base = git.merge_base(pull.base_sha, commit)
    changed = diffs.between(git, base, commit) if base else ()
    file = next((one for one in changed if one.path == draft.path), None)
    if file is None:
        raise _refusal("path", "is invalid", whole_review=whole_review)
    if draft.subject_type == "file":
        return Anchor(path=draft.path, commit_id=commit, diff_hunk=file.patch or "")
    line, side = _line(file.patch or "", draft)
    hunk = diffs.hunk_until(file.patch, side, line) if file.patch and line else None
    if hunk is None or line is None:
        raise _refusal("line", "must be part of the diff", whole_review=whole_review)
    start_side = draft.start_side or side
    if draft.start_line is not None and not _same_hunk(
        file.patch or "", (start_side, draft.start_line), (side, line)
    ):
        raise _refusal(
            "start_line", "must be part of the same hunk as the line.", whole_review=whole_review
        )
    return Anchor(
        path=draft.path,
        commit_id=commit,
        diff_hunk=hunk,
        side=side,
        line=line,
        start_line=draft.start_line,
        start_side=None if draft.start_line is None else start_side,
    )


def _line(patch: str, draft: Draft) -> tuple[int | None, str]:
    if draft.line is not None or draft.position is None:
        return draft.line, draft.side
    rows = patch.split("\n")[1:]
    numbered = iter(diffs.lines(patch))
    for position, row in enumerate(rows, start=1):
        at = next(numbered, None) if row[:1] in ("+", "-", " ") else None
        if position == draft.position and at is not None:
            return (at.left, "LEFT") if at.right is None else (at.right, "RIGHT")
    return None, "RIGHT"


def _same_hunk(patch: str, start: tuple[str, int], end: tuple[str, int]) -> bool:
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for order, row in enumerate(diffs.lines(patch)):
        if row.left is not None:
            found["LEFT", row.left] = (row.hunk, order)
        if row.right is not None:
            found["RIGHT", row.right] = (row.hunk, order)
    if start not in found or end not in found:
        return False
    return found[start][0] == found[end][0] and found[start][1] < found[end][1]


def _refusal(field: str, message: str, *, whole_review: bool) -> Refused:
    if whole_review:
        words = field.replace("_", " ")
        error = f"Pull request review thread {words} {message}"
        return Refused(
            422,
            "Unprocessable Entity",
            [f"{error} and Pull request review thread diff hunk can't be blank"],
        )
    name = f"pull_request_review_thread.{field}"
    return Refused(
        422,
        "Validation Failed",
        [
            {
                "resource": "PullRequestReviewComment",
                "code": "custom",
                "field": name,
                "message": f"{name} {message}",
            }
        ],
    )


def followed(thread: Thread, git: "Git", pull: "PullRequest") -> None:
    """Move a thread to where its line is on the new head, or mark it as outdated."""
    anchor = thread.anchor
    if anchor.line is None:
        thread.outdated = all(file.path != anchor.path for file in pull.files())
        return
    new = _moved(git, anchor, anchor.line, pull)
    thread.outdated = new is None
    thread.line = new
    thread.start_line = _moved(git, anchor, anchor.start_line, pull) if new else None


def _moved(git: "Git", anchor: Anchor, line: int | None, pull: "PullRequest") -> int | None:
    if line is None:
        return None
    base = pull.merge_base
    if anchor.side == "LEFT":
        return (
            line if base and _shown(git, base, pull.head_sha, anchor.path, "LEFT", line) else None
        )
    for file in diffs.between(git, anchor.commit_id, pull.head_sha):
        if file.path == anchor.path:
            line = _mapped(file.patch or "", line) if file.status == "modified" else 0
        elif file.previous == anchor.path:
            return None
    shown = base and line and _shown(git, base, pull.head_sha, anchor.path, "RIGHT", line)
    return line if shown else None


def _mapped(patch: str, line: int) -> int:
    """Return the line's number after a patch; 0 where the patch takes it away."""
    shift = 0
    for row in diffs.lines(patch):
        if row.left is not None and row.left >= line:
            if row.left == line:
                return row.right or 0
            break
        shift += (row.left is None) - (row.right is None)
    return line + shift


def _shown(git: "Git", base: str, head: str, path: str, side: str, line: int) -> bool:
    for file in diffs.between(git, base, head):
        if file.path == path and file.patch:
            return diffs.hunk_until(file.patch, side, line) is not None
    return False
