"""The files of one commit, as values. Whoever touches a disk or a network lives in the shell."""

from collections.abc import Mapping, Sequence
from typing import Protocol


class SourceError(Exception):
    """A file could not be read just now. The one error that crosses from a Source to its caller."""


class Source(Protocol):
    """The files of one commit.

    Paths are relative to the top, with `/`, without `./`. Symbolic links and submodules are not
    files here.
    """

    def paths(self) -> Sequence[str]:
        """Return every path of the commit, sorted."""

    def read(self, path: str) -> bytes | None:
        """Return the bytes of a file, or None where there is no such file.

        Raises SourceError where it could not be told.
        """


class DictSource:
    """A Source over a mapping, for tests and for what has been read already."""

    def __init__(self, files: Mapping[str, bytes | str]) -> None:
        self._files = {
            path: text.encode() if isinstance(text, str) else text for path, text in files.items()
        }

    def paths(self) -> Sequence[str]:
        """Return every path, sorted."""
        return sorted(self._files)

    def read(self, path: str) -> bytes | None:
        """Return the bytes of `path`, or None."""
        return self._files.get(path)
