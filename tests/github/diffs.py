"""What changed between two trees, as GitHub lists it: git's diff with renames, one patch a file."""

import functools
import re
from dataclasses import dataclass

from .git import Git

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_STATUS = {"A": "added", "D": "removed", "M": "modified", "R": "renamed", "T": "changed"}


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file of a diff; ``patch`` starts at the first ``@@`` and is None where there is none."""

    path: str
    previous: str | None
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None

    @property
    def change_type(self) -> str:
        """The same status in GraphQL's word (enum PatchStatus)."""
        words = {"removed": "DELETED"}
        return words.get(self.status, self.status.upper())


@dataclass(frozen=True, slots=True)
class DiffLine:
    """One line of a patch: its number on either side, and the hunk it stands in."""

    left: int | None
    right: int | None
    hunk: int
    text: str


@functools.lru_cache(maxsize=512)
def between(git: Git, base: str, head: str) -> tuple[FileDiff, ...]:
    """Compare two commits or trees, following renames as git does by default."""
    options = ("diff-tree", "-r", "-M", "--no-commit-id", "--full-index")
    listed = git.run(*options, "-z", "--raw", "--numstat", base, head)
    if not listed:
        return ()
    printed = git.run(*options, "--patch", base, head).decode(errors="replace")
    patches = re.split(r"^diff --git ", printed, flags=re.MULTILINE)[1:]
    fields = listed.decode(errors="replace").split("\0")
    raw, position = [], 0
    while fields[position].startswith(":"):
        facts = fields[position][1:].split(" ")
        renamed = facts[4][0] in "RC"
        names = fields[position + 1 : position + (3 if renamed else 2)]
        raw.append((facts[2], facts[3], facts[4][0], names))
        position += 3 if renamed else 2
    counts = _counts(fields[position:])
    return tuple(
        FileDiff(
            path=names[-1],
            previous=names[0] if len(names) > 1 else None,
            status=_STATUS[letter],
            sha=old if letter == "D" else new,
            additions=added,
            deletions=removed,
            patch=_hunks(patch),
        )
        for (old, new, letter, names), (added, removed), patch in zip(
            raw, counts, patches, strict=True
        )
    )


def _counts(fields: list[str]) -> list[tuple[int, int]]:
    counts: list[tuple[int, int]] = []
    position = 0
    while position < len(fields) and fields[position]:
        added, removed, path = fields[position].split("\t", 2)
        counts.append((0, 0) if added == "-" else (int(added), int(removed)))
        position += 1 if path else 3
    return counts


def _hunks(patch: str) -> str | None:
    start = re.search(r"^@@ ", patch, flags=re.MULTILINE)
    return patch[start.start() :].removesuffix("\n") if start else None


def lines(patch: str) -> list[DiffLine]:
    """Number the lines of a patch on both sides; hunk headers are left out."""
    numbered: list[DiffLine] = []
    left = right = hunk = 0
    for text in patch.split("\n"):
        header = _HUNK.match(text)
        if header:
            left, right, hunk = int(header[1]), int(header[3]), hunk + 1
        elif text.startswith("+"):
            numbered.append(DiffLine(None, right, hunk, text))
            right += 1
        elif text.startswith("-"):
            numbered.append(DiffLine(left, None, hunk, text))
            left += 1
        elif text.startswith(" "):
            numbered.append(DiffLine(left, right, hunk, text))
            left, right = left + 1, right + 1
    return numbered


def hunk_until(patch: str, side: str, line: int) -> str | None:
    """Return GitHub's ``diff_hunk`` of a comment: from the hunk's header to the line itself."""
    header, kept = "", list[str]()
    left = right = 0
    for text in patch.split("\n"):
        found = _HUNK.match(text)
        if found:
            left, right, header, kept = int(found[1]), int(found[3]), text, []
            continue
        kept.append(text)
        here = (left, text[:1] in "- ") if side == "LEFT" else (right, text[:1] in "+ ")
        if text and here == (line, True):
            return "\n".join([header, *kept])
        left += text[:1] in ("-", " ")
        right += text[:1] in ("+", " ")
    return None
