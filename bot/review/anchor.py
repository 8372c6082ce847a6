"""Where a grant is shown: on a line that GitHub accepts, else on a file, else in the summary."""

from bisect import bisect_right
from collections.abc import Callable, Mapping

from bot.detect.grant import Grant
from bot.detect.lines import Text
from bot.review.model import Anchor, Change, Hunk, InSummary, OnFile, OnLine

Changes = Mapping[str, Change]  # by the path of the new side
_MOST_LOOKED_AT = 2_000  # added lines, for the one that names an image

Names = Callable[[str, int], bool]  # whether a line of the head names a daemon's socket


def _no(_path: str, _line: int) -> bool:
    return False


def anchor(grant: Grant, changes: Changes, image: int | None = None, names: Names = _no) -> Anchor:
    """Return where to show a new grant.

    The added line that says it: the first one on its way, or, where that one does not name the
    socket (a variable may hold no more than a part of the path), the grant's own or one before it
    in the same file that does; else `image`, the line that gives an old mount to another image;
    else a line of its way that a hunk shows; else an added line, or the place of a deleted one,
    inside the subject's definition; else the file.
    """
    way = tuple(dict.fromkeys((*((s.path, s.line) for s in grant.steps), (grant.path, grant.line))))
    added = [(path, line) for path, line in way if _is_added(changes.get(path), line)]
    if added:
        return OnLine(*_saying(added, (grant.path, grant.line), names))
    if image is not None:
        return OnLine(grant.path, image)
    for path, line in way:
        if _hunk_at(changes.get(path), line) is not None:
            return OnLine(path, line)
    inside = _inside(grant, changes.get(grant.path))
    if inside is not None:
        return OnLine(grant.path, inside)
    for path, _ in way:
        if path in changes and changes[path].new is not None:
            return OnFile(path)
    return InSummary()


def _saying(added: list[tuple[str, int]], own: tuple[str, int], names: Names) -> tuple[str, int]:
    """Return the one of the added lines on a way that says most of it."""
    first = added[0]
    if own == first or own not in added or names(*first):
        return first
    if names(*own):
        return own
    before = added[1 : added.index(own)]
    return next((place for place in before if place[0] == own[0] and names(*place)), first)


def says_it(grant: Grant, changes: Changes) -> bool:
    """Tell whether a line on the grant's way is an added one."""
    places = [*((step.path, step.line) for step in grant.steps), (grant.path, grant.line)]
    return any(_is_added(changes.get(path), line) for path, line in places)


def image_line(grant: Grant, text: Text, changes: Changes) -> int | None:
    """Return the added line that names a subject's image, or None.

    It is inside the subject's definition, or in a fragment that others take it from. `text` is the
    file of the head that defines the subject.
    """
    change = changes.get(grant.path)
    added = sorted(n for hunk in _hunks(change) for n in _added(hunk, *grant.extent))
    for said in (grant.image or "image", "image"):
        found = next((n for n in added if said in text.line(n)), None)
        if found is not None:
            return found
    if not grant.image or sum(len(hunk.added) for hunk in _hunks(change)) > _MOST_LOOKED_AT:
        return None
    everywhere = sorted(n for hunk in _hunks(change) for n in hunk.added)
    named = (n for n in everywhere if grant.image in text.line(n))
    return next((n for n in named if "image" in text.line(n).partition(":")[0]), None)


def _hunks(change: Change | None) -> tuple[Hunk, ...]:
    return change.hunks or () if change is not None and change.new is not None else ()


def _hunk_at(change: Change | None, line: int) -> Hunk | None:
    """Return the hunk that shows a line."""
    hunks = _hunks(change)
    before = bisect_right(hunks, line, key=lambda hunk: hunk.start)
    hunk = hunks[before - 1] if before else None
    return hunk if hunk is not None and line < hunk.start + hunk.length else None


def _is_added(change: Change | None, line: int) -> bool:
    hunk = _hunk_at(change, line)
    return hunk is not None and line in hunk.added


def _added(hunk: Hunk, first: int, last: int) -> list[int]:
    """Return the added lines of a hunk between two lines, in order."""
    first, last = max(first, hunk.start), min(last, hunk.start + hunk.length - 1)
    if last - first < len(hunk.added):
        return [line for line in range(first, last + 1) if line in hunk.added]
    return sorted(line for line in hunk.added if first <= line <= last)


def _inside(grant: Grant, change: Change | None) -> int | None:
    first, last = grant.extent
    near: list[int] = []
    for hunk in _hunks(change):
        if hunk.start > last + 1:
            break
        if added := _added(hunk, first, last):
            return min(added, key=lambda line: (abs(line - grant.line), line))
        end = hunk.start + hunk.length - 1
        near += [min(max(line, hunk.start), end) for line in hunk.removed_before]
    near = [line for line in near if first <= line <= last + 1 and line > 0]
    if not near:
        return None
    return min(near, key=lambda line: (abs(line - grant.line), line))
