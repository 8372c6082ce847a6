"""A label that does not count -> what is said of it, on the check's page and in a comment."""

from bot.gate.facts import Facts
from bot.gate.justification import Refusal, Why
from bot.gate.policy import CHECK
from bot.gate.verdict import Verdict
from bot.publish.escape import code, prose
from bot.publish.judges import who_may
from bot.publish.writes import marked, marker

_MARKER = "refusal"
# What is missing may still come, so the label stays until it does; any other label that does not
# count is taken off with a comment that says why.
WAITING = frozenset({Why.NO_REASON, Why.NOT_YET})


def refused(refusal: Refusal) -> str:
    """Return the sentence on a label that is on and does not count yet."""
    by = f" by {code(refusal.actor)}" if refusal.actor else ""
    return f"It was put on{by} and does not count: {prose(str(refusal.why))}."


def refusal_key(refusal: Refusal) -> str:
    """Return what a comment is recognised by: one act of labelling, one reason, one answer."""
    return f"{refusal.event}-{refusal.why.name}"


def taken_off(verdict: Verdict, facts: Facts) -> tuple[Why, ...]:
    """Return why labels were taken off, the earliest first: as our comments tell, and this one.

    So the page says the same before and after the comment is written and the label is off.
    """
    keys = {key for comment in facts.comments for key in marked(comment.body, _MARKER)}
    if verdict.refusal is not None:
        keys.add(refusal_key(verdict.refusal))
    told = (key.partition("-") for key in keys)
    found = sorted((int(event), Why[name]) for event, _, name in told if _is_known(event, name))
    return tuple(dict.fromkeys(why for _, why in found if why not in WAITING))


def _is_known(event: str, name: str) -> bool:
    return len(event) < 20 and event.isascii() and event.isdigit() and name in Why.__members__


def refusal_comment(refusal: Refusal, verdict: Verdict) -> str:
    """Return the one comment that says why a label was taken off, or what it still lacks."""
    said = _said(refusal, verdict)
    return f"{said}\n\n{marker(_MARKER, refusal_key(refusal))}"


def _said(refusal: Refusal, verdict: Verdict) -> str:
    policy = verdict.policy
    by = f" ({code(refusal.actor)})" if refusal.actor else ""
    if refusal.why in WAITING:
        return (
            f"The label {code(policy.label)} does not count yet: {prose(str(refusal.why))}{by}."
            "\n\nOnce the same person writes it in a comment here, it does."
        )
    return (
        f"The label {code(policy.label)} was taken off: {prose(str(refusal.why))}{by}.\n\n"
        f"It counts from {who_may(verdict)}, once the check {code(CHECK)} has shown the findings."
    )
