"""The default branch of a repository, as a Source: for the register, which judges nobody."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bot.detect.source import SourceError
from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.tree import Tree
from bot.wake import Repository

DEFAULT_BRANCH = """
query DefaultBranch($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
    databaseId
    isPrivate
    defaultBranchRef { name target { oid } }
  }
}
"""
_BLOBS = """
query BlobsById($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
%s
  }
}
"""
_BLOB = '    f%d: object(oid: "%s") { ... on Blob { text byteSize } }'

_BATCH = 100  # blobs of one query
_LARGEST_FILE = 16 * 1024 * 1024  # bytes
_MOST_BYTES = 256 * 1024 * 1024  # of all files of one scan


@dataclass(frozen=True, slots=True)
class DefaultBranch:
    """Where a repository's default branch is."""

    id: int  # of the repository, REST
    is_private: bool
    name: str
    head: str  # "" where the repository is empty


def default_branch(client: Client, at: Repository) -> DefaultBranch:
    """Read what a repository's default branch is. Raises ForgeError."""
    found = client.graphql(DEFAULT_BRANCH, {"owner": at.owner, "repo": at.repo})["repository"]
    branch = found["defaultBranchRef"] or {"name": "", "target": {"oid": ""}}
    return DefaultBranch(
        found["databaseId"], found["isPrivate"], branch["name"], branch["target"]["oid"]
    )


@dataclass(slots=True)
class BranchFiles:
    """The files of one commit, for one thread: a `bot.detect.source.Source`."""

    client: Client
    at: Repository
    tree: Tree
    _content: dict[str, bytes] = field(default_factory=dict)  # by blob
    _bytes: int = 0

    def paths(self) -> Sequence[str]:
        """Return every path."""
        return tuple(self.tree.blobs)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none. Raises SourceError."""
        blob = self.tree.blobs.get(path)
        if blob is None:
            return None
        if blob not in self._content:
            try:
                self.fetch([path])
            except ForgeError as error:
                raise SourceError(error.reason) from error
        return self._content[blob]

    def fetch(self, paths: Iterable[str]) -> None:
        """Read many files in few requests. Raises ForgeError."""
        known = (self.tree.blobs[path] for path in paths if path in self.tree.blobs)
        missing = [blob for blob in dict.fromkeys(known) if blob not in self._content]
        for start in range(0, len(missing), _BATCH):
            self._batch(missing[start : start + _BATCH])

    def _batch(self, oids: Sequence[str]) -> None:
        asked = {"owner": self.at.owner, "repo": self.at.repo}
        query = _BLOBS % "\n".join(_BLOB % (number, oid) for number, oid in enumerate(oids))
        answer = self.client.graphql(query, asked)["repository"]
        for number, oid in enumerate(oids):
            blob = answer[f"f{number}"] or {"text": "", "byteSize": 0}
            size = blob["byteSize"]
            self._bytes += size
            if size > _LARGEST_FILE or self._bytes > _MOST_BYTES:
                raise ForgeError("too large to be read", retry=False)
            text = blob["text"]
            data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else b""
            # GraphQL has no text of a binary file, and cuts a long one short.
            self._content[oid] = data if len(data) == size else self._whole(oid)

    def _whole(self, oid: str) -> bytes:
        answer = self.client.get(f"/repos/{self.at.owner}/{self.at.repo}/git/blobs/{oid}")
        return base64.b64decode(answer["content"])
