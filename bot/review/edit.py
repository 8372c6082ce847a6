"""Lines of a file -> a suggestion that puts others in their place, where a click may do that."""

import unicodedata
from hashlib import sha256

from bot.review.model import Suggestion

_LONGEST = 30  # lines of one suggestion: more is not read, only clicked
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

Edits = dict[int, list[str]]  # line -> what stands there instead


def applied(content: str, suggestion: Suggestion) -> str:
    """Return a file with a suggestion put in; what is new gets the line ends of what was there."""
    lines = content.split("\n")
    first, last = suggestion.first - 1, suggestion.last
    end = "\r" if lines[first].endswith("\r") else ""
    return "\n".join([*lines[:first], *(line + end for line in suggestion.lines), *lines[last:]])


def suggestion(path: str, edits: Edits, lines: list[str]) -> Suggestion | None:
    """Return edits as one suggestion of contiguous lines; None where nobody should accept that."""
    first, last = min(edits), max(edits)
    if last - first >= _LONGEST or last > len(lines):
        return None
    old = [line.removesuffix("\r") for line in lines[first - 1 : last]]
    kept = ([old[n - first]] if n not in edits else edits[n] for n in range(first, last + 1))
    new = [line for some in kept for line in some]
    if any(_INVISIBLE & {unicodedata.category(c) for c in set(line) - {"\t"}} for line in new):
        return None  # what cannot be seen is not to be accepted with a click
    if last == len(lines) and not new:
        return None  # the file would lose its last line end
    digest = sha256("\n".join([*old, "\0", *new]).encode("utf-8", "surrogatepass")).hexdigest()
    return Suggestion(path, first, last, tuple(new), digest[:16])
