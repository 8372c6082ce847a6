"""A unified diff of one file -> its hunks on the new side. What GitHub accepts a comment on."""

from itertools import pairwise
from typing import TYPE_CHECKING

from bot.review.model import Hunk

if TYPE_CHECKING:
    from unidiff.patch import Hunk as PatchHunk

_HEADER = "--- a/file\n+++ b/file\n"


def read_hunks(patch: str) -> tuple[Hunk, ...] | None:
    """Return the hunks of one file's patch, None where it is no patch (binary, cut off).

    `patch` starts at the first "@@" line, as GitHub's `files[].patch` does; git's header lines
    before it are skipped.
    """
    from unidiff.errors import UnidiffParseError  # noqa: PLC0415 - start-up
    from unidiff.patch import PatchSet  # noqa: PLC0415 - start-up

    if not patch.startswith("@@"):
        at = patch.find("\n@@ ")
        if at < 0:
            return None if patch.strip() and "Binary files" in patch else ()
        patch = patch[at + 1 :]
    if not patch.endswith("\n"):
        patch += "\n"
    try:
        files = PatchSet(_HEADER + patch)
    except UnidiffParseError:
        return None
    return tuple(_hunk(hunk) for file in files for hunk in file)


def whole_file(lines: int) -> tuple[Hunk, ...]:
    """Return the hunks of an added file of `lines` lines."""
    return (Hunk(1, lines, frozenset(range(1, lines + 1))),) if lines else ()


def _hunk(hunk: "PatchHunk") -> Hunk:
    added: set[int] = set()
    removed_before: set[int] = set()
    following = max(hunk.target_start, 1)
    same = _same_but_for_its_end(hunk)
    for line in hunk:
        if line.is_removed:
            removed_before.add(following)
        elif line.target_line_no is not None:
            if line.is_added and line.target_line_no != same:
                added.add(line.target_line_no)
            following = line.target_line_no + 1
    return Hunk(hunk.target_start, hunk.target_length, frozenset(added), frozenset(removed_before))


def _same_but_for_its_end(hunk: "PatchHunk") -> int | None:
    """Return the new-side line that only gained or lost the line end of the file's last line."""
    from unidiff.constants import LINE_TYPE_NO_NEWLINE  # noqa: PLC0415 - start-up

    lines = list(hunk)
    for before, marker in pairwise(lines):
        if marker.line_type != LINE_TYPE_NO_NEWLINE:
            continue
        for other in lines:
            if {before.is_removed, other.is_removed} != {True, False}:
                continue
            if before.is_context or other.is_context or other.value != before.value:
                continue
            return other.target_line_no if other.is_added else before.target_line_no
    return None
