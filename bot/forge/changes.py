"""What a pull request changes, against its merge base, as GitHub lists it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
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
    merge_base, files = answer["merge_base_commit"]["sha"], answer.get("files") or []
    if len(files) < _MOST_COMPARED:
        return Changes(merge_base, tuple(_change(file) for file in files), complete=True)
    most = _MOST_FILES // 100
    files = list(client.pages(f"{path}/pulls/{pull.number}/files", most=most))
    listed = tuple(_change(file) for file in files)
    differing = changes_between(client, known, merge_base)
    whole = len(files) < _MOST_FILES
    if not differing.complete:  # very many files in all: the list may still be whole
        return Changes(merge_base, listed, whole)
    found = as_listed(differing.changes, listed)
    return Changes(merge_base, found if whole else found[:_MOST_FILES], whole)


def as_listed(differing: Sequence[Change], listed: Iterable[Change]) -> tuple[Change, ...]:
    """Add renames and lines to what differs between two commits, from a list of something else.

    A pull request's list of files is that of its head at the moment, which may be another one for
    as long as it is read. What does not agree with the commits is left out.
    """
    left = {change.path: change for change in differing}
    found = []
    for one in listed:
        of_old = left.get(one.old or "", Change(None, None))
        of_new = left.get(one.new or "", Change(None, None))
        same = one.old == one.new or None in {one.old, one.new}
        agrees = of_old.old == one.old and of_new.new == one.new
        if agrees and (same or (of_old.new is None and of_new.old is None)):
            found.append(one)
            left.pop(one.old or "", None)
            left.pop(one.new or "", None)
    return (*found, *left.values())


def is_in_default(client: Client, known: Facts) -> bool:
    """Tell whether the default branch has the head; where GitHub does not tell, it may.

    REST, "compare two commits": `status`. Raises ForgeError where trying again can help.
    """
    path = f"/repos/{known.pull.owner}/{known.pull.repo}"
    between = f"{known.default_head}...{known.head}"
    try:
        answer = client.get(f"{path}/compare/{between}", {"per_page": 1})
    except ForgeError as error:
        if error.retry:
            raise
        return True
    return answer["status"] in {"behind", "identical"}


def changes_from(client: Client, known: Facts, other: str) -> Changes | None:
    """Read what differs between the head and where it left another branch than its base.

    `other` is that branch's head. None where the two have no history in common: GitHub merges
    nothing there. Past what a comparison lists the two trees are compared, without renames. Raises
    ForgeError.
    """
    path = f"/repos/{known.pull.owner}/{known.pull.repo}"
    try:
        answer = client.get(f"{path}/compare/{other}...{known.head}", {"per_page": 1})
    except ForgeError as error:
        if error.gone and "ancestor" in error.reason:
            return None
        raise
    merge_base = answer["merge_base_commit"]["sha"]
    files = answer.get("files") or []
    if len(files) < _MOST_COMPARED:
        return Changes(merge_base, tuple(_change(file) for file in files), complete=True)
    return changes_between(client, known, merge_base)


def changes_between(client: Client, known: Facts, commit: str) -> Changes:
    """Read what differs between a commit and the head, as they are: all files, without renames.

    Raises ForgeError.
    """
    path = f"/repos/{known.pull.owner}/{known.pull.repo}"
    sides = [client.get(f"{path}/git/trees/{c}", {"recursive": 1}) for c in (commit, known.head)]
    old, new = (
        {one["path"]: (one["sha"], one["mode"]) for one in side["tree"] if one["type"] == "blob"}
        for side in sides
    )
    return Changes(
        commit,
        tuple(
            Change(name if name in old else None, name if name in new else None)
            for name in sorted({*old, *new})
            if old.get(name) != new.get(name)
        ),
        complete=not any(side["truncated"] for side in sides),
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
