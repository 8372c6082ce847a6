"""SHELL: Sources over a folder and over git, for the command line and the cases."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from bot.detect.lines import Text, decode
from bot.detect.source import Source, SourceError
from bot.review.compare import in_scope
from bot.review.hunks import read_hunks, whole_file
from bot.review.model import Change, Hunk

if TYPE_CHECKING:
    import subprocess

Folder = str | os.PathLike[str]

_FILE_MODES = frozenset({"100644", "100755", "100664"})
_MOST_PATHS = 400  # of one git command line
_NULL = "0" * 40


class GitError(Exception):
    """git could not do what was asked. The text is a sentence for the person at the terminal."""


class FolderSource:
    """The files of a folder as they are on disk; symbolic links and `.git` are left out."""

    def __init__(self, top: Folder) -> None:
        self._top = top

    @cached_property
    def _paths(self) -> tuple[str, ...]:
        found: list[str] = []
        folders = [""]
        while folders:
            folder = folders.pop()
            for entry in _listed(f"{self._top}/{folder}"):
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        folders.append(f"{folder}{entry.name}/")
                elif not entry.is_symlink():
                    found.append(folder + entry.name)
        return tuple(sorted(found))

    def paths(self) -> Sequence[str]:
        """Return every path below the folder, sorted."""
        return self._paths

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._paths)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where `paths` does not list it. Never leaves the folder."""
        if path not in self._known:
            return None
        try:
            with open(f"{self._top}/{path}", "rb", buffering=0) as file:  # noqa: PTH123 - many
                return file.readall()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise SourceError(f"{path}: {error.strerror}") from error


def _listed(folder: Folder) -> list[os.DirEntry[str]]:
    """Return what stands in a folder, nothing where it may not be looked into."""
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


class Git:
    """One repository, with or without a work tree."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._reader: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str) -> bytes:
        """Return what a git command prints. Raises GitError with git's own sentence."""
        import subprocess  # noqa: PLC0415 - start-up

        command = ["git", "-C", str(self._folder), "-c", "core.quotepath=off", *arguments]
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise GitError(said[0] if said else f"git {arguments[0]} failed")
        return done.stdout

    def words(self, *arguments: str) -> list[str]:
        """Return the NUL-separated output of a git command."""
        output = self.run(*arguments).decode("utf-8", "surrogateescape")
        return output.split("\0")[:-1]

    def kind(self, name: str) -> str:
        """Return "commit" or "tree" for a revision, tags followed. Raises GitError."""
        try:
            self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        except GitError:
            try:
                self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{tree}}")
            except GitError:
                raise GitError(f"{name!r} is no commit and no tree of this repository") from None
            return "tree"
        return "commit"

    def blob(self, identity: str) -> bytes:
        """Return a blob's bytes, through one long-lived git process."""
        import subprocess  # noqa: PLC0415 - start-up

        if self._reader is None:
            self._reader = subprocess.Popen(
                ["git", "-C", str(self._folder), "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        reader = self._reader
        assert reader.stdin is not None  # noqa: S101 - asked for above
        assert reader.stdout is not None  # noqa: S101
        reader.stdin.write(identity.encode() + b"\n")
        reader.stdin.flush()
        head = reader.stdout.readline().split()
        if len(head) != 3:
            raise SourceError(f"git has no object {identity} (a shallow or partial clone?)")
        data = reader.stdout.read(int(head[2]))
        reader.stdout.read(1)
        return data

    def close(self) -> None:
        """End the long-lived process."""
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None


@contextmanager
def repository(folder: Folder) -> Iterator[Git]:
    """Open a repository for a while. Raises GitError where there is none."""
    git = Git(folder)
    try:
        git.run("rev-parse", "--git-dir")
        yield git
    finally:
        git.close()


class GitSource:
    """The files of one tree or of the index."""

    def __init__(self, git: Git, entries: Mapping[str, str]) -> None:
        self._git = git
        self._entries = entries

    def paths(self) -> Sequence[str]:
        """Return every path, sorted."""
        return sorted(self._entries)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none. Raises SourceError."""
        identity = self._entries.get(path)
        return None if identity is None else self._git.blob(identity)


@dataclass(frozen=True, slots=True)
class Difference:
    """Two sets of files and what differs between them: what `review.compare` takes."""

    base: Source
    head: Source
    changes: tuple[Change, ...]


def between(git: Git, base: str, head: str) -> Difference:
    """Compare the merge base of two commits with the second one, as GitHub does.

    Where one of them is a tree, the two are compared as they are. Raises GitError.
    """
    if git.kind(base) == git.kind(head) == "commit":
        try:
            base = git.run("merge-base", base, head).decode().split()[0]
        except (GitError, IndexError):
            raise GitError(
                f"{base} and {head} have no merge base here; in a shallow clone, fetch more history"
            ) from None
    entries = _tree(git, base), _tree(git, head)
    changes = _changes(git, "diff-tree", "-r", base, head)
    return _difference(git, entries, changes, ("diff-tree", "-r", base, head))


def staged(git: Git) -> Difference:
    """Compare HEAD with the index. Raises GitError."""
    index = {
        path: fields.split()[1]
        for fields, _, path in (entry.partition("\t") for entry in git.words("ls-files", "-sz"))
        if fields.split()[0] in _FILE_MODES and fields.split()[2] == "0"
    }
    try:
        head = git.run("rev-parse", "--verify", "--quiet", "HEAD^{tree}").decode().strip()
    except GitError:  # no commit yet
        head = git.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    command = ("diff-index", "--cached", head)
    return _difference(git, (_tree(git, head), index), _changes(git, *command), command)


def _tree(git: Git, name: str) -> dict[str, str]:
    found = {}
    for entry in git.words("ls-tree", "-rz", "--full-tree", name):
        fields, _, path = entry.partition("\t")
        mode, _, identity = fields.split()
        if mode in _FILE_MODES:
            found[path] = identity
    return found


def _changes(git: Git, *command: str) -> list[Change]:
    """Return what differs, renames paired as git pairs them, hunks not yet read."""
    try:
        listed = git.words(command[0], "-M", "-z", "--name-status", *command[1:])
    except GitError:  # a clone without its large files: only what is the same can be paired
        listed = git.words(command[0], "-M100%", "-z", "--name-status", *command[1:])
    words = iter(listed)
    found: list[Change] = []
    for status in words:
        path = next(words)
        match status[:1]:
            case "R":
                found.append(Change(path, next(words)))
            case "C":
                found.append(Change(None, next(words)))
            case "A":
                found.append(Change(None, path))
            case "D":
                found.append(Change(path, None))
            case _:
                found.append(Change(path, path))
    return found


def _difference(
    git: Git,
    entries: tuple[Mapping[str, str], Mapping[str, str]],
    changes: list[Change],
    command: tuple[str, ...],
) -> Difference:
    base, head = GitSource(git, entries[0]), GitSource(git, entries[1])
    edited = [c for c in changes if c.old and c.new and (in_scope(c.new) or in_scope(c.old))]
    hunks = _hunks(git, edited, command)
    complete: list[Change] = []
    for change in changes:
        if change.old is None and change.new is not None:
            known: tuple[Hunk, ...] | None = None
            if change.new in entries[1] and in_scope(change.new):
                content = decode(head.read(change.new) or b"")
                known = whole_file(len(Text(content))) if content is not None else None
            complete.append(Change(None, change.new, known))
        else:
            complete.append(Change(change.old, change.new, hunks.get(change.new or "")))
    return Difference(base, head, tuple(complete))


def _hunks(
    git: Git, edited: list[Change], command: tuple[str, ...]
) -> dict[str, tuple[Hunk, ...] | None]:
    """Read the hunks of files that both sides have, in git's order."""
    found: dict[str, tuple[Hunk, ...] | None] = {}
    for start in range(0, len(edited), _MOST_PATHS):
        part = edited[start : start + _MOST_PATHS]
        paths = sorted({path for c in part for path in (c.old, c.new) if path})
        limited = (*command[1:], "--", *paths)
        order = _changes(git, command[0], *limited)
        options = (
            "-M",
            "-p",
            "-U3",
            "--no-color",
            "--no-ext-diff",
            "--no-textconv",
            "--full-index",
        )
        output = git.run("--literal-pathspecs", command[0], *options, *limited)
        patches = _split(output.decode("utf-8", "surrogateescape"))
        for change, patch in zip(order, patches, strict=False):
            if change.new:
                found[change.new] = read_hunks(patch)
    return found


def _split(output: str) -> list[str]:
    """Split git's output into one patch a file."""
    starts: list[int] = []
    at = 0 if output.startswith("diff --git ") else output.find("\ndiff --git ") + 1
    while at > 0 or (at == 0 and not starts and output.startswith("diff --git ")):
        starts.append(at)
        at = output.find("\ndiff --git ", at) + 1
    return [output[a:b] for a, b in zip(starts, [*starts[1:], len(output)], strict=True)]
