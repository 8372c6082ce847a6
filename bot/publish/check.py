"""Verdict -> the check run: a title with the number, and a page that needs no other page."""

from collections.abc import Iterator

from bot.gate.cover import WHOLE, set_digest
from bot.gate.facts import Facts
from bot.gate.justification import Justification, Refusal, Why
from bot.gate.policy import Problem
from bot.gate.verdict import Because, Verdict
from bot.publish.escape import code, prose
from bot.publish.record import Record
from bot.publish.words import power, reached, sentence
from bot.publish.writes import Annotation, PutCheck
from bot.review.model import Finding, OnLine

# What is missing may still come, so the label stays until it does; any other label that does not
# count is taken off with a comment that says why.
WAITING = frozenset({Why.NO_REASON, Why.NOT_YET})
MOST_CHARACTERS = 65_535  # REST, "check runs": output.summary; bytes here, to be sure
MOST_ANNOTATIONS = 50  # likewise, a request
_MOST_ROWS = 100
_LONGEST_TABLE = 20_000  # characters; what stands below it has to fit too
_MOST_RECORDED = 900  # fingerprints that fit beside a full table
_MOST_MORE = 100  # likewise, of those that a label covers and that are not there any more


def check(
    verdict: Verdict, head: str, pulls: frozenset[int] = frozenset(), opening: str = ""
) -> PutCheck:
    """Return the check run of one head commit.

    `pulls` are the pull requests with this head where there are several: a check belongs to a
    commit, and `verdict` is the gravest of theirs. `opening` stands in the place of what is said of
    a single pull request, where the commit is not one's.
    """
    annotations = tuple(_annotations(verdict))
    parts = list(_parts(verdict, opening))
    if len(pulls) > 1:
        parts.insert(0, _shared(verdict, pulls))
    if len(annotations) > MOST_ANNOTATIONS:
        left = len(annotations) - MOST_ANNOTATIONS
        parts.append(f"{left} annotations were left out: GitHub takes {MOST_ANNOTATIONS}.")
    record = _record(verdict, pulls | {verdict.pull}).line()
    body = _cut("\n\n".join(parts), MOST_CHARACTERS - len(record) - 2)
    return PutCheck(
        head=head,
        conclusion=verdict.conclusion,
        title=_title(verdict),
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
        f"stays red.\n\nWhat it said: {code(what)}\n\nPush again or use *Re-run* to try again; if "
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


def _title(verdict: Verdict) -> str:
    number = sum(len(finding.grants) for finding in verdict.findings)
    grants = "1 grant" if number == 1 else f"{number} grants"
    match verdict.because:
        case Because.UNKNOWN:
            files = len({unknown.path for unknown in verdict.unknowns})
            noun = "file" if files == 1 else "files"
            also = f"; {grants} of a container daemon" if number else ""
            return f"{files} {noun} could not be evaluated{also}"
        case Because.UNJUSTIFIED:
            return f"{grants} of a container daemon, not justified"
        case Because.JUSTIFIED:
            by = verdict.justification.actor if verdict.justification else ""
            return f"{grants} of a container daemon, justified by {by}"
        case Because.NOT_HELD:
            return "Nothing that the policy holds"
        case Because.NOTHING:
            return "No new access to a container daemon"


def _parts(verdict: Verdict, opening: str) -> Iterator[str]:
    yield opening or _opening(verdict)
    if verdict.because is Because.UNJUSTIFIED and not opening:
        yield from _how_to_justify(verdict)
    if verdict.findings:
        yield "### What it adds\n\n" + _table(verdict.findings)
    yield from _base_branches(verdict)
    if verdict.unknowns:
        yield _unknowns(verdict)
    if verdict.not_held:
        yield "### Seen, and not held by the policy\n\n" + _table(verdict.not_held)
    if verdict.ignored:
        yield _ignored(verdict)
    if verdict.expired:
        yield _expired(verdict)
    yield from _policy(verdict)


def _opening(verdict: Verdict) -> str:
    match verdict.because:
        case Because.UNKNOWN:
            return (
                "Some files mention a container daemon and could not be understood, so this check "
                "stays red. A label does not help; mending the files does."
            )
        case Because.UNJUSTIFIED:
            return (
                "This change hands over a container daemon. Whoever can talk to it controls the "
                "host, whatever else the container is denied."
            )
        case Because.JUSTIFIED:
            return _justified(verdict.justification)
        case Because.NOT_HELD:
            return "What this change adds is not held by the policy; it is listed below."
        case Because.NOTHING:
            return "This change gives nobody access to a container daemon who did not have it."


def _justified(by: Justification | None) -> str:
    if by is None:
        return ""
    when = by.at.strftime("%Y-%m-%d %H:%M UTC")
    reason = f"\n\n> {prose(by.reason, 2000)}" if by.reason else "\n\nNo reason was written down."
    return (
        f"Justified by {code(by.actor)} (role {by.role.name.lower()}) on {when}. "
        f"This holds until a push adds another grant.{reason}"
    )


def _table(findings: tuple[Finding, ...]) -> str:
    rows = ["| Where | Who gets it | What it reaches | Worth | Severity |", "|---|---|---|---|---|"]
    listed = [(finding, grant) for finding in findings for grant in finding.grants]
    for finding, grant in listed[:_MOST_ROWS]:
        image = f" ({code(grant.image, 100)})" if grant.image else ""
        place = code(f"{finding.path}:{finding.line}")
        if finding.comes_with:
            place += f" from {code(finding.comes_with, 100)}"
        if finding.comes_back_to:
            place += f", no more in {code(finding.comes_back_to, 100)}"
        if finding.comes_by:
            place += f", merged with {code(finding.comes_by, 100)}"
        rows.append(
            f"| {place} | {code(grant.subject, 120)}{image} "
            f"| {prose(reached(grant.resource), 160)} | {power(grant)} | {grant.severity} |"
        )
        if sum(map(len, rows)) > _LONGEST_TABLE:
            break
    left_out = len(listed) - len(rows) + 2
    if left_out:
        rows.append(f"\n{left_out} more were left out of this table.")
    return "\n".join(rows)


def _base_branches(verdict: Verdict) -> Iterator[str]:
    branches = {finding.comes_with for finding in verdict.findings if finding.comes_with}
    for branch in sorted(branches):
        yield (
            f"What is marked with {code(branch, 100)} is not in this pull request's own diff: its "
            "base branch has it, and the default branch has not. A check belongs to a commit, and "
            "the base of a pull request can be changed at any time. It goes away once the default "
            "branch has it, or where the policy names the branch under `trusted_branches`."
        )
    former = {finding.comes_back_to for finding in verdict.findings if finding.comes_back_to}
    for branch in sorted(former):
        yield (
            f"What is marked as no more in {code(branch, 100)} was taken out of it, and this pull "
            "request has merges of its own, by which it may come back. It goes away once the "
            f"present {code(branch, 100)} is merged into this branch without it."
        )

    merged = {finding.comes_by for finding in verdict.findings if finding.comes_by}
    for branch in sorted(merged):
        yield (
            f"What is marked as merged with {code(branch, 100)} is in neither side alone: it comes "
            f"about where this change meets what {code(branch, 100)} has by now. Bring this branch "
            "up to date to see it."
        )


def _how_to_justify(verdict: Verdict) -> Iterator[str]:
    policy = verdict.policy
    who = f"someone whose role here is at least {code(policy.role)}"
    if policy.users:
        who += ", or " + ", ".join(code(user) for user in policy.users)
    if policy.teams:
        who += ", or a member of " + ", ".join(code(team) for team in policy.teams)
    if not verdict.self_justify:
        who += ", and who neither opened this pull request nor wrote one of its commits"
    reason = ""
    if policy.require_reason:
        reason = " Write why in a comment first: the policy asks for a reason."
    yield (
        "### To merge it all the same\n\n"
        f"Put on the label {code(policy.label)}. It counts from {who}.{reason}"
    )
    if verdict.refusal is not None and verdict.refusal.why in WAITING:
        yield f"### The label that was put on\n\n{_refused(verdict.refusal)}"


def _refused(refusal: Refusal) -> str:
    by = f" by {code(refusal.actor)}" if refusal.actor else ""
    return f"It was put on{by} and does not count: {prose(str(refusal.why))}."


def _unknowns(verdict: Verdict) -> str:
    rows = [
        f"- {code(unknown.path + (f':{unknown.line}' if unknown.line else ''))}: "
        f"{prose(unknown.reason, 400)}"
        for unknown in verdict.unknowns[:_MOST_ROWS]
    ]
    return "### Could not be evaluated\n\n" + "\n".join(rows)


def _ignored(verdict: Verdict) -> str:
    rows = []
    for one in verdict.ignored[:_MOST_ROWS]:
        until = f", until {one.rule.until}" if one.rule.until else ""
        rows.append(
            f"- {code(f'{one.finding.path}:{one.finding.line}')} by {code(one.rule.path)}: "
            f"{prose(one.rule.reason, 400)}{until}"
        )
    return "### Ignored by the policy\n\n" + "\n".join(rows)


def _expired(verdict: Verdict) -> str:
    rows = [
        f"- {code(f'{one.finding.path}:{one.finding.line}')} by {code(one.rule.path)}: "
        f"{prose(one.rule.reason, 400)}, ended on {one.rule.until}"
        for one in verdict.expired[:_MOST_ROWS]
    ]
    return "### Not ignored any more\n\n" + "\n".join(rows)


def _policy(verdict: Verdict) -> Iterator[str]:
    if verdict.policy_problems:
        yield (
            f"### The policy is broken\n\n{code(verdict.policy_where)} cannot be used, so the "
            f"strict defaults apply:\n\n{_problems(verdict.policy_problems)}"
        )
    if verdict.proposal is not None:
        text = "This pull request changes the policy. It does not apply to itself"
        if verdict.proposal:
            yield f"{text}, and it would be broken:\n\n{_problems(verdict.proposal)}"
        else:
            yield f"{text}; as it is, it would be valid."


def _problems(problems: tuple[Problem, ...]) -> str:
    return "\n".join(
        f"- line {one.line}{f', {code(one.key)}' if one.key else ''}: {prose(one.message)}"
        for one in problems[:_MOST_ROWS]
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
            yield Annotation(one.path, one.line or 1, level, title, one.reason)


def refusal_comment(refusal: Refusal, facts: Facts, verdict: Verdict) -> str:
    """Return the one comment that says why a label was taken off."""
    policy = verdict.policy
    by = f" ({code(refusal.actor)})" if refusal.actor else ""
    if refusal.why in WAITING:
        return (
            f"The label {code(policy.label)} does not count yet: {prose(str(refusal.why))}{by}."
            "\n\nOnce the same person writes it in a comment here, it does."
        )
    author = facts.author.login if facts.author else "the author"
    others = "" if verdict.self_justify else f", other than {code(author)} and who wrote a commit"
    return (
        f"The label {code(policy.label)} was taken off: {prose(str(refusal.why))}{by}.\n\n"
        f"It counts from someone whose role here is at least {code(policy.role)}"
        f"{others}, once the check {code('docker-socket')} has shown the findings."
    )
