"""What each event says, and which Apps hear it.

An App hears an event of a repository if an installation covers it, the App subscribes to the event
and has the permission for it; installation events, and re-requests of its own checks, it always
hears (docs.github.com, "Webhook events and payloads").
"""

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from tests.github import diffs
from tests.github.clock import stamp
from tests.github.git import NOTHING, ZEROS
from tests.github.views import accounts, checks, pulls, repositories
from tests.github.views.base import Json, Urls

from .deliveries import Delivery, new_guid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.github.hub import SmallGitHub
    from tests.github.model.accounts import Account
    from tests.github.model.apps import App, Installation
    from tests.github.model.checks import CheckRun, CheckSuite
    from tests.github.model.comments import IssueComment
    from tests.github.model.labels import Label
    from tests.github.model.pulls import PullRequest
    from tests.github.model.queue import MergeGroup
    from tests.github.model.repositories import Repository

_NEEDS = {
    "pull_request": ("pull_requests",),
    "label": ("issues", "pull_requests", "metadata"),
    "issue_comment": ("issues", "pull_requests"),
    "check_run": ("checks",),
    "check_suite": ("checks",),
    "push": ("contents",),
    "merge_group": ("merge_queues",),
}


class Events:
    """One method an event; each builds the payload and hands it out."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub

    @property
    def urls(self) -> Urls:
        """The addresses in payloads."""
        return dataclasses.replace(self.hub.urls, webhook=True)

    def pull_request(
        self,
        action: str,
        pull: "PullRequest",
        sender: "Account",
        *,
        label: "Label | None" = None,
        **more: Any,
    ) -> None:
        """``pull_request``: opened, synchronize, edited, labeled, unlabeled, closed, reopened…"""
        payload: Json = {
            "number": pull.number,
            "pull_request": pulls.full(pull, self.urls),
            **more,
        }
        if label is not None:
            payload["label"] = repositories.label(label, self.urls)
        self._repository("pull_request", action, payload, pull.repository, sender)

    def label(self, action: str, label: "Label", sender: "Account", **more: Any) -> None:
        """``label``: created, edited, deleted."""
        payload = {"label": repositories.label(label, self.urls), **more}
        self._repository("label", action, payload, label.repository, sender)

    def issue_comment(
        self, action: str, comment: "IssueComment", sender: "Account", **more: Any
    ) -> None:
        """``issue_comment``: created, edited, deleted."""
        payload = {
            "issue": pulls.issue(comment.pull, self.urls),
            "comment": pulls.issue_comment(comment, self.urls),
            **more,
        }
        self._repository("issue_comment", action, payload, comment.pull.repository, sender)

    def check_run(
        self, action: str, run: "CheckRun", sender: "Account", *, identifier: str | None = None
    ) -> None:
        """``check_run``: re-requests and buttons go to the run's own App alone."""
        view = checks.check_run(run, self.urls)
        suite = checks.check_suite(run.suite, self.urls)
        skip = ("repository", "head_commit", "latest_check_runs_count", "check_runs_url")
        view["check_suite"] = {name: suite[name] for name in suite if name not in skip}
        payload: Json = {"check_run": view}
        if identifier is not None:
            payload["requested_action"] = {"identifier": identifier}
        only = run.app if action in ("rerequested", "requested_action") else None
        self._repository("check_run", action, payload, run.suite.repository, sender, only=only)

    def check_suite(self, action: str, suite: "CheckSuite", sender: "Account") -> None:
        """``check_suite``: completed to all, requested and rerequested to its own App."""
        view = checks.check_suite(suite, self.urls)
        payload = {"check_suite": {name: view[name] for name in view if name != "repository"}}
        only = None if action == "completed" else suite.app
        self._repository("check_suite", action, payload, suite.repository, sender, only=only)

    def suites_requested(
        self, repository: "Repository", branch: str, before: str | None, sha: str, by: "Account"
    ) -> None:
        """Ask each App that writes checks for a suite on a pushed commit."""
        for installation in self.hub.installations_of(repository):
            if installation.permissions.get("checks") == "write":
                suite = repository.suite(installation.app, sha)
                suite.branch, suite.before = branch, before
                self.check_suite("requested", suite, by)

    def push(
        self, repository: "Repository", branch: str, before: str, after: str, by: "Account"
    ) -> None:
        """``push``, with the files that each commit touched."""
        git = repository.git
        start = repository.head if before == ZEROS else before
        shas = () if after == ZEROS else git.log(start, after) if start != after else ()
        commits = [self._pushed(repository, sha) for sha in shas[-20:]]
        html = repositories.page(repository, self.urls)
        payload = {
            "ref": f"refs/heads/{branch}",
            "before": before,
            "after": after,
            "base_ref": None,
            "created": before == ZEROS,
            "deleted": after == ZEROS,
            "forced": ZEROS not in (before, after) and git.merge_base(before, after) != before,
            "compare": f"{html}/compare/{before[:12]}...{after[:12]}",
            "commits": commits,
            "head_commit": None if after == ZEROS else self._pushed(repository, after),
            "pusher": {"name": by.login, "email": by.email},
        }
        self._repository("push", None, payload, repository, by)

    def _pushed(self, repository: "Repository", sha: str) -> Json:
        commit = repository.git.show(sha)
        parent = commit.parents[0] if commit.parents else NOTHING
        files = diffs.between(repository.git, parent, sha)
        view = checks.simple_commit(repository, sha)
        for role in ("author", "committer"):
            account = self.hub.by_email(view[role]["email"])
            if account is not None:
                view[role]["username"] = account.login
        gone = [file.previous for file in files if file.previous]
        return view | {
            "distinct": True,
            "url": f"{repositories.page(repository, self.urls)}/commit/{sha}",
            "added": [file.path for file in files if file.status in ("added", "renamed")],
            "removed": [file.path for file in files if file.status == "removed"] + gone,
            "modified": [file.path for file in files if file.status in ("modified", "changed")],
        }

    def merge_group(self, action: str, group: "MergeGroup", sender: "Account") -> None:
        """``merge_group``: checks_requested, destroyed."""
        payload: Json = {"merge_group": checks.merge_group(group)}
        if action == "destroyed":
            payload["reason"] = group.destroyed
        self._repository("merge_group", action, payload, group.repository, sender)

    def installation(self, action: str, one: "Installation", sender: "Account") -> None:
        """``installation``: created, deleted, suspend, unsuspend, new_permissions_accepted."""
        payload: Json = {
            "installation": self._installation(one),
            "sender": accounts.user(sender, self.urls),
        }
        if action in ("created", "deleted"):
            payload["repositories"] = [_lite(repository) for repository in one.repositories()]
        self._deliver(one.app, "installation", action, payload, one, None)

    def installation_repositories(
        self,
        one: "Installation",
        sender: "Account",
        *,
        added: "Sequence[Repository]" = (),
        removed: "Sequence[Repository]" = (),
    ) -> None:
        """``installation_repositories``: added, removed."""
        payload: Json = {
            "installation": self._installation(one),
            "repository_selection": "all" if one.selected is None else "selected",
            "repositories_added": [_lite(repository) for repository in added],
            "repositories_removed": [_lite(repository) for repository in removed],
            "requester": None,
            "sender": accounts.user(sender, self.urls),
        }
        action = "added" if added else "removed"
        self._deliver(one.app, "installation_repositories", action, payload, one, None)

    def _installation(self, one: "Installation") -> Json:
        return accounts.installation(one, self.urls)

    def ping(self, app: "App") -> None:
        """``ping``, as sent when a webhook is set up."""
        hook = {
            "type": "App",
            "id": app.id + 1,
            "name": "web",
            "active": True,
            "events": list(app.events),
            "config": {
                "content_type": "json",
                "insecure_ssl": "0",
                "secret": "********",
                "url": app.webhook_url or "https://example.com/webhook",
            },
            "updated_at": stamp(app.created_at),
            "created_at": stamp(app.created_at),
            "app_id": app.id,
            "url": f"{self.urls.api}/app/hook",
            "ping_url": f"{self.urls.api}/app/hook/pings",
            "deliveries_url": f"{self.urls.api}/app/hook/deliveries",
        }
        payload = {"zen": "Keep it logically awesome.", "hook_id": app.id + 1, "hook": hook}
        self._deliver(app, "ping", None, payload, None, None)

    # Handing out --------------------------------------------------------------------------------

    def _repository(
        self,
        event: str,
        action: str | None,
        payload: Json,
        repository: "Repository",
        sender: "Account",
        *,
        only: "App | None" = None,
    ) -> None:
        """Send an event of a repository to every App that hears it, or to one alone."""
        listeners = [
            one
            for one in self.hub.installations_of(repository)
            if (one.app is only if only else event in one.events)
            and any(need in one.permissions for need in _NEEDS[event])
        ]
        if not listeners:
            return
        payload["repository"] = self._hook_repository(event, repository)
        if repository.owner.kind == "Organization":
            payload["organization"] = accounts.organization(repository.owner, self.urls)
        payload["sender"] = accounts.user(sender, self.urls)
        for one in listeners:
            mine = payload | {"installation": {"id": one.id, "node_id": one.node_id}}
            self._deliver(one.app, event, action, mine, one, repository)

    def _hook_repository(self, event: str, repository: "Repository") -> Json:
        view = repositories.repository(repository, self.urls)
        if event == "push":  # the one event that writes these as numbers, and the owner's address
            view["created_at"] = int(repository.created_at.timestamp())
            view["pushed_at"] = int(repository.pushed_at.timestamp())
            view["stargazers"] = 0
            view["master_branch"] = repository.default_branch
            owner = repository.owner
            view["owner"] |= {"name": owner.login, "email": owner.email}
        return view

    def _deliver(
        self,
        app: "App",
        event: str,
        action: str | None,
        payload: Json,
        installation: "Installation | None",
        repository: "Repository | None",
    ) -> None:
        body = ({"action": action} if action else {}) | payload
        delivery = Delivery(
            id=self.hub.ids.new(),
            guid=new_guid(),
            app=app,
            event=event,
            action=action,
            body=json.dumps(body, separators=(",", ":")).encode(),
            installation_id=installation.id if installation else None,
            repository_id=repository.id if repository else None,
            delivered_at=self.hub.clock.now(),
        )
        self.hub.webhooks.emit(delivery)


def _lite(repository: "Repository") -> Json:
    return {
        "id": repository.id,
        "node_id": repository.node_id,
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }
