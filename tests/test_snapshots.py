"""What people read of every kind of finding, as GitHub's own parser renders it, kept as files.

ACCEPT=1 rewrites what differs and still fails; it is refused in CI. Read the difference as the
person would who gets it.
"""

import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from bot.detect.grant import How
from bot.gate.facts import Role
from bot.gate.justification import Justification, Refusal, Why
from bot.gate.policy import Ignore, Policy, Problem
from bot.gate.verdict import Because, Ignored, Verdict
from bot.publish.check import broken, check
from bot.publish.comment import finding_comment, resolved_comment
from bot.publish.refusal import refusal_comment
from bot.publish.writes import PutCheck
from tests.kinds import KINDS, Kind, judged

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
SNAPSHOTS = Path(__file__).parent / "snapshots"


def rendered(markdown: str) -> str:
    """Render as GitHub does, raw HTML let through: nothing in it may come from a pull request."""
    html: str = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return html


def shown(kind: Kind) -> str:
    """Return all that is written about a kind: each comment with its place, and the check."""
    verdict = judged(kind.review())
    parts = [
        f"<!-- {finding.path}:{finding.line} -->\n" + rendered(finding_comment(finding, verdict))
        for finding in verdict.findings
    ]
    return "\n".join([*parts, shown_check(check(verdict, "h"))])


def shown_check(page: PutCheck) -> str:
    """Return a check's title, page and annotations."""
    notes = "".join(
        f"<!-- {one.level} {one.path}:{one.line} {one.title}: {one.message} -->\n"
        for one in page.annotations
    )
    title = f"<!-- the check: {page.conclusion}, {page.title} -->\n"
    return title + rendered(page.summary) + notes


BY = Justification("mia", Role.MAINTAIN, AT, "It @reads labels, see <issue 12>", frozenset(), 7)
GRANTED = judged(KINDS[0].review())
RULE = Ignore(path="examples/**", reason="run by nobody", until=date(2026, 12, 31))
SEEN = Ignored(GRANTED.findings[0], RULE)
PAGES: dict[str, PutCheck | str] = {
    "green, nothing added": check(Verdict(Because.NOTHING), "h"),
    "green, justified": check(replace(GRANTED, because=Because.JUSTIFIED, justification=BY), "h"),
    "green, ignored and not held": check(
        Verdict(Because.NOT_HELD, not_held=GRANTED.findings, ignored=(SEEN,)), "h"
    ),
    "red, the label waits for a reason": check(
        replace(
            GRANTED,
            policy=Policy(require_reason=True, users=("ann",), teams=("security",)),
            refusal=Refusal("mia", Why.NO_REASON, AT, 7),
        ),
        "h",
    ),
    "red, labels were taken off": check(
        replace(GRANTED, expired=(SEEN,)), "h", taken_off=(Why.AUTHOR, Why.NOT_A_PERSON)
    ),
    "red, with a broken policy": check(
        replace(
            GRANTED,
            policy_where=".github/sockgate.yml",
            policy_problems=(Problem(1, "role", "not a role"),),
            proposal=(),
        ),
        "h",
    ),
    "red, of several pull requests": check(GRANTED, "h", frozenset({1, 4})),
    "red, a defect of ours": broken("h", "ValueError: @acme"),
    "comment, resolved": resolved_comment(finding_comment(GRANTED.findings[0], GRANTED)),
    "comment, the label is taken off": refusal_comment(Refusal("dev", Why.AUTHOR, AT, 7), GRANTED),
    "comment, the label waits": refusal_comment(Refusal("mia", Why.NO_REASON, AT, 7), GRANTED),
}


def held_to(name: str, now: str) -> None:
    """Compare with what is kept, and keep it where that is asked for."""
    file = SNAPSHOTS / f"{_stem(name)}.html"
    before = file.read_text("utf-8") if file.exists() else ""
    if os.environ.get("ACCEPT") and now != before:
        assert not os.environ.get("CI"), "ACCEPT is for people who read the difference"
        file.write_text(now, "utf-8")
    assert now == before


def _stem(name: str) -> str:
    return name.replace(",", "").replace(" ", "_")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_written_of_a_kind_is_as_it_was_looked_at(kind: Kind) -> None:
    held_to(kind.name, shown(kind))


@pytest.mark.parametrize("name", PAGES)
def test_what_is_written_of_a_verdict_is_as_it_was_looked_at(name: str) -> None:
    page = PAGES[name]
    held_to(name, rendered(page) if isinstance(page, str) else shown_check(page))


def test_every_way_of_handing_over_is_among_the_kinds() -> None:
    found = [grant for kind in KINDS for one in kind.review().findings for grant in one.grants]
    assert {grant.how for grant in found} == set(How)


def test_no_snapshot_is_of_nothing() -> None:
    names = [*(kind.name for kind in KINDS), *PAGES]
    assert {file.stem for file in SNAPSHOTS.iterdir()} == set(map(_stem, names))
