"""Review -> plain text, for a terminal."""

from collections.abc import Iterator

from bot.detect.grant import Grant, Undermined
from bot.publish.plain import plain
from bot.publish.words import sentence
from bot.review.model import Finding, Review


def as_text(review: Review) -> str:
    """Return one paragraph a finding, one line an unknown, and a closing line."""
    return "\n".join(_lines(review)) + "\n"


def _lines(review: Review) -> Iterator[str]:
    for finding in review.findings:
        yield from _finding(finding)
    for unknown in review.unknowns:
        where = plain(unknown.path) + (f":{unknown.line}" if unknown.line else "")
        yield f"{where}: unknown: {plain(unknown.reason, 400)}"
        yield ""
    grants = sum(len(finding.grants) for finding in review.findings)
    parts = [f"{grants} {'grant' if grants == 1 else 'grants'} of a container daemon"]
    if review.unknowns:
        parts.append(f"{len(review.unknowns)} not understood")
    yield f"{', '.join(parts)}; {review.scanned} files read."


def _finding(finding: Finding) -> Iterator[str]:
    for grant in finding.grants:
        yield f"{plain(finding.path)}:{finding.line}: {grant.severity}: {sentence(grant)}"
        yield f"    {plain(grant.text.strip())}"
        yield from _way(grant)
        for one in grant.undermines:
            yield f"    worthless beside it: {_undermined(one, grant)}"
    yield ""


def _way(grant: Grant) -> Iterator[str]:
    if len(grant.steps) > 1:
        way = " -> ".join(f"{plain(step.path)}:{step.line}" for step in grant.steps)
        yield f"    the way: {way}"


def _undermined(one: Undermined, grant: Grant) -> str:
    where = f"line {one.line}" if one.path == grant.path else f"{plain(one.path)}:{one.line}"
    return f"{plain(one.text)} ({where})"
