"""Repositories, people's roles, comparisons and commits."""

import itertools
from collections.abc import Iterable

from tests.github import diffs
from tests.github.diffs import FileDiff
from tests.github.git import NOTHING
from tests.github.model.base import Refused
from tests.github.model.repositories import Repository
from tests.github.views import accounts, pulls, repositories

from .route import Answer, Call, route

MOST_COMPARED_FILES = 300
MOST_COMPARED_COMMITS = 250


@route("GET", "/repos/{owner}/{repo}")
def repository(call: Call) -> Answer:
    """Describe a repository."""
    return Answer(200, repositories.full_repository(call.repository(), call.urls))


@route("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read")
def permission(call: Call) -> Answer:
    """Tell someone's role; who has none at all in a private repository has "none"."""
    here, asking = call.repository(), call.token
    if asking.installation is None and not here.may(asking.account, "write"):
        raise Refused(403, "Must have push access to view collaborator permission.")
    account = call.hub.find_account(call.path["username"])
    if account is None:
        raise Refused(404, f"{call.path['username']} is not a user")
    return Answer(200, accounts.permission(account, here.role(account), call.urls))


@route("GET", "/repos/{owner}/{repo}/collaborators", "metadata:read")
def collaborators(call: Call) -> Answer:
    """List who has a role by name, and the owner where that is a person."""
    here = call.repository()
    owners = [here.owner] if here.owner.kind == "User" else sorted(here.owner.owners, key=str)
    people = [*owners, *(one for one in here.collaborators if one not in owners)]
    return call.page(people, lambda one: accounts.collaborator(one, here.role(one), call.urls))


@route("GET", "/repos/{owner}/{repo}/compare/{basehead}", "contents:read")
def compare(call: Call) -> Answer:
    """Compare from the merge base, as three dots do: 300 files, 250 commits a page at most."""
    here = call.repository()
    first, dots, second = call.path["basehead"].partition("...")
    base, head = _commit(call, here, first), _commit(call, here, second)
    if not dots or base is None or head is None:
        raise Refused(404, "Not Found")
    git = here.git
    merge_base = git.merge_base(base, head)
    if merge_base is None:
        raise Refused(404, f"No common ancestor between {first} and {second}.")
    ahead, behind = git.log(base, head), git.log(head, base)
    status = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    size = min(max(int(call.query.get("per_page", MOST_COMPARED_COMMITS)), 1), 250)
    page = max(int(call.query.get("page", "1")), 1)
    shown = ahead[(page - 1) * size : page * size]
    files = diffs.between(git, merge_base, head) if page == 1 else ()
    own, html = repositories.own(here, call.urls), repositories.page(here, call.urls)
    between = f"{here.owner.login}:{base[:7]}...{here.owner.login}:{head[:7]}"
    return Answer(
        200,
        {
            "url": f"{own}/compare/{first}...{second}",
            "html_url": f"{html}/compare/{first}...{second}",
            "permalink_url": f"{html}/compare/{between}",
            "diff_url": f"{html}/compare/{first}...{second}.diff",
            "patch_url": f"{html}/compare/{first}...{second}.patch",
            "base_commit": repositories.commit(git.show(base), here, call.urls),
            "merge_base_commit": repositories.commit(git.show(merge_base), here, call.urls),
            "status": status.get((bool(ahead), bool(behind)), "identical"),
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": [repositories.commit(git.show(sha), here, call.urls) for sha in shown],
            "files": [
                repositories.file(file, here, head, call.urls)
                for file in limited(call, files[:MOST_COMPARED_FILES])
            ],
        },
    )


def _commit(call: Call, here: Repository, name: str) -> str | None:
    """Resolve one end of a comparison: a name here, or ``owner:name`` in the same network."""
    owner, colon, branch = name.partition(":")
    if colon:
        for other in call.hub.repositories():
            if other.git is here.git and other.owner.login == owner and call.token.sees(other):
                return other.resolve(branch)
        return None
    return here.resolve(name)


@route("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents:read")
def commit(call: Call) -> Answer:
    """Show one commit with what it changed against its first parent."""
    here, name = call.repository(), call.path["ref"]
    sha = here.resolve(name)
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {name}")
    one = here.git.show(sha)
    files = diffs.between(here.git, one.parents[0] if one.parents else NOTHING, sha)
    added = sum(file.additions for file in files)
    removed = sum(file.deletions for file in files)
    return Answer(
        200,
        repositories.commit(one, here, call.urls)
        | {
            "stats": {"additions": added, "deletions": removed, "total": added + removed},
            "files": [
                repositories.file(file, here, sha, call.urls)
                for file in limited(call, files[:MOST_COMPARED_FILES])
            ],
        },
    )


def limited(call: Call, files: Iterable[FileDiff]) -> list[FileDiff]:
    """Leave out patches as GitHub does: of one large file, and of all past a limit an answer.

    Past the limit of an answer the counts are 0 as well (community discussion 213491).
    """
    limits, total, kept = call.hub.limits, 0, []
    for file in files:
        lines = file.patch.count("\n") + 1 if file.patch else 0
        total += lines
        if total > limits.answer_lines:
            file = _without_patch(file, 0, 0)  # noqa: PLW2901  the list is built anew
        elif lines > limits.patch_lines or len(file.patch or "") > limits.patch_bytes:
            file = _without_patch(file, file.additions, file.deletions)  # noqa: PLW2901
        kept.append(file)
    return kept


def _without_patch(file: FileDiff, additions: int, deletions: int) -> FileDiff:
    return FileDiff(
        file.path, file.previous, file.status, file.sha, additions, deletions, patch=None
    )


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read")
def commit_pulls(call: Call) -> Answer:
    """List pull requests that hold a commit: open ones, and those that were merged with it."""
    here, sha = call.repository(), call.path["commit_sha"]
    commit = here.resolve(sha)
    if commit is None:
        raise Refused(422, f"No commit found for SHA: {sha}")
    default = here.branches.get(here.default_branch)
    merged = default is not None and not here.git.log(default, commit)
    found = [
        pull
        for pull in itertools.chain(here.pulls.values())
        if commit == pull.merge_sha
        or (pull.state == "open" and not merged and commit in pull.commits())
    ]
    return call.page(found, lambda pull: pulls.simple(pull, call.urls))
