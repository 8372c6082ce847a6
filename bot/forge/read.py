"""GitHub's answers -> Facts and changes. No object of PyGithub ever leaves this room."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import FACTS, HEAD, OPEN
from bot.gate.facts import (
    Account,
    CheckRun,
    Comment,
    Facts,
    LabelEvent,
    PolicyText,
    Reason,
    Role,
)
from bot.publish.writes import marked
from bot.pull import PullRef
from bot.review.compare import in_scope
from bot.review.hunks import read_hunks
from bot.review.model import Change

POLICY_FILE = ".github/sockgate.yml"
_MOST_COMPARED = 300  # files that a comparison lists (REST, "compare two commits")
_MOST_FILES = 3_000  # files that a pull request lists (REST, "list pull requests files")
_MOST_COMMITS = 250  # commits that a pull request lists (REST, "list commits on a pull request")
_STATUS = {"added": "A", "removed": "D", "renamed": "R", "copied": "A"}


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs between the merge base and the head."""

    merge_base: str
    changes: tuple[Change, ...]
    complete: bool  # false where GitHub lists no more files


@dataclass(frozen=True, slots=True)
class OpenPull:
    """An open pull request, as a list shows it."""

    ref: PullRef
    head: str
    labels: tuple[str, ...]


def facts(client: Client, pull: PullRef, app_id: int, now: datetime) -> Facts:
    """Read one pull request afresh. Raises ForgeError."""
    variables = {"owner": pull.owner, "repo": pull.repo, "number": pull.number, "app": app_id}
    data = client.graphql(FACTS, variables, optional="ownerPolicy")
    repository = data["repository"]
    found = repository["pullRequest"]
    commits = [node["commit"] for node in _nodes(found["commits"])]
    people, complete = _contributors(client, pull, commits, found["commits"]["totalCount"])
    return Facts(
        pull=pull,
        node=found["id"],
        head=found["headRefOid"],
        base=found["baseRefOid"],
        is_open=found["state"] == "OPEN",
        author=_account(found["author"]),
        body=found["body"] or "",
        contributors=people,
        all_contributors_known=complete,
        labels=tuple(node["name"] for node in _nodes(found["labels"])),
        events=tuple(_event(node) for node in _nodes(found["timelineItems"])),
        checks=tuple(sorted(_checks(commits), key=_when)),
        comments=(*_threads(_nodes(found["reviewThreads"])), *_own(_nodes(found["comments"]))),
        reasons=tuple(_reasons(_nodes(found["comments"]))),
        policy=_policy(repository["policy"], data["ownerPolicy"], pull.owner),
        owner_is_user=repository["owner"]["__typename"] == "User",
        same_head=tuple(sorted(set(_same_head(found)) - {pull.number})),
        read_at=now,
    )


def with_roles(client: Client, known: Facts, logins: Sequence[str]) -> Facts:
    """Add the present roles of people. A look-up that GitHub refuses is no role.

    REST, "get repository permissions for a user": `role_name`; a custom role counts as the legacy
    `permission` beside it. Raises ForgeError where trying again can help.
    """
    return replace(known, roles=tuple((name, _role(client, known.pull, name)) for name in logins))


def _role(client: Client, pull: PullRef, login: str) -> Role:
    try:
        answer = client.get(f"/repos/{pull.owner}/{pull.repo}/collaborators/{login}/permission")
    except ForgeError as error:
        if error.retry:
            raise
        return Role.NONE
    names = (str(answer.get("role_name", "")), str(answer.get("permission", "")))
    return next(
        (Role[name.upper()] for name in names if name.upper() in Role.__members__), Role.NONE
    )


def changes(client: Client, known: Facts) -> Changes:
    """Read what the pull request changes, against its merge base. Raises ForgeError."""
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


def head(client: Client, pull: PullRef) -> str:
    """Return the head commit as it is now. Raises ForgeError."""
    variables = {"owner": pull.owner, "repo": pull.repo, "number": pull.number}
    return str(client.graphql(HEAD, variables)["repository"]["pullRequest"]["headRefOid"])


def open_pulls(client: Client, installation: int, owner: str, repo: str) -> Iterator[OpenPull]:
    """Yield the open pull requests of a repository. Raises ForgeError."""
    after: str | None = None
    while True:
        variables = {"owner": owner, "repo": repo, "after": after}
        page = client.graphql(OPEN, variables)["repository"]["pullRequests"]
        for node in page["nodes"]:
            labels = tuple(label["name"] for label in _nodes(node["labels"]))
            ref = PullRef(installation, owner, repo, node["number"])
            yield OpenPull(ref, node["headRefOid"], labels)
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def repositories(client: Client) -> Iterator[tuple[str, str]]:
    """Yield the repositories that an installation sees, as (owner, name). Raises ForgeError."""
    for repository in client.pages("/installation/repositories", key="repositories"):
        yield repository["owner"]["login"], repository["name"]


def _change(file: Mapping[str, Any]) -> Change:
    old, new = file.get("previous_filename") or file["filename"], file["filename"]
    match _STATUS.get(file["status"], "M"):
        case "A":
            old = None
        case "D":
            new = None
        case _:
            pass
    patch = file.get("patch")
    read = in_scope(new or "") or in_scope(old or "")
    return Change(old, new, read_hunks(str(patch)) if read and patch is not None else None)


def _account(node: Mapping[str, Any] | None) -> Account | None:
    if node is None:
        return None
    return Account(node["login"], node["__typename"] == "User")


def _event(node: Mapping[str, Any]) -> LabelEvent:
    added = node["__typename"] == "LabeledEvent"
    return LabelEvent(
        node["label"]["name"], added, _account(node["actor"]), _time(node["createdAt"])
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _checks(commits: list[Mapping[str, Any]]) -> Iterator[CheckRun]:
    for commit in commits:
        for suite in _nodes(commit["checkSuites"]):
            for run in _nodes(suite["checkRuns"]):
                completed = run["completedAt"]
                yield CheckRun(
                    head=commit["oid"],
                    conclusion=(run["conclusion"] or "").lower(),
                    completed_at=_time(completed) if completed else None,
                    title=run["title"] or "",
                    summary=run["summary"] or "",
                    covered=marked(run["summary"] or "", "shown"),
                    digest=run["externalId"] or "",
                    id=run["databaseId"],
                )


def _nodes(connection: Mapping[str, Any] | None) -> list[Mapping[str, Any]]:
    """Return a connection's nodes; GitHub leaves out what there is none of."""
    nodes = (connection or {}).get("nodes") or []
    return [node for node in nodes if node is not None]


def _when(run: CheckRun) -> tuple[datetime, int]:
    return run.completed_at or datetime.min.replace(tzinfo=UTC), run.id


def _contributors(
    client: Client, pull: PullRef, commits: list[Mapping[str, Any]], total: int
) -> tuple[frozenset[str], bool]:
    logins = {
        user["login"]
        for commit in commits
        for user in (
            *(author["user"] for author in _nodes(commit["authors"])),
            (commit["committer"] or {}).get("user"),
        )
        if user is not None
    }
    if total > len(commits):
        path = f"/repos/{pull.owner}/{pull.repo}/pulls/{pull.number}/commits"
        for commit in client.pages(path, most=_MOST_COMMITS // 100 + 1):
            people = (commit["author"], commit["committer"])
            logins |= {person["login"] for person in people if person and "login" in person}
    return frozenset(logins), total <= _MOST_COMMITS


def _threads(nodes: list[Mapping[str, Any]]) -> Iterator[Comment]:
    for thread in nodes:
        comments = _nodes(thread["comments"])
        if comments and comments[0]["viewerDidAuthor"]:
            yield Comment(
                id=comments[0]["databaseId"],
                body=comments[0]["body"],
                thread=thread["id"],
                path=thread["path"],
                line=thread["line"],
                answered=any(not one["viewerDidAuthor"] for one in comments[1:]),
            )


def _own(nodes: list[Mapping[str, Any]]) -> Iterator[Comment]:
    for node in nodes:
        if node["viewerDidAuthor"]:
            yield Comment(node["databaseId"], node["body"])


def _reasons(nodes: list[Mapping[str, Any]]) -> Iterator[Reason]:
    for node in nodes:
        author = _account(node["author"])
        if author is not None and author.is_person and not node["body"].startswith("/"):
            edited = bool(node["includesCreatedEdit"])
            yield Reason(author, node["body"], _time(node["createdAt"]), edited)


def _policy(
    own: Mapping[str, Any] | None, owners: Mapping[str, Any] | None, owner: str
) -> PolicyText | None:
    if own is not None and own.get("text") is not None:
        return PolicyText(own["text"], POLICY_FILE)
    blob = owners["object"] if owners is not None else None
    if blob is not None and blob.get("text") is not None:
        return PolicyText(blob["text"], f"{owner}/.github: sockgate.yml")
    return None


def _same_head(found: Mapping[str, Any]) -> Iterator[int]:
    for node in _nodes(found["head"]):
        for other in _nodes(node["commit"]["associatedPullRequests"]):
            if other["state"] == "OPEN" and other["headRefOid"] == found["headRefOid"]:
                yield other["number"]
