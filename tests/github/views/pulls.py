"""Pull requests and their conversation."""

from typing import TYPE_CHECKING

from tests.github.clock import stamp, stamp_or_none

from . import accounts, repositories
from .base import Json, Urls

if TYPE_CHECKING:
    from tests.github.model.accounts import Account
    from tests.github.model.apps import App
    from tests.github.model.comments import IssueComment, Review, ReviewComment
    from tests.github.model.pulls import PullRequest, TimelineEvent
    from tests.github.model.repositories import Repository


def association(account: "Account", repository: "Repository") -> str:
    """Return ``author_association``: how someone relates to the repository."""
    if account is repository.owner:
        return "OWNER"
    if account in repository.owner.owners:
        return "MEMBER"
    return "COLLABORATOR" if account in repository.collaborators else "NONE"


def simple(pull: "PullRequest", urls: Urls) -> Json:
    """``pull-request-simple``, as lists carry it."""
    api = repositories.own(pull.repository, urls)
    own = f"{api}/pulls/{pull.number}"
    issue = f"{api}/issues/{pull.number}"
    html = f"{repositories.page(pull.repository, urls)}/pull/{pull.number}"
    links = {
        "self": own,
        "html": html,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{own}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{own}/commits",
        "statuses": f"{api}/statuses/{pull.head_sha}",
    }
    return {
        "url": own,
        "id": pull.id,
        "node_id": pull.node_id,
        "html_url": html,
        "diff_url": f"{html}.diff",
        "patch_url": f"{html}.patch",
        "issue_url": issue,
        "number": pull.number,
        "state": pull.state,
        "locked": pull.locked,
        "title": pull.title,
        "user": accounts.user(pull.author, urls),
        "body": pull.body,
        "created_at": stamp(pull.created_at),
        "updated_at": stamp(pull.updated_at),
        "closed_at": stamp_or_none(pull.closed_at),
        "merged_at": stamp_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "labels": [repositories.label(label, urls) for label in pull.labels],
        "milestone": None,
        "draft": pull.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "head": _end(pull.head_repository, pull.head_owner, pull.head_branch, pull.head_sha, urls),
        "base": _end(pull.repository, pull.repository.owner, pull.base_branch, pull.base_sha, urls),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": association(pull.author, pull.repository),
        "auto_merge": None,
        "active_lock_reason": None,
    }


def _end(
    repository: "Repository | None", owner: "Account", branch: str, sha: str, urls: Urls
) -> Json:
    there = repository if repository and not repository.deleted else None
    return {
        "label": f"{owner.login}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": accounts.user(owner, urls),
        "repo": repositories.repository(there, urls) if there else None,
    }


def full(pull: "PullRequest", urls: Urls, *, mergeable: bool | None = None) -> Json:
    """``pull-request``; ``mergeable`` is None while GitHub still works it out."""
    files = pull.files()
    state = {None: "unknown", True: "clean", False: "dirty"}[mergeable]
    return simple(pull, urls) | {
        "merged": pull.merged_at is not None,
        "mergeable": mergeable,
        "rebaseable": mergeable,
        "mergeable_state": state,
        "merged_by": accounts.user(pull.merged_by, urls) if pull.merged_by else None,
        "comments": len(pull.comments),
        "review_comments": len(pull.review_comments),
        "maintainer_can_modify": False,
        "commits": len(pull.commits()),
        "additions": sum(file.additions for file in files),
        "deletions": sum(file.deletions for file in files),
        "changed_files": len(files),
    }


def issue(pull: "PullRequest", urls: Urls) -> Json:
    """``issue``: the issue that every pull request also is."""
    view = simple(pull, urls)
    same = (
        "html_url id node_id number title user labels state locked assignee assignees milestone "
        "created_at updated_at closed_at author_association active_lock_reason body draft"
    )
    url = view["issue_url"]
    links = ("url", "html_url", "diff_url", "patch_url", "merged_at")
    return {
        **{name: view[name] for name in same.split()},
        "url": url,
        "repository_url": repositories.own(pull.repository, urls),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": view["comments_url"],
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "comments": len(pull.comments),
        "pull_request": {name: view[name] for name in links},
        "reactions": reactions(url),
        "performed_via_github_app": None,
        "state_reason": None,
    }


def minimal(pull: "PullRequest", urls: Urls) -> Json:
    """``pull-request-minimal``, as check runs list it."""

    def end(repository: "Repository", ref: str, sha: str) -> Json:
        url = repositories.own(repository, urls)
        return {
            "ref": ref,
            "sha": sha,
            "repo": {"id": repository.id, "url": url, "name": repository.name},
        }

    source = pull.head_repository or pull.repository
    return {
        "id": pull.id,
        "number": pull.number,
        "url": f"{repositories.own(pull.repository, urls)}/pulls/{pull.number}",
        "head": end(source, pull.head_branch, pull.head_sha),
        "base": end(pull.repository, pull.base_branch, pull.base_sha),
    }


def _via(app: "App | None", urls: Urls) -> Json | None:
    return accounts.app(app, urls) if app else None


def reactions(url: str) -> Json:
    """``reaction-rollup``, with none."""
    kinds = ("+1", "-1", "laugh", "confused", "heart", "hooray", "eyes", "rocket")
    return {"url": f"{url}/reactions", "total_count": 0, **dict.fromkeys(kinds, 0)}


def issue_comment(comment: "IssueComment", urls: Urls) -> Json:
    """``issue-comment``."""
    pull = comment.pull
    api = repositories.own(pull.repository, urls)
    url = f"{api}/issues/comments/{comment.id}"
    html = f"{repositories.page(pull.repository, urls)}/pull/{pull.number}"
    return {
        "id": comment.id,
        "node_id": comment.node_id,
        "url": url,
        "html_url": f"{html}#issuecomment-{comment.id}",
        "issue_url": f"{api}/issues/{pull.number}",
        "user": accounts.user(comment.author, urls),
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "author_association": association(comment.author, pull.repository),
        "body": comment.body,
        "reactions": reactions(url),
        "performed_via_github_app": _via(comment.app, urls),
    }


def review(one: "Review", urls: Urls) -> Json:
    """``pull-request-review``."""
    pull = one.pull
    html = f"{repositories.page(pull.repository, urls)}/pull/{pull.number}"
    own = f"{html}#pullrequestreview-{one.id}"
    api = f"{repositories.own(pull.repository, urls)}/pulls/{pull.number}"
    return {
        "id": one.id,
        "node_id": one.node_id,
        "user": accounts.user(one.author, urls),
        "body": one.body,
        "state": one.state,
        "html_url": own,
        "pull_request_url": api,
        "_links": {"html": {"href": own}, "pull_request": {"href": api}},
        "submitted_at": stamp(one.submitted_at),
        "commit_id": one.commit_id,
        "author_association": association(one.author, pull.repository),
    }


def review_comment(comment: "ReviewComment", urls: Urls) -> Json:
    """``pull-request-review-comment``; an outdated one has no ``line`` any more."""
    pull, thread, anchor = comment.pull, comment.thread, comment.thread.anchor
    api = repositories.own(pull.repository, urls)
    url = f"{api}/pulls/comments/{comment.id}"
    html = f"{repositories.page(pull.repository, urls)}/pull/{pull.number}#discussion_r{comment.id}"
    view: Json = {
        "url": url,
        "pull_request_review_id": comment.review.id,
        "id": comment.id,
        "node_id": comment.node_id,
        "diff_hunk": anchor.diff_hunk,
        "path": anchor.path,
        "commit_id": anchor.commit_id if thread.outdated else pull.head_sha,
        "original_commit_id": anchor.commit_id,
        "user": accounts.user(comment.author, urls),
        "body": comment.body,
        "created_at": stamp(comment.created_at),
        "updated_at": stamp(comment.updated_at),
        "html_url": html,
        "pull_request_url": f"{api}/pulls/{pull.number}",
        "author_association": association(comment.author, pull.repository),
        "_links": {
            "self": {"href": url},
            "html": {"href": html},
            "pull_request": {"href": f"{api}/pulls/{pull.number}"},
        },
        "reactions": reactions(url),
        "start_line": thread.start_line,
        "original_start_line": anchor.start_line,
        "start_side": anchor.start_side,
        "line": None if thread.outdated else thread.line,
        "original_line": anchor.line,
        "side": anchor.side,
        "position": None if thread.outdated else _position(anchor.diff_hunk),
        "original_position": _position(anchor.diff_hunk),
        "subject_type": anchor.subject_type,
    }
    if comment.in_reply_to is not None:
        view["in_reply_to_id"] = comment.in_reply_to.id
    return view


def _position(hunk: str) -> int:
    return max(hunk.count("\n"), 1)


def timeline_event(event: "TimelineEvent", urls: Urls) -> Json:
    """Write one entry of an issue's timeline, in the shape of its kind."""
    pull = event.pull
    api = repositories.own(pull.repository, urls)
    match event.kind:
        case "committed":
            return _committed(event, urls)
        case "commented":
            comment = event.comment
            view = issue_comment(comment, urls)  # type: ignore[arg-type]
            return view | {"event": "commented", "actor": accounts.user(event.actor, urls)}
        case "reviewed":
            return review(event.comment, urls) | {"event": "reviewed"}  # type: ignore[arg-type]
        case kind:
            base: Json = {
                "id": event.id,
                "node_id": event.node_id,
                "url": f"{api}/issues/events/{event.id}",
                "actor": accounts.user(event.actor, urls),
                "event": kind,
                "commit_id": event.after if kind in ("merged", "head_ref_force_pushed") else None,
                "commit_url": None,
                "created_at": stamp(event.created_at),
                "performed_via_github_app": _via(event.app, urls),
            }
            if base["commit_id"]:
                base["commit_url"] = f"{api}/commits/{base['commit_id']}"
            if kind in ("labeled", "unlabeled"):
                base["label"] = {"name": event.label_name, "color": event.label_color}
            if kind == "renamed":
                base["rename"] = {"from": event.before, "to": event.after}
            if kind == "closed":
                base["state_reason"] = None
            return base


def _committed(event: "TimelineEvent", urls: Urls) -> Json:
    repository = event.pull.repository
    one = repository.git.show(event.after)
    whole = repositories.commit(one, repository, urls)
    inner = whole["commit"]
    return {
        "event": "committed",
        "sha": one.sha,
        "node_id": whole["node_id"],
        "url": inner["url"],
        "html_url": whole["html_url"],
        "author": inner["author"],
        "committer": inner["committer"],
        "message": inner["message"],
        "tree": inner["tree"],
        "verification": inner["verification"],
        "parents": whole["parents"],
    }
