"""Headers, body and secrets of a delivery -> what to look at again.

An event never carries data into a verdict: of the whole payload only coordinates pass (which
repository, which pull request, which commit), and each is checked for its form. What GitHub sends
and how it signs it: docs.github.com, "Webhook events and payloads" and "Validating webhook
deliveries".
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.pull import PullRef

MAX_BODY = 25 * 1024 * 1024  # "payloads are capped at 25 MB"

_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")
_EVENT = re.compile(r"[a-z][0-9a-z_]{0,63}")
_NAME = re.compile(r"[0-9A-Za-z_.-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH = re.compile(r"refs/heads/(?P<name>[^\x00-\x20\x7f~^:?*\[\\]{1,255})")
_COMMAND = re.compile(r"^[ \t]*/docker-socket(?:[ \t]|\r?$)", re.MULTILINE)
_MOST_COMMITS = 2_048  # that a push lists ("Webhook events and payloads", push)
_POLICY_FILES = frozenset({"sockgate.yml", "sockgate.yaml"})

_PULL_ACTIONS = frozenset(
    {"opened", "reopened", "synchronize", "edited", "labeled", "unlabeled", "closed"}
)
# "Re-run", and the one button that our check has of its own.
_AGAIN = frozenset({"rerequested", "requested_action"})
_INSTALLATION_ACTIONS = frozenset({"created", "unsuspend", "new_permissions_accepted"})


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as an installation sees it."""

    installation: int
    owner: str
    repo: str


@dataclass(frozen=True, slots=True)
class WakePull:
    """Evaluate this pull request."""

    pull: PullRef


@dataclass(frozen=True, slots=True)
class WakeHead:
    """Evaluate every open pull request whose head is this commit.

    `check_run.pull_requests` is empty for forks, so the commit is all there is to go by.
    """

    repository: Repository
    sha: str


@dataclass(frozen=True, slots=True)
class WakeRepository:
    """Evaluate the open pull requests of a repository.

    `labels`: only if the policy's is one of these; empty where the policy changed.
    """

    repository: Repository
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WakeInstallation:
    """Evaluate every open pull request once.

    `repositories`: of these only; empty for all that the installation sees.
    """

    installation: int
    repositories: tuple[Repository, ...] = ()


@dataclass(frozen=True, slots=True)
class WakeScan:
    """Scan the default branch for the register; nothing is evaluated."""

    repository: Repository


@dataclass(frozen=True, slots=True)
class WakeLeave:
    """Take repositories out of the register.

    `repositories`: these; empty for all of the installation.
    """

    installation: int
    repositories: tuple[Repository, ...] = ()


@dataclass(frozen=True, slots=True)
class WakeGroup:
    """Evaluate a merge group, `base_sha..head_sha`, that is to be merged into a branch."""

    repository: Repository
    base_sha: str
    head_sha: str
    branch: str = ""  # "" for the default branch


Target = WakePull | WakeHead | WakeRepository | WakeInstallation | WakeScan | WakeLeave | WakeGroup


@dataclass(frozen=True, slots=True)
class Wake:
    """A delivery that asks for work."""

    delivery: str  # X-GitHub-Delivery; the same again when GitHub redelivers
    event: str  # X-GitHub-Event
    action: str
    target: Target
    head: str = field(default="", compare=False)  # as the event knew it: for the log alone


@dataclass(frozen=True, slots=True)
class Ignored:
    """A genuine delivery that asks for nothing."""

    delivery: str
    event: str
    action: str
    why: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that is no delivery of ours, and the HTTP status that says so."""

    status: int
    why: str


class _MalformedError(Exception):
    """The payload lacks a coordinate that its event always has."""


class _ForeignError(Exception):
    """The payload names no installation: not sent to a GitHub App."""


def read(
    headers: Mapping[str, str], body: bytes, secrets: Sequence[str], own: str | None = None
) -> Wake | Ignored | Refused:
    """Judge one delivery.

    `secrets`: any of them may have signed it (rotation). `own`: the login under which our own App
    acts (`slug[bot]`), whose events are ignored.
    """
    by_name = {name.lower(): value for name, value in headers.items()}
    refused = _outside(by_name, body, secrets)
    if refused:
        return refused
    delivery = by_name.get("x-github-delivery", "")
    event = by_name.get("x-github-event", "")
    if not _DELIVERY.fullmatch(delivery):
        return Refused(400, "the header X-GitHub-Delivery is missing or malformed")
    if not _EVENT.fullmatch(event):
        return Refused(400, "the header X-GitHub-Event is missing or malformed")
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return Refused(400, "the body is not JSON")
    if not isinstance(payload, dict):
        return Refused(400, "the body is not a JSON object")
    action = payload.get("action")
    action = action if isinstance(action, str) else ""
    try:
        found = _target(event, action, payload, own)
    except _ForeignError:
        found = "it names no installation: sent by a repository's webhook, not to the App"
    except _MalformedError as error:
        return Refused(400, f"{event}: {error}")
    if isinstance(found, str):
        return Ignored(delivery, event, action, found)
    head = _text(payload, "pull_request", "head", "sha")
    return Wake(delivery, event, action, found, head if _SHA.fullmatch(head) else "")


def too_large() -> Refused:
    """Refuse as soon as a body turns out longer than GitHub ever sends."""
    return Refused(413, "the body is larger than 25 MB")


def _outside(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Refused | None:
    if len(body) > MAX_BODY:
        return too_large()
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return Refused(
            415,
            "form-encoded deliveries are not read: "
            "set the webhook's content type to application/json in the App's settings",
        )
    if kind != "application/json":
        return Refused(415, "the content type has to be application/json")
    if "x-hub-signature-256" not in headers:
        return Refused(
            401,
            "the header X-Hub-Signature-256 is missing: "
            "set the webhook secret in the App's settings",
        )
    if not _signed(headers["x-hub-signature-256"], body, secrets):
        return Refused(401, "X-Hub-Signature-256 does not match the body")
    return None


def _signed(signature: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Compare with every secret, whichever fits: the time taken says nothing about which."""
    given = signature.encode("utf-8", "replace")
    matched = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        matched |= hmac.compare_digest(f"sha256={digest}".encode(), given)
    return matched


def _target(event: str, action: str, payload: Mapping[str, Any], own: str | None) -> Target | str:
    """Find what an event asks to look at, or say why it asks for nothing."""
    if own and _text(payload, "sender", "login") == own:
        return "our own doing"
    match event:
        case "pull_request" if action in _PULL_ACTIONS:
            return WakePull(_pull(payload, "pull_request"))
        case "issue_comment" if action == "created":
            return _comment(payload)
        case "check_run" | "check_suite" if action in _AGAIN:
            return WakeHead(_repository(payload), _sha(payload, event, "head_sha"))
        case "merge_group" if action == "checks_requested":
            base, head = (_sha(payload, event, key) for key in ("base_sha", "head_sha"))
            return WakeGroup(_repository(payload), base, head, _branch(payload))
        case "label" if action in {"edited", "deleted"}:
            return _label(action, payload)
        case "push":
            return _push(payload)
        case "installation" if action in _INSTALLATION_ACTIONS:
            return WakeInstallation(_installation(payload))
        case "installation" if action == "deleted":
            return WakeLeave(_installation(payload))
        case "installation_repositories" if action in {"added", "removed"}:
            return _selected(action, payload)
        case _:
            return "nothing to do for it"


def _comment(payload: Mapping[str, Any]) -> Target | str:
    if _at(payload, "issue", "pull_request") is None:
        return "not on a pull request"
    if not _COMMAND.search(_text(payload, "comment", "body")):
        return "no command"
    return WakePull(_pull(payload, "issue"))


def _label(action: str, payload: Mapping[str, Any]) -> Target | str:
    """Wake for a label renamed or deleted, by either name."""
    before = _text(payload, "changes", "name", "from")
    if action == "edited" and not before:
        return "not its name"
    names = (_text(payload, "label", "name"), before)
    return WakeRepository(_repository(payload), tuple(name for name in names if name))


def _push(payload: Mapping[str, Any]) -> Target | str:
    """Wake for a push that changes the policy: the repository's own, or the owner's for all.

    Any other one to the default branch is a matter of the register alone.

    A forced push may take commits away, which it does not list, and a long one is cut short.
    """
    branch = _text(payload, "repository", "default_branch")
    if not branch or payload.get("ref") != f"refs/heads/{branch}":
        return "not the default branch"
    commits = payload.get("commits")
    listed = commits if isinstance(commits, list) else []
    is_cut = payload.get("forced") is True or len(listed) >= _MOST_COMMITS
    if not is_cut and not any(map(_is_policy, _files(listed))):
        return WakeScan(_repository(payload))
    repository = _repository(payload)
    if repository.repo.lower() == ".github":
        return WakeInstallation(repository.installation)
    return WakeRepository(repository)


def _is_policy(path: str) -> bool:
    return path.removeprefix(".github/") in _POLICY_FILES


def _files(commits: Iterable[Any]) -> Iterable[str]:
    for commit in commits:
        for key in ("added", "modified", "removed"):
            paths = commit.get(key) if isinstance(commit, dict) else None
            yield from (path for path in paths or () if isinstance(path, str))


def _selected(action: str, payload: Mapping[str, Any]) -> Target | str:
    installation = _installation(payload)
    listed = payload.get(f"repositories_{action}")
    if not isinstance(listed, list):
        raise _MalformedError(f"repositories_{action} is missing")
    repositories = tuple(
        Repository(installation, *_names(_text(item, "full_name"))) for item in listed
    )
    if not repositories:
        return f"none was {action}"
    wake = WakeInstallation if action == "added" else WakeLeave
    return wake(installation, repositories)


def _pull(payload: Mapping[str, Any], key: str) -> PullRef:
    at = _repository(payload)
    number = _at(payload, key, "number")
    if type(number) is not int or number < 1:
        raise _MalformedError(f"{key}.number is missing or malformed")
    return PullRef(at.installation, at.owner, at.repo, number)


def _repository(payload: Mapping[str, Any]) -> Repository:
    """Read `repository`; of a pull request that is the base's, so a deleted fork is no matter."""
    return Repository(_installation(payload), *_names(_text(payload, "repository", "full_name")))


def _names(full_name: str) -> tuple[str, str]:
    owner, _, repo = full_name.partition("/")
    if not (_NAME.fullmatch(owner) and _NAME.fullmatch(repo)) or repo in {".", ".."}:
        raise _MalformedError("the repository's full_name is missing or malformed")
    return owner, repo


def _installation(payload: Mapping[str, Any]) -> int:
    number = _at(payload, "installation", "id")
    if number is None:
        raise _ForeignError
    if type(number) is not int or number < 1:
        raise _MalformedError("installation.id is malformed")
    return number


def _sha(payload: Mapping[str, Any], *keys: str) -> str:
    sha = _text(payload, *keys)
    if not _SHA.fullmatch(sha):
        raise _MalformedError(f"{'.'.join(keys)} is missing or malformed")
    return sha


def _branch(payload: Mapping[str, Any]) -> str:
    """Read the branch that a merge group is for; its form is git's (git-check-ref-format)."""
    found = _BRANCH.fullmatch(_text(payload, "merge_group", "base_ref"))
    if found is None:
        raise _MalformedError("merge_group.base_ref is missing or malformed")
    return found["name"]


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _text(value: Any, *keys: str) -> str:
    found = _at(value, *keys)
    return found if isinstance(found, str) else ""
