"""The verdict on a merge group -> the check on the group's own commit."""

from dataclasses import replace

from bot.gate.cover import numbered
from bot.gate.group import GroupVerdict, Member
from bot.gate.justification import Justification
from bot.gate.verdict import Because
from bot.publish.check import check
from bot.publish.escape import code, prose
from bot.publish.writes import PutCheck


def group_check(answer: GroupVerdict, head: str) -> PutCheck:
    """Return the check run of a merge group's commit."""
    verdict = replace(answer.verdict, pull=0)  # it speaks of no single pull request
    put = check(verdict, head, opening=_opening(answer))
    if verdict.because is Because.UNJUSTIFIED:
        number = len(answer.uncovered)
        noun = "grant" if number == 1 else "grants"
        return replace(
            put, title=f"{number} {noun} of a container daemon, covered by no label in this group"
        )
    return put


def _opening(answer: GroupVerdict) -> str:
    verdict = answer.verdict
    named = ", ".join(f"#{one.number}" for one in answer.members)
    what = f"This is a merge group: {named or 'what the queue would merge next'}."
    match verdict.because:
        case Because.UNKNOWN:
            return f"{what} What stands below could not be evaluated, so this check stays red."
        case Because.UNJUSTIFIED:
            return (
                f"{what} It hands over a container daemon, and no label on a pull request in it "
                f"covers all of that now.\n\n{_labels(answer)}\n\n{_advice(answer)}"
            )
        case Because.JUSTIFIED:
            return (
                f"{what} It hands over a container daemon, and all of that is covered by labels "
                f"on its pull requests.\n\n{_labels(answer)}"
            )
        case Because.NOT_HELD:
            return f"{what} What it adds is not held by the policy; it is listed below."
        case Because.NOTHING:
            return f"{what} It gives nobody access to a container daemon who did not have it."


def _labels(answer: GroupVerdict) -> str:
    return "\n".join(f"- #{one.number}: {_label(one)}" for one in answer.members)


def _label(one: Member) -> str:
    if one.label is None:
        return "no label"
    if isinstance(one.label, Justification):
        when = one.label.at.strftime("%Y-%m-%d %H:%M UTC")
        number = len(one.covers)
        grants = "1 grant" if number == 1 else f"{number} grants"
        reason = f": {prose(one.label.reason, 400)}" if one.label.reason else ""
        by = f"{code(one.label.actor)} (role {one.label.role.name.lower()})"
        return f"justified by {by} on {when}, which covers {grants}{reason}"
    by = f" by {code(one.label.actor)}" if one.label.actor else ""
    return f"a label{by} that does not count here: {prose(str(one.label.why))}"


def _advice(answer: GroupVerdict) -> str:
    label, grants = code(answer.verdict.policy.label), answer.verdict.grants
    own = "\n".join(
        f"- {code(grant.subject, 120)} in {code(f'{grant.path}:{grant.line}')}"
        for grant, key in zip(grants, numbered(one.fingerprint for one in grants), strict=True)
        if key in answer.uncovered
    )
    shown = own if len(own) < 10_000 else own[:10_000].rpartition("\n")[0] + "\n- …"
    return (
        f"Covered by none:\n\n{shown}\n\nTake the pull request that adds it out of the queue, have "
        f"it justified with {label} on its own page, and queue it again. What only comes about "
        "by merging several of them together has to be justified on one that contains it all."
    )
