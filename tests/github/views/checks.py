"""Check runs, check suites and merge groups."""

from typing import TYPE_CHECKING

from tests.github.clock import stamp, stamp_or_none

from . import accounts, pulls, repositories
from .base import Json, Urls

if TYPE_CHECKING:
    from tests.github.model.checks import CheckRun, CheckSuite
    from tests.github.model.queue import MergeGroup
    from tests.github.model.repositories import Repository


def check_run(run: "CheckRun", urls: Urls) -> Json:
    """``check-run``."""
    repository = run.suite.repository
    url = f"{repositories.own(repository, urls)}/check-runs/{run.id}"
    html = f"{repositories.page(repository, urls)}/runs/{run.id}"
    return {
        "id": run.id,
        "name": run.name,
        "node_id": run.node_id,
        "head_sha": run.sha,
        "external_id": run.external_id,
        "url": url,
        "html_url": html,
        "details_url": run.details_url or html,
        "status": run.status,
        "conclusion": run.conclusion,
        "started_at": stamp_or_none(run.started_at),
        "completed_at": stamp_or_none(run.completed_at),
        "output": {
            "title": run.title,
            "summary": run.summary,
            "text": run.text,
            "annotations_count": len(run.annotations),
            "annotations_url": f"{url}/annotations",
        },
        "check_suite": {"id": run.suite.id},
        "app": accounts.app(run.app, urls),
        "pull_requests": [pulls.minimal(pull, urls) for pull in run.suite.pull_requests],
    }


def check_suite(suite: "CheckSuite", urls: Urls) -> Json:
    """``check-suite``."""
    repository = suite.repository
    url = f"{repositories.own(repository, urls)}/check-suites/{suite.id}"
    return {
        "id": suite.id,
        "node_id": suite.node_id,
        "head_branch": suite.branch,
        "head_sha": suite.sha,
        "status": suite.status,
        "conclusion": suite.conclusion,
        "url": url,
        "before": suite.before,
        "after": suite.sha,
        "pull_requests": [pulls.minimal(pull, urls) for pull in suite.pull_requests],
        "app": accounts.app(suite.app, urls),
        "repository": repositories.minimal_repository(repository, urls),
        "created_at": stamp(suite.created_at),
        "updated_at": stamp(suite.created_at),
        "head_commit": simple_commit(repository, suite.sha),
        "latest_check_runs_count": len(suite.latest),
        "check_runs_url": f"{url}/check-runs",
    }


def simple_commit(repository: "Repository", sha: str) -> Json:
    """``simple-commit``: a commit as check suites and merge groups carry it."""
    commit = repository.git.show(sha)
    return {
        "id": commit.sha,
        "tree_id": commit.tree,
        "message": commit.message,
        "timestamp": stamp(commit.committer.at),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
    }


def annotation(one: Json, run: "CheckRun", urls: Urls) -> Json:
    """``check-annotation``."""
    html = repositories.page(run.suite.repository, urls)
    return {
        "path": one["path"],
        "start_line": one["start_line"],
        "end_line": one["end_line"],
        "start_column": one.get("start_column"),
        "end_column": one.get("end_column"),
        "annotation_level": one["annotation_level"],
        "title": one.get("title"),
        "message": one["message"],
        "raw_details": one.get("raw_details"),
        "blob_href": f"{html}/blob/{run.sha}/{one['path']}",
    }


def merge_group(group: "MergeGroup") -> Json:
    """Write the ``merge_group`` of its webhook."""
    return {
        "head_sha": group.head_sha,
        "head_ref": f"refs/heads/{group.branch}",
        "base_sha": group.base_sha,
        "base_ref": f"refs/heads/{group.base_branch}",
        "head_commit": simple_commit(group.repository, group.head_sha),
    }
