"""Repositories, commits, trees, blobs, file lists and labels."""

import base64
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

from tests.github.clock import stamp

from . import accounts
from .base import Json, Urls

if TYPE_CHECKING:
    from tests.github.diffs import FileDiff
    from tests.github.git import Commit, Signature, TreeEntry
    from tests.github.model.accounts import Account
    from tests.github.model.labels import Label
    from tests.github.model.repositories import Repository

_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def own(repository: "Repository", urls: Urls) -> str:
    """Return the repository's address in the API."""
    return f"{urls.api}/repos/{repository.full_name}"


def page(repository: "Repository", urls: Urls) -> str:
    """Return the repository's page."""
    return f"{urls.html}/{repository.full_name}"


def repository(one: "Repository", urls: Urls) -> Json:
    """``repository``, as lists, pull requests and webhooks carry it."""
    forks = sum(1 for other in one.hub.repositories() if other.parent is one)
    opened = sum(1 for pull in one.pulls.values() if pull.state == "open")
    return {
        "id": one.id,
        "node_id": one.node_id,
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": accounts.user(one.owner, urls),
        "html_url": page(one, urls),
        "description": one.description,
        "fork": one.parent is not None,
        "url": own(one, urls),
        **{name: own(one, urls) + tail for name, tail in _LINKS.items()},
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.pushed_at),
        "pushed_at": stamp(one.pushed_at),
        "git_url": f"git://{urls.html.partition('://')[2]}/{one.full_name}.git",
        "ssh_url": f"git@{urls.html.partition('://')[2]}:{one.full_name}.git",
        "clone_url": f"{page(one, urls)}.git",
        "svn_url": page(one, urls),
        "homepage": None,
        "size": 1,
        "stargazers_count": 0,
        "watchers_count": 0,
        "language": None,
        "has_issues": True,
        "has_projects": True,
        "has_downloads": True,
        "has_wiki": True,
        "has_pages": False,
        "has_discussions": False,
        "forks_count": forks,
        "mirror_url": None,
        "archived": False,
        "disabled": False,
        "open_issues_count": opened,
        "license": None,
        "allow_forking": True,
        "is_template": False,
        "web_commit_signoff_required": False,
        "topics": [],
        "visibility": "private" if one.private else "public",
        "forks": forks,
        "open_issues": opened,
        "watchers": 0,
        "default_branch": one.default_branch,
        **({"custom_properties": {}} if urls.webhook else {}),
    }


def full_repository(one: "Repository", urls: Urls) -> Json:
    """``full-repository``: what ``GET /repos/{owner}/{repo}`` answers."""
    more: Json = {"network_count": 0, "subscribers_count": 0}
    if one.owner.kind == "Organization":
        more["organization"] = accounts.user(one.owner, urls)
    if one.parent is not None and not one.parent.deleted:
        more["parent"] = more["source"] = repository(one.parent, urls)
    return repository(one, urls) | more


def minimal_repository(one: "Repository", urls: Urls) -> Json:
    """``minimal-repository``, as check suites carry it."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "name": one.name,
        "full_name": one.full_name,
        "private": one.private,
        "owner": accounts.user(one.owner, urls),
        "html_url": page(one, urls),
        "description": one.description,
        "fork": one.parent is not None,
        "url": own(one, urls),
        **{name: own(one, urls) + tail for name, tail in _LINKS.items()},
    }


def label(one: "Label", urls: Urls) -> Json:
    """``label``."""
    return {
        "id": one.id,
        "node_id": one.node_id,
        "url": f"{own(one.repository, urls)}/labels/{quote(one.name, safe='')}",
        "name": one.name,
        "color": one.color,
        "default": False,
        "description": one.description,
    }


def signature(one: "Signature") -> Json:
    """Write the author or committer of a commit."""
    return {"name": one.name, "email": one.email, "date": stamp(one.at)}


def commit(one: "Commit", repository: "Repository", urls: Urls) -> Json:
    """``commit``, with the accounts that GitHub recognises by their address."""
    api, html = own(repository, urls), page(repository, urls)
    return {
        "sha": one.sha,
        "node_id": repository.hub.ids.node("C", int(one.sha[:10], 16), one),
        "commit": {
            "author": signature(one.author),
            "committer": signature(one.committer),
            "message": one.message,
            "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
            "url": f"{api}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "signature": None,
                "payload": None,
                "verified_at": None,
            },
        },
        "url": f"{api}/commits/{one.sha}",
        "html_url": f"{html}/commit/{one.sha}",
        "comments_url": f"{api}/commits/{one.sha}/comments",
        "author": _recognised(repository.hub.by_email(one.author.email), urls),
        "committer": _recognised(repository.hub.by_email(one.committer.email), urls),
        "parents": [
            {"sha": sha, "url": f"{api}/commits/{sha}", "html_url": f"{html}/commit/{sha}"}
            for sha in one.parents
        ],
    }


def _recognised(account: "Account | None", urls: Urls) -> Json | None:
    return accounts.user(account, urls) if account else None


def file(one: "FileDiff", repository: "Repository", head: str, urls: Urls) -> Json:
    """``diff-entry``: a changed file; ``patch`` is left out where there is none."""
    api, html = own(repository, urls), page(repository, urls)
    entry: Json = {
        "sha": one.sha,
        "filename": one.path,
        "status": one.status,
        "additions": one.additions,
        "deletions": one.deletions,
        "changes": one.additions + one.deletions,
        "blob_url": f"{html}/blob/{head}/{_quoted(one.path)}",
        "raw_url": f"{html}/raw/{head}/{_quoted(one.path)}",
        "contents_url": f"{api}/contents/{_quoted(one.path)}?ref={head}",
    }
    if one.patch is not None:
        entry["patch"] = one.patch
    if one.previous is not None:
        entry["previous_filename"] = one.previous
    return entry


def _quoted(path: str) -> str:
    return quote(path)


def tree(
    sha: str, entries: Iterable["TreeEntry"], repository: "Repository", urls: Urls, *, cut: bool
) -> Json:
    """``git-tree``."""
    api = own(repository, urls)
    listed = []
    for entry in entries:
        kinds = {"blob": "blobs", "tree": "trees"}
        line: Json = {
            "path": entry.path,
            "mode": entry.mode,
            "type": entry.kind,
            "sha": entry.sha,
        }
        if entry.size is not None:
            line["size"] = entry.size
        if entry.kind in kinds:
            line["url"] = f"{api}/git/{kinds[entry.kind]}/{entry.sha}"
        listed.append(line)
    return {"sha": sha, "url": f"{api}/git/trees/{sha}", "tree": listed, "truncated": cut}


def blob(sha: str, content: bytes, repository: "Repository", urls: Urls) -> Json:
    """``blob``, in base64."""
    return {
        "sha": sha,
        "node_id": repository.hub.ids.node("B", int(sha[:10], 16), None),
        "size": len(content),
        "url": f"{own(repository, urls)}/git/blobs/{sha}",
        "content": base64.encodebytes(content).decode(),
        "encoding": "base64",
    }
