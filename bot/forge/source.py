"""Sources over the files of two commits on GitHub, read in batches through GraphQL.

A file that did not change is the same on both sides and read once. Each batch also reads the pull
request's head, so that the last one tells for free whether it moved.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

from bot.detect.source import SourceError
from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import BLOBS, PATH
from bot.pull import PullRef
from bot.review.model import Change

_BATCH = 120  # blobs of one query
_MODES = frozenset({"100644", "100755", "100664"})


@dataclass(slots=True)
class Files:
    """Both sides of one pull request."""

    client: Client
    pull: PullRef
    merge_base: str
    head: str
    changes: tuple[Change, ...]
    seen_head: str = ""  # the head as the last batch told; "" before the first
    _known: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    _paths: tuple[str, ...] | None = None
    _lock: Lock = field(default_factory=Lock)
    _touched: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        sides = (path for change in self.changes for path in (change.old, change.new))
        self._touched = frozenset(path for path in sides if path is not None)

    @property
    def base_side(self) -> "Side":
        """The files of the merge base."""
        return Side(self, self.merge_base)

    @property
    def head_side(self) -> "Side":
        """The files of the head."""
        return Side(self, self.head)

    def paths(self) -> tuple[str, ...]:
        """Return every path of the head. Raises ForgeError.

        Where GitHub cuts the tree short (past 100,000 entries), what it gives has to do: the
        changed files are known anyway.
        """
        if self._paths is None:
            where = f"/repos/{self.pull.owner}/{self.pull.repo}/git/trees/{self.head}"
            tree = self.client.get(where, {"recursive": 1})["tree"]
            listed = (one["path"] for one in tree if one["mode"] in _MODES)
            self._paths = tuple(sorted(listed))
        return self._paths

    def fetch(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read files, given as (commit, path), that are not known yet. Raises ForgeError."""
        missing = [
            one for one in dict.fromkeys(map(self._shared, wanted)) if one not in self._known
        ]
        for start in range(0, len(missing), _BATCH):
            self._batch(missing[start : start + _BATCH])

    def read(self, commit: str, path: str) -> bytes | None:
        """Return one file's bytes, None where there is none. Raises ForgeError."""
        key = self._shared((commit, path))
        with self._lock:
            if key not in self._known:
                if self._paths is not None and key[0] == self.head and path not in self._paths:
                    return None
                self._batch([key])
            return self._known[key]

    def _shared(self, key: tuple[str, str]) -> tuple[str, str]:
        """Name an unchanged file by the head: it is the same blob in the merge base."""
        return key if key[1] in self._touched else (self.head, key[1])

    def _batch(self, keys: Sequence[tuple[str, str]]) -> None:
        objects = "\n".join(
            PATH.format(alias=f"f{number}", expression=json.dumps(f"{commit}:{path}"))
            for number, (commit, path) in enumerate(keys)
        )
        variables = {"owner": self.pull.owner, "repo": self.pull.repo, "number": self.pull.number}
        answer = self.client.graphql(BLOBS.format(objects=objects), variables)["repository"]
        self.seen_head = answer["pullRequest"]["headRefOid"]
        for number, key in enumerate(keys):
            self._known[key] = self._content(answer[f"f{number}"])

    def _content(self, blob: Mapping[str, object] | None) -> bytes | None:
        if not blob:  # no such path, or a folder
            return None
        text = blob["text"]
        if isinstance(text, str) and not blob["isTruncated"] and not blob["isBinary"]:
            return text.encode("utf-8", "surrogatepass")
        where = f"/repos/{self.pull.owner}/{self.pull.repo}/git/blobs/{blob['oid']}"
        answer = self.client.get(where)
        return base64.b64decode(answer["content"])


@dataclass(frozen=True, slots=True)
class Side:
    """The files of one of the two commits: a `bot.detect.source.Source`."""

    files: Files
    commit: str

    def paths(self) -> Sequence[str]:
        """Return every path of the head, also for the merge base: unchanged files are the same."""
        try:
            return self.files.paths()
        except ForgeError as error:
            raise SourceError(error.reason) from error

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, None where there is none. Raises SourceError."""
        try:
            return self.files.read(self.commit, path)
        except ForgeError as error:
            raise SourceError(error.reason) from error
