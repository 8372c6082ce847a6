"""Desired minus observed -> the writes that are still missing. Run twice, the second is empty."""

from bot.gate.facts import Comment, Facts, was_replaced
from bot.gate.justification import Why, same_label
from bot.gate.verdict import Verdict
from bot.publish.check import check
from bot.publish.comment import finding_comment, inline, is_resolved, resolved_comment
from bot.publish.refusal import WAITING, refusal_comment, refusal_key, taken_off
from bot.publish.writes import (
    EditComment,
    Inline,
    PostComment,
    PostReview,
    PutCheck,
    RemoveLabel,
    Write,
    marked,
)

MOST_INLINE = 30  # open comments at a time; the check lists all


def plan(verdict: Verdict, facts: Facts, worst: Verdict | None = None) -> tuple[Write, ...]:
    """Return the writes that are missing, in the order of sending: the check first.

    `worst` is the gravest verdict among pull requests with the same head commit, where there are
    others: a check belongs to a commit.
    """
    pulls = frozenset({facts.pull.number, *facts.same_head})
    # What is said of one pull request's labels has no place on a page for several.
    off = taken_off(verdict, facts) if len(pulls) == 1 else ()
    wanted = check(worst or verdict, facts.head, pulls, taken_off=off)
    return (*missing(wanted, facts), *_comments(verdict, facts), *_label(verdict, facts))


def missing(wanted: PutCheck, facts: Facts) -> tuple[PutCheck, ...]:
    """Return a check where it does not stand already as our newest on the head.

    After a forced push back to an earlier head it is shown anew: a label counts for what was shown
    since then.
    """
    standing = facts.own_check()
    if standing is None or standing.digest != wanted.key or facts.check_asked:
        return (wanted,)
    return (wanted,) if was_replaced(standing, facts) else ()


def _comments(verdict: Verdict, facts: Facts) -> tuple[Write, ...]:
    standing = [(one, marked(one.body, "finding")) for one in facts.comments if one.thread]
    open_ones = [(one, keys) for one, keys in standing if keys and not is_resolved(one.body)]
    new: list[Inline] = []
    edits: list[Write] = []
    wanted: frozenset[str] = frozenset()
    left = open_ones  # each speaks of one place, also where several hold the same grant
    for finding in verdict.findings:
        wanted |= finding.fingerprints
        told = next((c for c, keys in left if keys == finding.fingerprints), None)
        if told is not None:
            left = [one for one in left if one[0] is not told]
            edits += _edited(told, finding_comment(finding, verdict, told.body))
        elif not any(finding.fingerprints <= keys for _, keys in left):
            new += inline(finding, verdict)
    gone = _gone(open_ones, wanted, frozenset(one.path for one in verdict.unknowns))
    room = max(MOST_INLINE - len(open_ones) + len(gone), 0)
    review = (PostReview(facts.head, tuple(new[:room])),) if new[:room] else ()
    return (*review, *edits, *gone)


def _edited(comment: Comment, body: str) -> tuple[EditComment, ...]:
    same = comment.body.replace("\r\n", "\n").strip() == body.strip()
    return () if same else (EditComment(comment.id, body),)


def _gone(
    standing: list[tuple[Comment, frozenset[str]]], wanted: frozenset[str], unread: frozenset[str]
) -> tuple[Write, ...]:
    """Mark comments as resolved whose findings are all gone; nothing is ever deleted.

    Where the file could not be read, or the whole change ("."), nobody knows that they are.

    The mark is text: resolving the thread itself takes the permission to write contents
    (GitHub community discussion 44650), which an App like this one should not have.
    """
    return tuple(
        EditComment(comment.id, resolved_comment(comment.body))
        for comment, keys in standing
        if not keys & wanted and not unread & {comment.path, "."}
    )


def _label(verdict: Verdict, facts: Facts) -> tuple[Write, ...]:
    refusal = verdict.refusal
    if refusal is None or refusal.why is Why.NOT_YET:
        return ()
    key = refusal_key(refusal)
    told = any(key in marked(comment.body, "refusal") for comment in facts.comments)
    comment = () if told else (PostComment(refusal_comment(refusal, verdict), key),)
    if refusal.why in WAITING:
        return comment
    names = [name for name in facts.labels if same_label(name, verdict.policy.label)]
    return (*comment, *(RemoveLabel(name, refusal.event) for name in names))
