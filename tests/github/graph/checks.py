"""Check suites and check runs."""

from collections.abc import Mapping
from typing import Any, ClassVar

from tests.github.clock import stamp, stamp_or_none
from tests.github.model.checks import CheckRun, CheckSuite

from .accounts import AppNode
from .base import Connection, Node, Plain, shows


def _upper(word: str | None) -> str | None:
    return None if word is None else word.upper()


@shows(CheckSuite)
class CheckSuiteNode(Node[CheckSuite]):
    """All runs of one App on a commit."""

    typename = "CheckSuite"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "status": lambda one: one.status.upper(),
        "conclusion": lambda one: _upper(one.conclusion),
        "createdAt": lambda one: stamp(one.created_at),
        "updatedAt": lambda one: stamp(one.created_at),
    }

    def field_app(self) -> AppNode:
        """Return the App."""
        return AppNode(self.context, self.thing.app)

    def field_check_runs(self, filter_by: dict[str, Any] | None = None, **page: Any) -> Connection:
        """List runs; the newest of each name unless ``checkType: ALL``."""
        wanted = filter_by or {}
        runs = self.thing.runs if wanted.get("checkType") == "ALL" else self.thing.latest
        statuses = wanted.get("statuses") or ([wanted["status"]] if wanted.get("status") else None)
        chosen = [
            run
            for run in runs
            if wanted.get("checkName") in (None, run.name)
            and wanted.get("appId") in (None, run.app.id)
            and (statuses is None or run.status.upper() in statuses)
            and (
                wanted.get("conclusions") is None or _upper(run.conclusion) in wanted["conclusions"]
            )
        ]
        return Connection(chosen, lambda one: CheckRunNode(self.context, one), **page)


@shows(CheckRun)
class CheckRunNode(Node[CheckRun]):
    """One check."""

    typename = "CheckRun"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "name": lambda one: one.name,
        "status": lambda one: one.status.upper(),
        "conclusion": lambda one: _upper(one.conclusion),
        "title": lambda one: one.title,
        "summary": lambda one: one.summary,
        "text": lambda one: one.text,
        "externalId": lambda one: one.external_id,
        "detailsUrl": lambda one: one.details_url,
        "startedAt": lambda one: stamp_or_none(one.started_at),
        "completedAt": lambda one: stamp_or_none(one.completed_at),
        "url": lambda one: f"{one.hub.page_url}/{one.suite.repository.full_name}/runs/{one.id}",
    }

    def field_check_suite(self) -> CheckSuiteNode:
        """Return the suite that it is in."""
        return CheckSuiteNode(self.context, self.thing.suite)

    def field_annotations(self, **page: Any) -> Connection:
        """List annotations."""

        def show(one: Mapping[str, Any]) -> dict[str, Any]:
            start = {"line": one["start_line"], "column": one.get("start_column")}
            end = {"line": one["end_line"], "column": one.get("end_column")}
            return {
                "path": one["path"],
                "message": one["message"],
                "title": one.get("title"),
                "rawDetails": one.get("raw_details"),
                "annotationLevel": one["annotation_level"].upper(),
                "location": {"start": start, "end": end},
            }

        return Connection(self.thing.annotations, show, **page)
