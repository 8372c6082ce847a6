"""Check runs and check suites; only Apps write them, each its own."""

from collections.abc import Mapping
from typing import Any

from tests.github import clock
from tests.github.model.base import Refused
from tests.github.model.checks import CheckRun, CheckSuite
from tests.github.views import checks

from .route import Answer, Call, route


def _moments(body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("started_at", "completed_at")
    return {name: clock.parse(body[name]) for name in names if body.get(name)}


def _changes(body: Mapping[str, Any]) -> dict[str, Any]:
    names = ("name", "status", "conclusion", "external_id", "details_url", "output", "actions")
    return {name: body[name] for name in names if name in body} | _moments(body)


@route("POST", "/repos/{owner}/{repo}/check-runs", "checks:write")
def create(call: Call) -> Answer:
    """Start or finish a check run on a commit."""
    here, app = call.repository(), call.token.app
    if app is None:
        raise Refused(403, "You must authenticate via a GitHub App.")
    sha = call.body["head_sha"]
    if here.git.resolve(sha) is None:
        raise Refused(422, f"No commit found for SHA: {sha}")
    run = here.new_check(app, sha, **_changes(call.body))
    return Answer(201, checks.check_run(run, call.urls))


def _run(call: Call, *, own: bool = False) -> CheckRun:
    number = call.number("check_run_id")
    for suite in call.repository().suites:
        for run in suite.runs:
            if run.id == number:
                if own and run.app is not call.token.app:
                    raise Refused(
                        403, "Invalid app_id: only the App that made a check run edits it"
                    )
                return run
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:read")
def show(call: Call) -> Answer:
    """Show one check run."""
    return Answer(200, checks.check_run(_run(call), call.urls))


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:write")
def edit(call: Call) -> Answer:
    """Change one of the App's own; annotations add to those that are there."""
    run = _run(call, own=True)
    run.update(**_changes(call.body))
    return Answer(200, checks.check_run(run, call.urls))


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}/annotations", "checks:read")
def annotations(call: Call) -> Answer:
    """List a run's annotations."""
    run = _run(call)
    return call.page(run.annotations, lambda one: checks.annotation(one, run, call.urls))


@route("POST", "/repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest", "checks:write")
def rerequest(call: Call) -> Answer:
    """Ask for a run again."""
    _run(call).rerequest(by=call.token.account)
    return Answer(201, {})


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read")
def of_commit(call: Call) -> Answer:
    """List a commit's check runs; of each App and name the newest unless ``filter=all``."""
    here = call.repository()
    sha = here.resolve(call.path["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
    runs = here.check_runs(sha)
    name, status, app = (call.query.get(one) for one in ("check_name", "status", "app_id"))
    runs = [
        run
        for run in runs
        if (name is None or run.name == name)
        and (status is None or run.status == status)
        and (app is None or str(run.app.id) == app)
    ]
    if call.query.get("filter", "latest") == "latest":
        newest: dict[tuple[int, str], CheckRun] = {}
        for run in runs:
            newest.setdefault((run.app.id, run.name), run)
        runs = list(newest.values())
    return call.page(runs, lambda run: checks.check_run(run, call.urls), wrap="check_runs")


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-suites", "checks:read")
def suites(call: Call) -> Answer:
    """List a commit's check suites."""
    here = call.repository()
    sha = here.resolve(call.path["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {call.path['ref']}")
    app = call.query.get("app_id")
    found = [
        suite
        for suite in here.suites
        if suite.sha == sha and (app is None or str(suite.app.id) == app)
    ]
    return call.page(found, lambda one: checks.check_suite(one, call.urls), wrap="check_suites")


def _suite(call: Call) -> CheckSuite:
    number = call.number("check_suite_id")
    for suite in call.repository().suites:
        if suite.id == number:
            return suite
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/check-suites/{check_suite_id}", "checks:read")
def suite(call: Call) -> Answer:
    """Show one check suite."""
    return Answer(200, checks.check_suite(_suite(call), call.urls))


@route("POST", "/repos/{owner}/{repo}/check-suites/{check_suite_id}/rerequest", "checks:write")
def rerequest_suite(call: Call) -> Answer:
    """Ask for all of a suite again."""
    _suite(call).rerequest(by=call.token.account)
    return Answer(201, {})
