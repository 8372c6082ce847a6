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
    options = ("-r", "-M", "-z", "--no-commit-id", "--full-index", "--raw", "--numstat", "--patch")
    fields = git.run("diff-tree", *options, base, head).decode(errors="replace").split("\0")
    raw: list[tuple[str, str, str, list[str]]] = []
    counts: list[tuple[int, int]] = []
    position = 0
    while fields[position].startswith(":"):
        facts = fields[position][1:].split(" ")
        names = 2 if facts[4][0] in "RC" else 1
        paths = fields[position + 1 : position + 1 + names]
        raw.append((facts[2], facts[3], facts[4][0], paths))
        position += 1 + names
    while len(counts) < len(raw):
        added, removed, path = fields[position].split("\t", 2)
        counts.append((0, 0) if added == "-" else (int(added), int(removed)))
        position += 1 if path else 3
    # An empty field, then the patches, which may hold NULs of their own.
    printed = "\0".join(fields[position + 1 :])
    patches = re.split(r"^diff --git ", printed, flags=re.MULTILINE)[1:]
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
