"""What can be written to a pull request, as values. `plan` makes them, the forge sends them."""

import re
from dataclasses import dataclass
from hashlib import sha256

_MARKER = re.compile(r"<!-- sockgate:(?P<kind>[a-z]+) (?P<words>[0-9a-zA-Z ._:-]*) -->")


def marker(kind: str, *words: str) -> str:
    """Return the hidden line that makes our own text recognisable to us.

    It counts only in what our own App wrote: anybody can type it.
    """
    return f"<!-- sockgate:{kind} {' '.join(words)} -->"


def marked(text: str, kind: str) -> frozenset[str]:
    """Return the words of the marker that ends a text of our own, where it is of this kind.

    Only the last line counts: what stands above may quote a pull request.
    """
    found = _MARKER.fullmatch(text.rstrip().rpartition("\n")[2])
    if found is None or found["kind"] != kind:
        return frozenset()
    return frozenset(found["words"].split())


@dataclass(frozen=True, slots=True)
class Annotation:
    """One line of the check's annotations (REST, "check runs", `output.annotations`)."""

    path: str
    line: int
    level: str  # "failure" or "notice"
    title: str
    message: str


AGAIN = ("Check again", "Looks at this commit once more", "check-again")
"""The one button of a check: its label, what it does, and what GitHub calls it in its event.

REST, "create a check run", `actions`: at most 20, 40 and 20 characters.
"""


@dataclass(frozen=True, slots=True)
class PutCheck:
    """A completed check run on a head commit, with the button that looks again."""

    head: str
    conclusion: str  # "success" or "failure"
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()

    @property
    def key(self) -> str:
        """Digest of all that is shown: what stands there already is not written again."""
        parts = (self.head, self.conclusion, self.title, self.summary)
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Inline:
    """One comment of a review, on lines of the new side; `line` None for the file as a whole."""

    path: str
    line: int | None
    body: str
    key: str
    first: int | None = None  # first of several lines; `line` is the last of them
    on_file: str = ""  # what it says where its lines are refused; "" for the same


@dataclass(frozen=True, slots=True)
class PostReview:
    """One review with all new inline comments."""

    head: str
    comments: tuple[Inline, ...]

    @property
    def key(self) -> str:
        """The keys of its comments."""
        return " ".join(comment.key for comment in self.comments)


@dataclass(frozen=True, slots=True)
class EditComment:
    """New text for a review comment of our own."""

    comment: int
    body: str

    @property
    def key(self) -> str:
        """The comment."""
        return f"edit {self.comment}"


@dataclass(frozen=True, slots=True)
class PostComment:
    """A comment below the pull request."""

    body: str
    key: str


@dataclass(frozen=True, slots=True)
class RemoveLabel:
    """Take off a label that does not count, unless it was put on anew meanwhile."""

    name: str
    event: int  # REST id of the event that put it on; 0 where none is known

    @property
    def key(self) -> str:
        """The label."""
        return f"remove {self.name}"


Write = PutCheck | PostReview | EditComment | PostComment | RemoveLabel
