"""Symbolic links: git keeps where one leads as its text; whoever opens it gets what is there."""

from collections.abc import Sequence
from dataclasses import dataclass
from posixpath import dirname, join, normpath

from bot.detect.source import Source

_LONGEST = 1_024  # bytes of a link that is followed
_MOST = 5  # links in a row


@dataclass(frozen=True, slots=True)
class Followed:
    """A source whose links are followed, within the repository.

    A blob does not say that it is one. What is taken for a link has one line without an end that
    names a file: no format that is read here looks like that.
    """

    source: Source

    def paths(self) -> Sequence[str]:
        """Return what the source lists."""
        return self.source.paths()

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or those of the file that it leads to. Raises SourceError."""
        data = self.source.read(path)
        for _ in range(_MOST):
            target = _target(path, data)
            behind = self.source.read(target) if target is not None else None
            if target is None or behind is None:
                return data
            path, data = target, behind
        return data


def _target(path: str, data: bytes | None) -> str | None:
    if not data or len(data) > _LONGEST or b"\n" in data or b"\0" in data:
        return None
    try:
        target = normpath(join(dirname(path), data.decode()))
    except UnicodeDecodeError:
        return None
    return None if target.startswith(("/", "..")) or target in {".", path} else target
