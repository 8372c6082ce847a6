"""What a pull request changes, against its merge base, as GitHub lists it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.forge.client import Client
from bot.gate.facts import Facts
from bot.review.compare import in_scope
from bot.review.hunks import read_hunks
from bot.review.model import Change

_MOST_COMPARED = 300  # files that a comparison lists (REST, "compare two commits")
_MOST_FILES = 3_000  # files that a pull request lists (REST, "list pull requests files")


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the merge base and the head."""

    merge_base: str
    changes: tuple[Change, ...]
    complete: bool  # false where GitHub lists no more files


def changes(client: Client, known: Facts) -> Changes:
    """Read what the pull request changes, against its merge base. Raises ForgeError.

    A comparison lists its files on its first page only, whatever the length of a page.
    """
    pull = known.pull
    path = f"/repos/{pull.owner}/{pull.repo}"
    answer = client.get(f"{path}/compare/{known.base}...{known.head}", {"per_page": 1})
    files = answer.get("files") or []
    if len(files) >= _MOST_COMPARED:
        most = _MOST_FILES // 100
        files = list(client.pages(f"{path}/pulls/{pull.number}/files", most=most))
    return Changes(
        merge_base=answer["merge_base_commit"]["sha"],
        changes=tuple(_change(file) for file in files),
        complete=len(files) < _MOST_FILES,
    )


def _change(file: Mapping[str, Any]) -> Change:
    """Read one entry; `patch` may be missing: then no line is known to accept a comment."""
    new: str | None = file["filename"]
    old = file.get("previous_filename") or new
    match file["status"]:
        case "added" | "copied":
            old = None
        case "removed":
            new = None
        case _:
            pass
    patch = file.get("patch")
    read = in_scope(new or "") or in_scope(old or "")
    return Change(old, new, read_hunks(str(patch)) if read and patch is not None else None)
