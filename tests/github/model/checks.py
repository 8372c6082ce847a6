"""Check suites and check runs, as Apps report them on commits."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .base import Refused, Thing, change

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .apps import App
    from .pulls import PullRequest
    from .repositories import Repository

PASSING = ("success", "neutral", "skipped")
MOST_TEXT = 65_535
MOST_ANNOTATIONS = 50


@dataclass(eq=False, slots=True, repr=False)
class CheckSuite(Thing):
    """All check runs of one App on one commit."""

    hub: "SmallGitHub"
    repository: "Repository"
    app: "App"
    sha: str
    before: str | None = None
    branch: str | None = None
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: dt.datetime = field(init=False)
    runs: list["CheckRun"] = field(default_factory=list)
    reset: bool = False

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("CS", self.id, self)
        self.created_at = self.hub.clock.now()
        heads = self.repository.branches.items()
        self.branch = next((name for name, sha in heads if sha == self.sha), None)

    @property
    def latest(self) -> list["CheckRun"]:
        """The newest run of each name."""
        return list({run.name: run for run in self.runs}.values())

    @property
    def status(self) -> str:
        """Queued until a run reports, completed when each has."""
        if not self.runs or self.reset:
            return "queued"
        done = all(run.status == "completed" for run in self.latest)
        return "completed" if done else "in_progress"

    @property
    def conclusion(self) -> str | None:
        """The worst of its runs, once all are there."""
        if self.status != "completed":
            return None
        conclusions = [run.conclusion for run in self.latest]
        bad = [one for one in conclusions if one not in PASSING]
        return bad[0] if bad else "success" if "success" in conclusions else "neutral"

    @property
    def pull_requests(self) -> list["PullRequest"]:
        """Open pull requests on this head; none for those from forks (REST, "check runs")."""
        return [
            pull
            for pull in self.repository.pulls.values()
            if pull.state == "open"
            and pull.head_sha == self.sha
            and pull.head_repository is self.repository
        ]

    @change
    def rerequest(self, *, by: "Account") -> None:
        """Press "Re-run all checks": the suite is queued again, its App is asked."""
        self.reset = True
        self.hub.events.check_suite("rerequested", self, by)


@dataclass(eq=False, slots=True, repr=False)
class CheckRun(Thing):
    """One check of an App; the newest of a name is the one that counts."""

    hub: "SmallGitHub"
    suite: CheckSuite
    name: str
    id: int = field(init=False)
    node_id: str = field(init=False)
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    details_url: str | None = None
    started_at: dt.datetime | None = field(init=False)
    completed_at: dt.datetime | None = None
    title: str | None = None
    summary: str | None = None
    text: str | None = None
    annotations: list[dict[str, Any]] = field(default_factory=list)
    actions: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("CR", self.id, self)
        self.started_at = self.hub.clock.now()

    @property
    def app(self) -> "App":
        """The App that reports it."""
        return self.suite.app

    @property
    def sha(self) -> str:
        """The commit that it is about."""
        return self.suite.sha

    @property
    def passing(self) -> bool:
        """Whether a required check of this name would be satisfied."""
        return self.status == "completed" and self.conclusion in PASSING

    @change
    def update(self, /, **changes: Any) -> None:
        """Change what is given, as ``PATCH …/check-runs/{id}`` does; annotations add up."""
        was = self.status
        self.apply(**changes)
        if was != "completed":
            self.announce_completion()

    def apply(
        self,
        *,
        name: str | None = None,
        status: str | None = None,
        conclusion: str | None = None,
        started_at: dt.datetime | None = None,
        completed_at: dt.datetime | None = None,
        external_id: str | None = None,
        details_url: str | None = None,
        output: Mapping[str, Any] | None = None,
        actions: Iterable[dict[str, Any]] | None = None,
    ) -> None:
        """Take over what is given; a conclusion completes the run, as on GitHub."""
        self._apply_output(output or {})
        self.name = name or self.name
        self.external_id = self.external_id if external_id is None else external_id
        self.details_url = self.details_url if details_url is None else details_url
        self.started_at = started_at or self.started_at
        self.actions = self.actions if actions is None else list(actions)
        if conclusion is not None:
            self.status, self.conclusion = "completed", conclusion
            self.completed_at = completed_at or self.hub.clock.now()
            self.suite.reset = False
        elif status is not None:
            self.status = status
            if status != "completed":
                self.conclusion = self.completed_at = None

    def announce_completion(self) -> None:
        """Tell that the run, and with it perhaps its suite, is complete."""
        if self.status == "completed":
            self.hub.events.check_run("completed", self, self.app.bot)
            if self.suite.status == "completed":
                self.hub.events.check_suite("completed", self.suite, self.app.bot)

    def _apply_output(self, output: Mapping[str, Any]) -> None:
        added = list(output.get("annotations", ()))
        if len(added) > MOST_ANNOTATIONS:
            message = f'No subschema in "anyOf" matched: more than {MOST_ANNOTATIONS} annotations'
            raise Refused(422, "Invalid request.\n\n" + message)
        for part in ("summary", "text"):
            if len(output.get(part) or "") > MOST_TEXT:
                message = f"Only {MOST_TEXT} characters are allowed; {len(output[part])} were given"
                raise Refused(422, f"Invalid request.\n\n{message} in {part}.")
        self.annotations.extend(added)
        self.title = output.get("title", self.title)
        self.summary = output.get("summary", self.summary)
        self.text = output.get("text", self.text)

    @change
    def rerequest(self, *, by: "Account") -> None:
        """Press "Re-run": the run stays as it is, its suite is queued again, its App is asked."""
        self.hub.events.check_run("rerequested", self, by)
        self.suite.reset = True

    @change
    def request_action(self, identifier: str, *, by: "Account") -> None:
        """Press a button that the App put on the run."""
        self.hub.events.check_run("requested_action", self, by, identifier=identifier)
