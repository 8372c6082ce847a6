"""One job: what a delivery asks for, as it lies in the database.

The form is kept additive for good: jobs of an older server are done by a newer one.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, assert_never
from uuid import uuid4

from bot.pull import PullRef
from bot.wake import (
    Repository,
    Target,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakeLeave,
    WakePull,
    WakeRepository,
    WakeScan,
)

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. Jobs with the same `key` run one at a time."""

    root: str  # of the delivery, unique; a follow-up keeps it
    delivery: str  # X-GitHub-Delivery, or what stands for it, for the log
    target: Target
    attempt: int = 0  # failures so far
    serial: int = 0  # follow-ups so far
    trace: str = ""  # where its span goes on, see `bot.traces`
    looks: int = 0  # times that something was missing

    @property
    def id(self) -> str:
        """The identity of this very job: of the first one, the delivery's."""
        return self.root if self.serial == 0 else f"{self.root}~{self.serial}"

    @property
    def key(self) -> str:
        """What it looks at: jobs with the same key stand for each other."""
        if isinstance(self.target, WakePull):
            pull = self.target.pull
            return f"pull {pull.installation}/{pull.owner}/{pull.repo}#{pull.number}".lower()
        if isinstance(self.target, WakeGroup):  # however it came to be looked at
            return f"group {_name(self.target.repository)}@{self.target.head_sha}".lower()
        document = _document(self.target)
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
        return f"{document['kind']} {digest[:32]}"

    @property
    def installation(self) -> int:
        """Whose rate limit it uses."""
        match self.target:
            case WakePull(pull):
                return pull.installation
            case WakeHead(repository) | WakeRepository(repository) | WakeGroup(repository):
                return repository.installation
            case WakeScan(repository):
                return repository.installation
            case WakeInstallation(installation) | WakeLeave(installation):
                return installation
            case _:
                assert_never(self.target)

    def again(self, attempt: int) -> "Job":
        """Make the job that follows this one."""
        return replace(self, attempt=attempt, serial=self.serial + 1)

    def anew(self) -> "Job":
        """Make a job for the same, as if nothing had been tried, with an identity of its own."""
        return Job(f"{self.root}~{uuid4().hex[:8]}", self.delivery, self.target)

    def names(self) -> dict[str, str | int]:
        """Name what it is about, for the log."""
        names: dict[str, str | int] = {"delivery": self.delivery}
        match self.target:
            case WakePull(pull):
                names |= {"repository": f"{pull.owner}/{pull.repo}", "pull": pull.number}
            case WakeHead(repository, sha):
                names |= {"repository": _name(repository), "head": sha}
            case WakeGroup(repository, head_sha=head):
                names |= {"repository": _name(repository), "head": head}
            case WakeRepository(repository) | WakeScan(repository):
                names |= {"repository": _name(repository)}
            case WakeInstallation(installation) | WakeLeave(installation):
                names |= {"installation": installation}
            case _:
                assert_never(self.target)
        return names

    def document(self) -> Document:
        """Write it down as plain JSON values."""
        document: Document = {
            "root": self.root,
            "delivery": self.delivery,
            "attempt": self.attempt,
            "serial": self.serial,
            "target": _document(self.target),
        }
        more = {"trace": self.trace, "looks": self.looks}
        return document | {name: value for name, value in more.items() if value}


def job(document: Mapping[str, Any]) -> Job:
    """Read what `Job.document` wrote."""
    return Job(
        document["root"],
        document["delivery"],
        _target(document["target"]),
        document["attempt"],
        document["serial"],
        document.get("trace", ""),
        document.get("looks", 0),
    )


def _name(repository: Repository) -> str:
    return f"{repository.owner}/{repository.repo}"


def _document(target: Target) -> Document:
    match target:
        case WakePull(PullRef(installation, owner, repo, number)):
            place = _place(Repository(installation, owner, repo))
            return {"kind": "pull", **place, "number": number}
        case WakeHead(repository, sha):
            return {"kind": "head", **_place(repository), "sha": sha}
        case WakeRepository(repository, labels):
            return {"kind": "repository", **_place(repository), "labels": list(labels)}
        case WakeInstallation(installation, repositories):
            places = [_place(repository) for repository in repositories]
            return {"kind": "installation", "installation": installation, "repositories": places}
        case WakeScan(repository):
            return {"kind": "scan", **_place(repository)}
        case WakeLeave(installation, repositories):
            places = [_place(repository) for repository in repositories]
            return {"kind": "leave", "installation": installation, "repositories": places}
        case WakeGroup(repository, base, head, branch):
            place = _place(repository)
            return {"kind": "group", **place, "base": base, "head": head, "branch": branch}
        case _:
            assert_never(target)


def _target(document: Document) -> Target:
    match document["kind"]:
        case "pull":
            at = _repository(document)
            return WakePull(PullRef(at.installation, at.owner, at.repo, document["number"]))
        case "head":
            return WakeHead(_repository(document), document["sha"])
        case "repository":
            return WakeRepository(_repository(document), tuple(document["labels"]))
        case "installation":
            repositories = tuple(map(_repository, document["repositories"]))
            return WakeInstallation(document["installation"], repositories)
        case "scan":
            return WakeScan(_repository(document))
        case "leave":
            repositories = tuple(map(_repository, document["repositories"]))
            return WakeLeave(document["installation"], repositories)
        case "group":
            branch = document.get("branch", "")
            return WakeGroup(_repository(document), document["base"], document["head"], branch)
        case kind:
            raise ValueError(f"a job of an unknown kind: {kind}")


def _place(repository: Repository) -> Document:
    return {
        "installation": repository.installation,
        "owner": repository.owner,
        "repo": repository.repo,
    }


def _repository(document: Document) -> Repository:
    return Repository(document["installation"], document["owner"], document["repo"])
