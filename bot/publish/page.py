"""Verdict -> what a check's page says: a title with the number, and all that it takes to decide."""

from collections.abc import Iterator, Sequence

from bot.detect.grant import Grant
from bot.gate.justification import Justification, Why
from bot.gate.policy import Policy, Problem
from bot.gate.verdict import Because, Verdict
from bot.publish.escape import cell, code, prose
from bot.publish.judges import who_may
from bot.publish.refusal import WAITING, refused
from bot.publish.words import kind, power, reached
from bot.review.model import Finding

_MOST_ROWS = 100
_MOST_STEPS = 4
_LONGEST_TABLE = 20_000  # characters; what stands below it has to fit too


def title(verdict: Verdict) -> str:
    """Return the line that stands beside the check's name."""
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


def parts(verdict: Verdict, opening: str = "", taken_off: Sequence[Why] = ()) -> Iterator[str]:
    """Yield the paragraphs and sections of the page, in their order.

    `opening` stands in the place of what is said of a single pull request. `taken_off` says why
    labels did not count.
    """
    yield opening or _opening(verdict)
    if verdict.because is Because.UNJUSTIFIED and not opening:
        yield from _how_to_justify(verdict, taken_off)
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
            return _justified(verdict.justification, verdict.policy)
        case Because.NOT_HELD:
            return "What this change adds is not held by the policy; it is listed below."
        case Because.NOTHING:
            return "This change gives nobody access to a container daemon who did not have it."


def _justified(by: Justification | None, policy: Policy) -> str:
    if by is None:
        return ""
    when = by.at.strftime("%Y-%m-%d %H:%M UTC")
    reason = f"\n\n> {prose(by.reason, 2000)}" if by.reason else "\n\nNo reason was written down."
    until = "the next push" if policy.carry == "none" else "a push adds another grant"
    return (
        f"Justified by {code(by.actor)} (role {by.role.name.lower()}) on {when}. "
        f"This holds until {until}.{reason}"
    )


def _table(findings: tuple[Finding, ...]) -> str:
    rows = ["| Where | Who gets it | What it reaches | Way | Severity |", "|---|---|---|---|---|"]
    listed = [(finding, grant) for finding in findings for grant in finding.grants]
    for finding, grant in listed[:_MOST_ROWS]:
        rows.append(_row(finding, grant))
        if sum(map(len, rows)) > _LONGEST_TABLE:
            break
    left_out = len(listed) - len(rows) + 2
    if left_out:
        rows.append(f"\n{left_out} more were left out of this table.")
    return "\n".join(rows)


def _row(finding: Finding, grant: Grant) -> str:
    place = cell(f"{finding.path}:{finding.line}")
    if finding.comes_with:
        place += f" from {cell(finding.comes_with, 100)}"
    if finding.comes_back_to:
        place += f", no more in {cell(finding.comes_back_to, 100)}"
    if finding.comes_by:
        place += f", merged with {cell(finding.comes_by, 100)}"
    whom = cell(grant.subject, 120) + (f" ({cell(grant.image, 100)})" if grant.image else "")
    what = f"{prose(reached(grant.resource), 160)}: {power(grant)}"
    return f"| {place} | {whom} | {what} | {_way(grant)} | {grant.severity} |"


def _way(grant: Grant) -> str:
    """Return the kind of text that hands the daemon over, and over which lines where several do."""
    steps = grant.steps if len(grant.steps) > 1 else ()
    places = " → ".join(cell(f"{step.path}:{step.line}", 100) for step in steps[:_MOST_STEPS])
    more = " → …" if len(steps) > _MOST_STEPS else ""
    return kind(grant.how) + (f": {places}{more}" if places else "")


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


def _how_to_justify(verdict: Verdict, taken_off: Sequence[Why]) -> Iterator[str]:
    policy = verdict.policy
    reason = ""
    if policy.require_reason:
        reason = " Write why in a comment first: the policy asks for a reason."
    yield (
        "### To merge it all the same\n\n"
        f"Put on the label {code(policy.label)}. It counts from {who_may(verdict)}.{reason}"
    )
    if verdict.refusal is not None and verdict.refusal.why in WAITING:
        yield f"### The label that was put on\n\n{refused(verdict.refusal)}"
    if taken_off:
        why = "\n".join(f"- {prose(str(one))}" for one in taken_off)
        yield f"### Labels that were taken off again\n\nThey did not count:\n\n{why}"


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
