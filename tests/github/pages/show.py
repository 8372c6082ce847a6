"""What each page holds, for its template."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tests.github import diffs
from tests.github.model.comments import IssueComment, Review

from . import actions, markdown

if TYPE_CHECKING:
    from tests.github.diffs import DiffLine, FileDiff
    from tests.github.hub import SmallGitHub
    from tests.github.model.checks import CheckRun
    from tests.github.model.comments import Thread
    from tests.github.model.pulls import PullRequest

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters["markdown"] = markdown.render
_MOST_ROWS = 2_000  # a page is for reading


@dataclass(frozen=True, slots=True)
class Hunk:
    """One hunk of a file's diff, each line with the threads below it."""

    header: str
    rows: tuple[tuple["DiffLine", tuple["Thread", ...]], ...]


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One changed file."""

    file: "FileDiff"
    hunks: tuple[Hunk, ...]
    threads: tuple["Thread", ...]
    cut: bool


def address(pull: "PullRequest") -> str:
    """Return the path of a pull request's page."""
    return f"/{pull.repository.full_name}/pull/{pull.number}"


def start(hub: "SmallGitHub") -> str:
    """List pull requests."""
    pulls = [pull for repository in hub.repositories() for pull in repository.pulls.values()]
    return _render("start.html", pulls=pulls, title="Pull requests")


def register(**values: Any) -> str:
    """Show an App that a manifest describes, to be confirmed."""
    return _render("register.html", title="Create GitHub App", **values)


def install(**values: Any) -> str:
    """Show where an App can be installed."""
    return _render("install.html", title="Install", **values)


def missing() -> str:
    """Say that there is no such page."""
    return refusal("There is no such page.")


def refusal(message: str) -> str:
    """Say why something is not done."""
    return _render("refusal.html", message=message, title="Not done")


def pull(one: "PullRequest", *, waiting: bool) -> str:
    """Show a pull request: conversation, checks, files with the comments in them."""
    return _render(
        "pull.html",
        title=f"{one.title} · #{one.number}",
        files=[_file(one, file) for file in one.files()],
        outdated=[thread for thread in one.threads if thread.outdated],
        said=[
            event
            for event in one.timeline
            if event.kind != "committed" and not _silent(event.comment)
        ],
        **_common(one, waiting=waiting),
    )


def checks(one: "PullRequest", *, waiting: bool) -> str:
    """Show the checks of a pull request's head with all they say."""
    return _render("checks.html", title=f"Checks · #{one.number}", **_common(one, waiting=waiting))


def _common(one: "PullRequest", *, waiting: bool) -> dict[str, Any]:
    required = {(name, app) for name, app in one.repository.required_checks}
    return {
        "pull": one,
        "here": one.repository,
        "address": address(one),
        "runs": _latest(one),
        "required": required,
        "missing": [
            name for name, app in one.repository.required_checks if one.check(name, app) is None
        ],
        "mergeable": one.hub.mergeable(one),
        "people": actions.people(one),
        "offered": [label for label in one.repository.labels if label not in one.labels],
        "waiting": waiting,
    }


def _latest(one: "PullRequest") -> list["CheckRun"]:
    newest: dict[tuple[int, str], CheckRun] = {}
    for run in one.repository.check_runs(one.head_sha):
        newest.setdefault((run.app.id, run.name), run)
    return list(newest.values())


def _silent(comment: object) -> bool:
    """Whether an event has nothing to show by itself: a review without words."""
    return isinstance(comment, Review) and not comment.body


def _file(one: "PullRequest", file: "FileDiff") -> ShownFile:
    here = [
        thread for thread in one.threads if thread.anchor.path == file.path and not thread.outdated
    ]
    hunks: dict[int, list[tuple[DiffLine, tuple[Thread, ...]]]] = {}
    lines = diffs.lines(file.patch or "")
    for line in lines[:_MOST_ROWS]:
        below = tuple(thread for thread in here if _stands(thread, line))
        hunks.setdefault(line.hunk, []).append((line, below))
    headers = [text for text in (file.patch or "").split("\n") if text.startswith("@@")]
    return ShownFile(
        file=file,
        hunks=tuple(Hunk(headers[n - 1], tuple(rows)) for n, rows in hunks.items()),
        threads=tuple(thread for thread in here if thread.anchor.line is None),
        cut=len(lines) > _MOST_ROWS,
    )


def _stands(thread: "Thread", line: "DiffLine") -> bool:
    if thread.anchor.line is None:
        return False
    number = line.left if thread.anchor.side == "LEFT" else line.right
    return number is not None and number == thread.line


def _render(template: str, **values: Any) -> str:
    return _TEMPLATES.get_template(template).render(**values, IssueComment=IssueComment)
