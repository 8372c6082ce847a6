"""A merge group: what it adds has to be covered by labels on the pull requests it is made of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.gate.cover import is_covered
from bot.gate.facts import Facts
from bot.gate.justification import Justification, Refusal, justification
from bot.gate.policy import Policy
from bot.gate.verdict import Because, Verdict


@dataclass(frozen=True, slots=True)
class Member:
    """One pull request of a group, and what its label is worth to the group now."""

    number: int
    label: Justification | Refusal | None  # None where it carries no label, or needs none
    covers: frozenset[str] = frozenset()  # of the group's fingerprints


@dataclass(frozen=True, slots=True)
class GroupVerdict:
    """The answer for a group: `verdict` is about its commit."""

    verdict: Verdict
    members: tuple[Member, ...] = ()
    uncovered: frozenset[str] = frozenset()  # fingerprints that no member's label covers


def member(facts: Facts, policy: Policy, found: frozenset[str]) -> Member:
    """Judge what a member's label is worth now for the findings of its group.

    Each finding is looked for by itself: the others may be another member's. What one whole set
    stands for is looked for as that set.
    """
    number = facts.pull.number
    whole = justification(facts, policy, found)
    if whole is None or isinstance(whole, Justification):
        return Member(number, whole, found if whole is not None else frozenset())
    label: Justification | Refusal = whole
    covers: set[str] = set()
    for fingerprint in found:
        one = justification(facts, policy, frozenset({fingerprint}))
        if isinstance(one, Justification):
            label = one
            covers.add(fingerprint)
    rest = found - covers
    if isinstance(label, Justification) and is_covered(rest, label.covers):
        covers |= rest
    return Member(number, label, frozenset(covers))


def group_verdict(verdict: Verdict, members: Sequence[Member]) -> GroupVerdict:
    """Return the answer for a group, from the verdict on its commit without any label."""
    if verdict.because is not Because.UNJUSTIFIED:
        return GroupVerdict(verdict, tuple(members))
    uncovered = verdict.fingerprints.difference(*(one.covers for one in members))
    if uncovered:
        return GroupVerdict(verdict, tuple(members), uncovered)
    label = next(
        one.label for one in members if one.covers and isinstance(one.label, Justification)
    )
    answer = replace(verdict, because=Because.JUSTIFIED, justification=label)
    return GroupVerdict(answer, tuple(members))
