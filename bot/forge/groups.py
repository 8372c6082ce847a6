"""A merge group as GitHub's own queue has it -> what it is judged by, and whose it is.

Who is in a group is taken from the queue's entries, whose commits GitHub makes itself. A commit's
message, a branch's name and a pull request's text can be written by anybody and say nothing here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.forge.client import Client
from bot.forge.queries import GROUP, QUEUE_BRANCHES, QUEUED
from bot.forge.read import check_runs, is_asked_again, nodes, policy_text
from bot.gate.facts import Facts
from bot.pull import PullRef
from bot.wake import Repository, WakeGroup

_PREFIX = "gh-readonly-queue/"
_MOST_PAGES = 10  # of a hundred entries
_BEHIND = frozenset({"ahead", "identical"})  # REST, "compare two commits": `status`


@dataclass(frozen=True, slots=True)
class Entry:
    """A pull request in the queue that GitHub has made a commit for."""

    number: int
    branch: str  # of the pull request's head
    position: int
    commit: str  # what the base branch would be with it and all before it


@dataclass(frozen=True, slots=True)
class Group:
    """A commit that the queue would merge next, as it was found."""

    facts: Facts  # of the commit: it stands for no single pull request, so it carries no label
    own: Entry | None  # None where nothing in the queue has this commit
    before: tuple[Entry, ...]  # further ahead in the queue
    is_queued: bool  # whether a branch of the queue is at this commit


def group(client: Client, asked: WakeGroup, app_id: int, now: datetime) -> Group | None:
    """Read a merge group afresh; None where the commit is gone. Raises ForgeError."""
    variables = _names(asked.repository) | {
        "branch": asked.branch or None,
        "ref": f"refs/heads/{asked.branch}" if asked.branch else "HEAD",
        "head": asked.head_sha,
        "app": app_id,
    }
    data = client.graphql(GROUP, variables, optional="ownerPolicy")
    repository = data["repository"]
    if repository["object"] is None:
        return None
    entries = list(_entries(client, variables, repository["mergeQueue"]))
    own = [one for one in entries if one.commit == asked.head_sha]
    last = max(own, key=lambda one: one.position) if own else None
    at = asked.repository
    default = repository["defaultBranchRef"] or {"name": "", "target": {"oid": ""}}
    base = repository["ref"] if asked.branch else default
    facts = Facts(
        pull=PullRef(at.installation, at.owner, at.repo, last.number if last else 0),
        head=asked.head_sha,
        base=base["target"]["oid"] if base else asked.base_sha,
        is_open=True,
        author=None,
        branch=last.branch if last else "",
        base_branch=asked.branch,
        default_branch=default["name"],
        default_head=default["target"]["oid"],
        checks=check_runs([repository["object"]]),
        check_asked=is_asked_again(repository["object"]),
        policy=policy_text(repository["policy"], data["ownerPolicy"], at.owner),
        owner_is_user=repository["owner"]["__typename"] == "User",
        read_at=now,
    )
    return Group(
        facts=facts,
        own=last,
        before=tuple(
            one for one in entries if last and one.position <= last.position and one != last
        ),
        is_queued=any(
            ref["target"] and ref["target"]["oid"] == asked.head_sha
            for ref in nodes(repository["refs"])
        ),
    )


def members(client: Client, found: Group) -> tuple[PullRef, ...]:
    """Return the pull requests that a group would merge: those whose commit it was built on.

    Raises ForgeError.
    """
    if found.own is None:
        return ()
    pull = found.facts.pull
    path = f"/repos/{pull.owner}/{pull.repo}/compare"
    numbers = [found.own.number]
    for one in found.before:
        between = f"{one.commit}...{found.facts.head}"
        if client.get(f"{path}/{between}", {"per_page": 1})["status"] in _BEHIND:
            numbers.append(one.number)
    return tuple(
        PullRef(pull.installation, pull.owner, pull.repo, number)
        for number in sorted(dict.fromkeys(numbers))
    )


def groups_with(client: Client, pull: PullRef) -> Iterator[WakeGroup]:
    """Yield the merge groups that a pull request may be in: its own, and all behind it.

    Raises ForgeError.
    """
    at = Repository(pull.installation, pull.owner, pull.repo)
    asked = _names(at) | {"number": pull.number}
    found = client.graphql(QUEUED, asked)["repository"]["pullRequest"]
    own = found["mergeQueueEntry"]
    for one in nodes(((own or {}).get("mergeQueue") or {}).get("entries")):
        if one["position"] >= own["position"] and one["headCommit"] is not None:
            base = (one["baseCommit"] or {}).get("oid", "")
            yield WakeGroup(at, base, one["headCommit"]["oid"], found["baseRefName"])


def groups_at(client: Client, at: Repository, sha: str) -> Iterator[WakeGroup]:
    """Yield the merge groups whose commit this is. Raises ForgeError."""
    refs = client.graphql(QUEUE_BRANCHES, _names(at))["repository"]["refs"]
    for ref in nodes(refs):
        if ref["target"] and ref["target"]["oid"] == sha:
            branch = ref["name"].removeprefix(_PREFIX).rpartition("/")[0]
            yield WakeGroup(at, "", sha, branch)


def _names(at: Repository) -> dict[str, Any]:
    return {"owner": at.owner, "repo": at.repo}


def _entries(
    client: Client, variables: Mapping[str, Any], queue: Mapping[str, Any] | None
) -> Iterator[Entry]:
    for _ in range(_MOST_PAGES):
        entries = (queue or {}).get("entries")
        for one in nodes(entries):
            pull = one["pullRequest"]
            if pull is not None and one["headCommit"] is not None:
                commit = one["headCommit"]["oid"]
                yield Entry(pull["number"], pull["headRefName"], one["position"], commit)
        if not entries or not entries["pageInfo"]["hasNextPage"]:
            return
        after = {"after": entries["pageInfo"]["endCursor"]}
        data = client.graphql(GROUP, {**variables, **after}, optional="ownerPolicy")
        queue = data["repository"]["mergeQueue"]
