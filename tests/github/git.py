"""The objects of one fork network: a bare repository driven by plain git.

Forks share one object store, as on GitHub, so a commit of a fork can be read through every
repository of its network, also after the fork is gone. Branches live under ``refs/at/<repository
id>/heads/``.
"""

import datetime as dt
import functools
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "LC_ALL": "C",
}
# Nothing here outlives the process, so nothing needs to reach the disk.
_SETTINGS = ("-c", "core.quotePath=false", "-c", "core.fsync=none")
NOTHING = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"  # git's empty tree
ZEROS = "0" * 40


class GitError(Exception):
    """Git refused; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who wrote or committed, and when, as a commit records it: free text, nothing proven."""

    name: str
    email: str
    at: dt.datetime

    def line(self) -> bytes:
        """Render as ``Name <email> seconds +0000``."""
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} +0000".encode()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that is not a plain one; ``mode`` is git's (100755, 120000, 160000)."""

    mode: str
    content: bytes


File: TypeAlias = str | bytes | Entry | None
"""What a scenario puts at a path; None takes the path away."""


def symlink(target: str) -> Entry:
    """Make a symbolic link."""
    return Entry("120000", target.encode())


def executable(content: str | bytes) -> Entry:
    """Make a file with the executable bit."""
    return Entry("100755", content.encode() if isinstance(content, str) else content)


def submodule(sha: str) -> Entry:
    """Make a submodule at a commit of another repository."""
    return Entry("160000", sha.encode())


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit as git stores it."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    message: str


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One line of ``git ls-tree``; ``size`` only for blobs."""

    mode: str
    kind: str
    sha: str
    size: int | None
    path: str


class Git:
    """One bare repository; every method is safe from any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._reader: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True)
        self.run("init", "--quiet", "--bare", ".")

    def run(self, *arguments: str, stdin: bytes = b"", allow: tuple[int, ...] = (0,)) -> bytes:
        """Run git here and return what it printed."""
        done = self._process(*arguments, stdin=stdin)
        if done.returncode not in allow:
            raise GitError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout

    def _process(self, *arguments: str, stdin: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            ["git", *_SETTINGS, *arguments],
            cwd=self.folder,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            check=False,
        )

    def close(self) -> None:
        """End the reader process."""
        with self._lock:
            if self._reader is not None:
                self._reader.communicate()
                self._reader = None

    def read(self, name: str) -> tuple[str, str, bytes] | None:
        """Return (sha, kind, content) of the object that ``name`` resolves to, or None."""
        if "\n" in name or not name:
            return None
        with self._lock:
            if self._reader is None:
                self._reader = subprocess.Popen(
                    ["git", "cat-file", "--batch"],
                    cwd=self.folder,
                    env=ENVIRONMENT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )
            source, sink = self._reader.stdout, self._reader.stdin
            if source is None or sink is None:
                raise GitError("git cat-file has no pipes")
            sink.write(name.encode(errors="surrogateescape") + b"\n")
            sink.flush()
            header = source.readline().split()
            if len(header) != 3 or not header[2].isdigit():
                return None
            content = source.read(int(header[2]))
            source.read(1)
            return header[0].decode(), header[1].decode(), content

    def commit(
        self,
        ref: str,
        files: Mapping[str, File],
        *,
        parents: tuple[str, ...],
        message: str,
        author: Signature,
        committer: Signature,
    ) -> str:
        """Write one commit onto ``ref``; files not named stay as in the first parent."""
        out = [b"commit " + ref.encode(), b"mark :1"]
        out += [b"author " + author.line(), b"committer " + committer.line()]
        out += [_data(message.encode())]
        for keyword, parent in zip([b"from", *[b"merge"] * len(parents)], parents, strict=False):
            out.append(keyword + b" " + parent.encode())
        for path, file in files.items():
            out.append(_change(path, file))
        out += [b"", b"get-mark :1", b""]
        printed = self.run("fast-import", "--quiet", "--force", stdin=b"\n".join(out))
        return printed.decode().strip()

    def commit_tree(self, tree: str, parents: tuple[str, ...], message: str, who: Signature) -> str:
        """Write a commit for an existing tree, on no branch."""
        text = [b"tree " + tree.encode()]
        text += [b"parent " + parent.encode() for parent in parents]
        text += [b"author " + who.line(), b"committer " + who.line(), b"", message.encode()]
        return (
            self.run("hash-object", "-t", "commit", "-w", "--stdin", stdin=b"\n".join(text))
            .decode()
            .strip()
        )

    @functools.lru_cache(maxsize=4096)  # noqa: B019  likewise
    def merge_tree(self, ours: str, theirs: str) -> str | None:
        """Return the tree of a clean merge, or None where they conflict."""
        done = self._process("merge-tree", "--write-tree", ours, theirs)
        return done.stdout.split(b"\n")[0].decode() if done.returncode == 0 else None

    def set_ref(self, ref: str, sha: str | None) -> None:
        """Move or delete a ref, as the file that git keeps for it."""
        file = self.folder / ref
        if sha is None:
            file.unlink(missing_ok=True)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{sha}\n")

    def resolve(self, name: str) -> str | None:
        """Return the commit that a name stands for."""
        found = self.read(f"{name}^{{commit}}")
        return found[0] if found else None

    @functools.lru_cache(maxsize=4096)  # noqa: B019  commits never change, and the store is short-lived
    def show(self, sha: str) -> Commit:
        """Read a commit."""
        found = self.read(sha)
        if found is None or found[1] != "commit":
            raise GitError(f"{sha} is no commit")
        return _commit(found[0], found[2])

    @functools.lru_cache(maxsize=4096)  # noqa: B019  likewise
    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Return the best common ancestor, or None where histories are unrelated."""
        if ours == theirs or ours in self.show(theirs).parents:
            return ours
        if theirs in self.show(ours).parents:
            return theirs
        return self.run("merge-base", ours, theirs, allow=(0, 1)).decode().strip() or None

    @functools.lru_cache(maxsize=4096)  # noqa: B019  likewise
    def log(self, exclude: str, include: str) -> tuple[str, ...]:
        """Return the commits of ``include`` that ``exclude`` does not have, oldest first."""
        if include == exclude:
            return ()
        if self.show(include).parents == (exclude,):
            return (include,)
        listed = self.run("rev-list", "--reverse", "--topo-order", include, f"^{exclude}")
        return tuple(listed.decode().split())

    def tree(self, name: str, *, recursive: bool) -> tuple[TreeEntry, ...]:
        """List a tree; recursively, trees come before what they hold."""
        listed = self.run("ls-tree", "-z", "-l", *(("-r", "-t") if recursive else ()), name)
        return tuple(_tree_entry(line) for line in listed.split(b"\0") if line)


def _commit(sha: str, content: bytes) -> Commit:
    header, _, message = content.partition(b"\n\n")
    fields: dict[str, list[bytes]] = {}
    for line in header.split(b"\n"):
        name, _, value = line.partition(b" ")
        fields.setdefault(name.decode(), []).append(value)
    return Commit(
        sha=sha,
        tree=fields["tree"][0].decode(),
        parents=tuple(value.decode() for value in fields.get("parent", [])),
        author=_signature(fields["author"][0]),
        committer=_signature(fields["committer"][0]),
        message=message.decode(errors="replace"),
    )


def _signature(line: bytes) -> Signature:
    who, _, when = line.rpartition(b"> ")
    name, _, email = who.decode(errors="replace").partition(" <")
    return Signature(name, email, dt.datetime.fromtimestamp(int(when.split()[0]), tz=dt.UTC))


def _tree_entry(line: bytes) -> TreeEntry:
    facts, _, path = line.partition(b"\t")
    mode, kind, sha, size = facts.decode().split()
    return TreeEntry(
        mode=mode,
        kind=kind,
        sha=sha,
        size=int(size) if size.isdigit() else None,
        path=path.decode(errors="replace"),
    )


def _data(content: bytes) -> bytes:
    return b"data %d\n%s" % (len(content), content)


def _change(path: str, file: File) -> bytes:
    quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    name = b'"' + quoted.encode(errors="surrogateescape") + b'"'
    match file:
        case None:
            return b"D " + name
        case Entry("160000", sha):
            return b"M 160000 " + sha + b" " + name
        case Entry(mode, content):
            return b"M " + mode.encode() + b" inline " + name + b"\n" + _data(content)
        case str():
            return b"M 100644 inline " + name + b"\n" + _data(file.encode())
        case bytes():
            return b"M 100644 inline " + name + b"\n" + _data(file)
