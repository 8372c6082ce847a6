"""Every file of one commit, as GitHub lists its tree."""

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import join
from typing import Any

from bot.forge.client import Client

_FILES = frozenset({"100644", "100755", "100664"})  # modes; symbolic links are no files here
_MOST_TREES = 60  # requests for a tree that GitHub does not list whole


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of a commit. `complete` is false where GitHub lists no more of them."""

    blobs: Mapping[str, str]  # path -> id of the blob
    complete: bool


def tree(client: Client, owner: str, repo: str, commit: str) -> Tree:
    """List a commit's files; folder by folder where GitHub cuts the whole tree short.

    REST, "get a tree": at most 100,000 entries or 7 MB, then `truncated`. Raises ForgeError.
    """
    blobs: dict[str, str] = {}
    complete = True
    left = [(commit, "")]
    for _ in range(_MOST_TREES):
        if not left:
            break
        sha, folder = left.pop(0)
        answer = _entries(client, owner, repo, sha, recursive=True)
        if answer["truncated"]:
            answer = _entries(client, owner, repo, sha, recursive=False)
            complete = complete and not answer["truncated"]
            left += [
                (one["sha"], join(folder, one["path"]))
                for one in answer["tree"]
                if one["type"] == "tree"
            ]
        for one in answer["tree"]:
            if one["mode"] in _FILES:
                blobs[join(folder, one["path"])] = one["sha"]
    return Tree(blobs, complete and not left)


def _entries(
    client: Client, owner: str, repo: str, sha: str, *, recursive: bool
) -> Mapping[str, Any]:
    where = f"/repos/{owner}/{repo}/git/trees/{sha}"
    answer: Mapping[str, Any] = client.get(where, {"recursive": 1} if recursive else {})
    return answer
