"""Sources over the files of two commits on GitHub, read in batches through GraphQL.

A file that did not change is the same on both sides and read once. Each batch also reads the pull
request's head, so that the last one tells for free whether it moved.
"""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.detect.source import SourceError
from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import blobs
from bot.forge.read import Now, now_of, now_variables
from bot.forge.tree import tree
from bot.gate.facts import Facts
from bot.review.model import Change

_BATCH = 100  # blobs of one query
_SMALL_BATCH = 20  # of one that GitHub did not manage
_LARGEST_FILE = 16 * 1024 * 1024  # bytes
_MOST_BYTES = 128 * 1024 * 1024  # of all files of one evaluation: the author chooses their number


@dataclass(slots=True)
class Files:
    """Both sides of one pull request, for one thread."""

    client: Client
    known: Facts
    merge_base: str
    changes: tuple[Change, ...]
    now: Now | None = None  # as the last batch told; None before the first
    complete: bool = True  # false where not every path could be listed
    _content: dict[tuple[str, str], bytes | None] = field(default_factory=dict)
    _bytes: int = 0
    _paths: tuple[str, ...] | None = None
    _listed: frozenset[str] = frozenset()
    _touched: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        sides = (path for change in self.changes for path in (change.old, change.new))
        self._touched = frozenset(path for path in sides if path is not None)

    @property
    def head(self) -> str:
        """The head commit."""
        return self.known.head

    @property
    def base_side(self) -> "Side":
        """The files of the merge base."""
        return Side(self, self.merge_base)

    @property
    def head_side(self) -> "Side":
        """The files of the head."""
        return Side(self, self.head)

    def paths(self) -> tuple[str, ...]:
        """Return every path of the head. Raises ForgeError."""
        if self._paths is None:
            pull = self.known.pull
            listed = tree(self.client, pull.owner, pull.repo, self.head)
            self.complete = listed.complete
            self._paths = tuple(sorted(listed.blobs))
            self._listed = frozenset(self._paths)
        return self._paths

    def fetch(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Read files, given as (commit, path), that are not known yet. Raises ForgeError."""
        missing = [
            one for one in dict.fromkeys(map(self._shared, wanted)) if one not in self._content
        ]
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            try:
                self._batch(part)
            except ForgeError as error:
                if not error.heavy:
                    raise
                for small in range(0, len(part), _SMALL_BATCH):
                    self._batch(part[small : small + _SMALL_BATCH])

    def read(self, commit: str, path: str) -> bytes | None:
        """Return one file's bytes, None where there is none. Raises ForgeError."""
        key = self._shared((commit, path))
        if key not in self._content:
            if key[0] == self.head and self._listed and self.complete and path not in self._listed:
                return None
            self._batch([key])
        return self._content[key]

    def _shared(self, key: tuple[str, str]) -> tuple[str, str]:
        """Name an unchanged file by the head: it is the same blob in the merge base."""
        return key if key[1] in self._touched else (self.head, key[1])

    def _batch(self, keys: Sequence[tuple[str, str]]) -> None:
        query = blobs([json.dumps(f"{commit}:{path}") for commit, path in keys])
        answer = self.client.graphql(
            query, now_variables(self.known), once=len(keys) > _SMALL_BATCH
        )["repository"]
        self.now = now_of(answer, self.known)
        for number, key in enumerate(keys):
            blob = answer[f"f{number}"]
            if not blob:  # no such path, or a folder
                self._content[key] = None
                continue
            self._bytes += blob["byteSize"]
            if blob["byteSize"] > _LARGEST_FILE or self._bytes > _MOST_BYTES:
                raise ForgeError(f"too large to be read: {key[1]}", retry=False)
            self._content[key] = self._whole(blob)

    def _whole(self, blob: Mapping[str, Any]) -> bytes:
        """Return a blob's bytes; from REST where GraphQL has no text, cut it short or mended it."""
        if isinstance(blob["text"], str):
            data = blob["text"].encode("utf-8", "surrogatepass")
            if len(data) == blob["byteSize"]:
                return data
        pull = self.known.pull
        answer = self.client.get(f"/repos/{pull.owner}/{pull.repo}/git/blobs/{blob['oid']}")
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
