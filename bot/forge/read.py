"""GitHub's answers -> Facts. No object of PyGithub ever leaves this room."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import COMMIT, FACTS, NOW, OPEN
from bot.gate.facts import Account, CheckRun, Comment, Ended, Facts, PolicyText, Reason
from bot.publish.record import read_record
from bot.pull import PullRef

POLICY_FILE = ".github/sockgate.yml"
OWNERS_POLICY_FILE = "sockgate.yml"  # in the owner's repository `.github`
_LISTS = ("commits", "reviewThreads", "comments")  # each may be longer than a page
_MOST_PAGES = 50
_MOST_COMMITS = 250  # commits that a pull request lists (REST, "list commits on a pull request")

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Now:
    """What is read once more right before writing."""

    head: str
    same_head: tuple[int, ...]  # all open pull requests with this head


@dataclass(frozen=True, slots=True)
class OpenPull:
    """An open pull request, as a list shows it."""

    ref: PullRef
    head: str


def facts(client: Client, pull: PullRef, app_id: int, now: datetime) -> Facts:
    """Read one pull request afresh. Raises ForgeError."""
    data, lists = _paged(client, pull, app_id)
    repository = data["repository"]
    found = repository["pullRequest"]
    default = repository["defaultBranchRef"] or {"name": "", "target": None}
    commits = [node["commit"] for node in lists["commits"]]
    if found["headRefOid"] not in {commit["oid"] for commit in commits}:  # too many to be listed
        commits.append(_commit(client, pull, found["headRefOid"], app_id))
    pushes = nodes(found["timelineItems"])
    replaced = [push["beforeCommit"] for push in pushes if push["beforeCommit"]]
    head = next(commit for commit in commits if commit["oid"] == found["headRefOid"])
    return Facts(
        pull=pull,
        head=found["headRefOid"],
        branch=found["headRefName"],
        base_branch=found["baseRefName"],
        default_branch=default["name"],
        default_head=(default["target"] or {}).get("oid", ""),
        base=((found["baseRef"] or {}).get("target") or {}).get("oid") or found["baseRefOid"],
        is_open=found["state"] == "OPEN",
        author=_account(found["author"]),
        ended=_ended(found),
        body=found["body"] or "",
        contributors=_contributors(commits),
        all_contributors_known=found["commits"]["totalCount"] < _MOST_COMMITS
        and all(_all_authors(commit) for commit in commits),
        has_merges=found["commits"]["totalCount"] >= _MOST_COMMITS
        or any(node["commit"]["parents"]["totalCount"] > 1 for node in lists["commits"]),
        labels=tuple(node["name"] for node in nodes(found["labels"])),
        force_pushes=tuple(_time(push["createdAt"]) for push in pushes),
        checks=check_runs([*commits, *replaced]),
        check_asked=is_asked_again(head),
        comments=(*_threads(lists["reviewThreads"]), *_own(lists["comments"])),
        reasons=tuple(_reasons(lists["comments"])),
        policy=policy_text(repository["policy"], data["ownerPolicy"], pull.owner),
        owner_is_user=repository["owner"]["__typename"] == "User",
        is_queued=found["isInMergeQueue"],
        updated_at=_time(found["updatedAt"]),
        read_at=now,
    )


def now(client: Client, known: Facts) -> Now:
    """Read the head as it is now, and who shares it. Raises ForgeError.

    GitHub associates no open pull request with a commit that the default branch has (REST, "list
    pull requests associated with a commit"), so there all that are open are looked through.
    """
    heads, sharing = set[str](), set[int]()
    cursors: dict[str, str] = {}
    for _ in range(_MOST_PAGES):
        repository = client.graphql(NOW, now_variables(known) | cursors)["repository"]
        heads.add(repository["pullRequest"]["headRefOid"])
        sharing |= _sharing(repository, known.head)
        further = _further(repository)
        if not further:
            break
        cursors |= further
    else:
        raise ForgeError("too many pull requests share this head", retry=False)
    if known.is_in_default:
        at = known.pull
        listed = open_pulls(client, at.installation, at.owner, at.repo)
        sharing |= {one.ref.number for one in listed if one.head == known.head}
    heads.discard(known.head)
    return Now(heads.pop() if heads else known.head, tuple(sorted(sharing)))


def now_variables(known: Facts) -> dict[str, Any]:
    """Return what the queries that also read the present ask for."""
    pull = known.pull
    return {
        "owner": pull.owner,
        "repo": pull.repo,
        "number": pull.number,
        "branch": known.branch,
        "head": known.head,
    }


def now_of(repository: Node, known: Facts) -> Now | None:
    """Read the present out of an answer; None where that does not tell all of it."""
    if known.is_in_default or _further(repository):
        return None
    head = repository["pullRequest"]["headRefOid"]
    return Now(head, tuple(sorted(_sharing(repository, known.head))))


def _lists(repository: Node) -> dict[str, Node]:
    """Return the lists of those that may share the head, by the cursor of each."""
    commit = repository["object"] or {}
    found = {
        "ofCommit": commit.get("associatedPullRequests"),
        "ofBranch": repository["pullRequests"],
    }
    return {cursor: one for cursor, one in found.items() if one is not None}


def _sharing(repository: Node, head: str) -> set[int]:
    return {
        one["number"]
        for listed in _lists(repository).values()
        for one in nodes(listed)
        if one["state"] == "OPEN" and one["headRefOid"] == head
    }


def _further(repository: Node) -> dict[str, str]:
    """Return the cursors of the lists that go on."""
    return {
        cursor: one["pageInfo"]["endCursor"]
        for cursor, one in _lists(repository).items()
        if one["pageInfo"]["hasNextPage"]
    }


def open_pulls(client: Client, installation: int, owner: str, repo: str) -> Iterator[OpenPull]:
    """Yield the open pull requests of a repository. Raises ForgeError."""
    after: str | None = None
    while True:
        variables = {"owner": owner, "repo": repo, "after": after}
        page = client.graphql(OPEN, variables)["repository"]["pullRequests"]
        for node in page["nodes"]:
            ref = PullRef(installation, owner, repo, node["number"])
            yield OpenPull(ref, node["headRefOid"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def repositories(client: Client) -> Iterator[tuple[str, str]]:
    """Yield the repositories that an installation sees, as (owner, name). Raises ForgeError."""
    for repository in client.pages("/installation/repositories", "repositories", most=1_000):
        yield repository["owner"]["login"], repository["name"]


def nodes(connection: Node | None) -> list[Node]:
    """Return a connection's nodes; GitHub leaves out what there is none of."""
    found = (connection or {}).get("nodes") or []
    return [node for node in found if node is not None]


def _paged(client: Client, pull: PullRef, app_id: int) -> tuple[Any, dict[str, list[Node]]]:
    """Read the first page of everything, then the earlier pages of what has any."""
    asked = {"owner": pull.owner, "repo": pull.repo, "number": pull.number, "app": app_id}
    data = client.graphql(FACTS, asked, optional="ownerPolicy")
    found = data["repository"]["pullRequest"]
    lists = {name: nodes(found[name]) for name in _LISTS}
    page: Node = found
    left: tuple[str, ...] = _LISTS
    for _ in range(_MOST_PAGES):
        left = tuple(name for name in left if page[name]["pageInfo"]["hasPreviousPage"])
        if not left:
            break
        cursors = {name: page[name]["pageInfo"]["startCursor"] for name in left}
        again = client.graphql(FACTS, asked | cursors, optional="ownerPolicy")
        page = again["repository"]["pullRequest"]
        if page["headRefOid"] != found["headRefOid"]:
            raise ForgeError("the head moved while it was read", retry=True)
        for name in left:
            lists[name] = nodes(page[name]) + lists[name]
    return data, lists


def _commit(client: Client, pull: PullRef, oid: str, app_id: int) -> Node:
    asked = {"owner": pull.owner, "repo": pull.repo, "oid": oid, "app": app_id}
    found: Node = client.graphql(COMMIT, asked)["repository"]["object"]
    return found


def _account(node: Node | None) -> Account | None:
    if node is None:
        return None
    # GraphQL leaves out the suffix that REST shows, and that our records and policies have.
    suffix = "[bot]" if node["__typename"] == "Bot" else ""
    return Account(node["login"] + suffix, node["__typename"] == "User")


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _ended(found: Node) -> Ended | None:
    if found["state"] == "OPEN":
        return None
    merged_by = found["mergedBy"] or {}
    closed = found["closedAt"]
    return Ended(
        merged=found["state"] == "MERGED",
        by=merged_by.get("login", ""),
        at=_time(closed) if closed else None,
    )


def check_runs(commits: Iterable[Node]) -> tuple[CheckRun, ...]:
    """Return our own runs on commits, oldest first."""
    return tuple(sorted(set(_checks(commits)), key=when))


def _checks(commits: Iterable[Node]) -> Iterator[CheckRun]:
    for commit in commits:
        for suite in nodes(commit["checkSuites"]):
            for run in nodes(suite["checkRuns"]):
                completed = run["completedAt"]
                record = read_record(run["summary"] or "")
                yield CheckRun(
                    head=commit["oid"],
                    completed_at=_time(completed) if completed else None,
                    pulls=record.pulls,
                    shown=record.shown,
                    label=record.label,
                    covers=record.covers,
                    digest=run["externalId"] or "",
                    id=run["databaseId"],
                )


def is_asked_again(head: Node) -> bool:
    """Tell whether a check that stands is asked for again.

    "Re-run" leaves the run as it is and resets its suite (REST, "rerequest a check run").
    """
    return any(
        suite["status"] != "COMPLETED" and nodes(suite["checkRuns"])
        for suite in nodes(head["checkSuites"])
    )


def when(run: CheckRun) -> tuple[datetime, int]:
    """Return what sorts runs by age: a run that has not ended is the oldest."""
    return run.completed_at or datetime.min.replace(tzinfo=UTC), run.id


def _contributors(commits: list[Node]) -> frozenset[str]:
    return frozenset(
        user["login"]
        for commit in commits
        for user in (
            *(author["user"] for author in nodes(commit["authors"])),
            (commit["committer"] or {}).get("user"),
        )
        if user is not None
    )


def _all_authors(commit: Node) -> bool:
    return bool(commit["authors"]["totalCount"] == len(commit["authors"]["nodes"]))


def _threads(threads: list[Node]) -> Iterator[Comment]:
    for thread in threads:
        comments = nodes(thread["comments"])
        if comments and comments[0]["viewerDidAuthor"]:
            yield Comment(
                id=comments[0]["databaseId"],
                body=comments[0]["body"],
                thread=thread["id"],
                path=thread["path"],
                line=thread["line"],
                answered=any(not one["viewerDidAuthor"] for one in comments[1:]),
            )


def _own(comments: list[Node]) -> Iterator[Comment]:
    for node in comments:
        if node["viewerDidAuthor"]:
            yield Comment(node["databaseId"], node["body"])


def _reasons(comments: list[Node]) -> Iterator[Reason]:
    for node in comments:
        author = _account(node["author"])
        if author is not None and author.is_person and not node["body"].startswith("/"):
            edited = bool(node["includesCreatedEdit"])
            yield Reason(author, node["body"], _time(node["createdAt"]), edited)


def policy_text(own: Node | None, owners: Node | None, owner: str) -> PolicyText | None:
    """Return the policy of a trusted branch: the repository's own, else its owner's."""
    if own is not None:
        return PolicyText(own.get("text"), POLICY_FILE)
    blob = owners["object"] if owners is not None else None
    if blob is not None:
        return PolicyText(blob.get("text"), f"{owner}/.github: {OWNERS_POLICY_FILE}")
    return None


def policy_files(pull: PullRef) -> frozenset[str]:
    """Return the files of a repository that say a policy: its own, and its owner's for all."""
    owners = {OWNERS_POLICY_FILE} if pull.repo.lower() == ".github" else set[str]()
    return frozenset({POLICY_FILE} | owners)
