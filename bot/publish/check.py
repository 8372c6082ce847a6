"""Verdict -> the check run: its page within what GitHub takes, its annotations, our own record."""

from collections.abc import Iterator, Sequence

from bot.gate.cover import WHOLE, set_digest
from bot.gate.justification import Why
from bot.gate.verdict import Verdict
from bot.publish.escape import code
from bot.publish.page import parts, title
from bot.publish.plain import plain
from bot.publish.record import Record
from bot.publish.words import sentence
from bot.publish.writes import Annotation, PutCheck
from bot.review.model import OnLine

MOST_CHARACTERS = 65_535  # REST, "check runs": output.summary; bytes here, to be sure
MOST_ANNOTATIONS = 50  # likewise, a request
_MOST_RECORDED = 900  # fingerprints that fit beside a full table
_MOST_MORE = 100  # likewise, of those that a label covers and that are not there any more


def check(
    verdict: Verdict,
    head: str,
    pulls: frozenset[int] = frozenset(),
    opening: str = "",
    taken_off: Sequence[Why] = (),
) -> PutCheck:
    """Return the check run of one head commit.

    `pulls` are the pull requests with this head where there are several: a check belongs to a
    commit, and `verdict` is the gravest of theirs. `opening` stands in the place of what is said of
    a single pull request, where the commit is not one's. `taken_off` says why labels did not count.
    """
    annotations = tuple(_annotations(verdict))
    said = list(parts(verdict, opening, taken_off))
    if len(pulls) > 1:
        said.insert(0, _shared(verdict, pulls))
    if len(annotations) > MOST_ANNOTATIONS:
        left = len(annotations) - MOST_ANNOTATIONS
        said.append(f"{left} annotations were left out: GitHub takes {MOST_ANNOTATIONS}.")
    record = _record(verdict, pulls | {verdict.pull}).line()
    body = _cut("\n\n".join(said), MOST_CHARACTERS - len(record) - 2)
    return PutCheck(
        head=head,
        conclusion=verdict.conclusion,
        title=title(verdict),
        summary=f"{body}\n\n{record}",
        annotations=annotations[:MOST_ANNOTATIONS],
    )


def broken(head: str, what: str) -> PutCheck:
    """Return the red check of an evaluation that failed by a defect of ours."""
    return PutCheck(
        head,
        "failure",
        "Could not be evaluated",
        "sockgate itself failed on this pull request, so nothing is known about it and the check "
        f"stays red.\n\nWhat it said: {code(what)}\n\nUse *Check again* or push to try again; if "
        "it stays, the server's log has the details.",
    )


def _cut(text: str, longest: int) -> str:
    """Cut between lines, so that nothing is left open."""
    if len(text.encode("utf-8", "surrogatepass")) <= longest:
        return text
    note = "\n\n… (cut: longer than GitHub takes)"
    left = longest - len(note.encode())
    kept: list[str] = []
    for line in text.split("\n"):
        left -= len(line.encode("utf-8", "surrogatepass")) + 1
        if left < 0:
            break
        kept.append(line)
    return "\n".join(kept) + note


def _record(verdict: Verdict, pulls: frozenset[int]) -> Record:
    by = verdict.justification
    covers = by.covers if by is not None else frozenset()
    found = sorted(verdict.fingerprints)
    shown = frozenset(found[:_MOST_RECORDED])
    if found[_MOST_RECORDED:]:  # what there is no room for is recorded as one whole set
        shown |= {set_digest(found[_MOST_RECORDED:])}
    room = _MOST_RECORDED + _MOST_MORE - len(shown)
    more = sorted(covers - verdict.fingerprints - shown, key=_whole_sets_first)[:room]
    return Record(pulls, shown, by.event if by is not None else None, frozenset(more))


def _whole_sets_first(recorded: str) -> tuple[bool, str]:
    return not recorded.startswith(WHOLE), recorded


def _shared(verdict: Verdict, pulls: frozenset[int]) -> str:
    numbers = ", ".join(map(str, sorted(pulls)))
    return (
        f"The pull requests {numbers} have this same head commit, and a check belongs to a commit: "
        f"this is what holds for number {verdict.pull}, the gravest."
    )


def _annotations(verdict: Verdict) -> Iterator[Annotation]:
    level = "notice" if verdict.conclusion == "success" else "failure"
    for finding in verdict.findings:
        if isinstance(finding.anchor, OnLine):
            for grant in finding.grants:
                title = "Container daemon access"
                yield Annotation(finding.path, finding.line, level, title, sentence(grant))
    for one in verdict.unknowns:
        if one.path != ".":  # what is unknown as a whole has no place
            title = "Could not be evaluated"
            yield Annotation(one.path, one.line or 1, level, title, plain(one.reason, 1_000))
