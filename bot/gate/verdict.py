"""Review + Policy + Facts -> Verdict: success or failure, and the reasons as values."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bot.detect.grant import Grant, Unknown
from bot.gate.cover import numbered
from bot.gate.facts import Facts
from bot.gate.justification import Justification, Refusal, justification, self_justify
from bot.gate.policy import STRICT, Ignore, Policy, Problem, read_policy
from bot.review.model import Finding, Review


class Because(StrEnum):
    """Why the check is as it is, the gravest first."""

    UNKNOWN = "unknown"  # something could not be evaluated
    UNJUSTIFIED = "unjustified"  # findings that no justification covers
    JUSTIFIED = "justified"
    NOT_HELD = "not-held"  # findings below what the policy holds
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that the policy sets aside, and by which rule."""

    finding: Finding
    rule: Ignore


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer. `conclusion` is never neutral: GitHub takes that for a pass."""

    because: Because
    pull: int = 0  # the number of the pull request
    findings: tuple[Finding, ...] = ()  # held by the policy
    not_held: tuple[Finding, ...] = ()
    ignored: tuple[Ignored, ...] = ()
    expired: tuple[Ignored, ...] = ()  # found again, by rules that have ended
    unknowns: tuple[Unknown, ...] = ()
    justification: Justification | None = None
    refusal: Refusal | None = None
    self_justify: bool = False  # whether the author may put the label on
    policy: Policy = STRICT
    policy_where: str = ""  # "" for the built-in defaults
    policy_problems: tuple[Problem, ...] = ()
    proposal: tuple[Problem, ...] | None = None  # problems of a policy that the pull request brings

    @property
    def conclusion(self) -> str:
        """`success` or `failure`."""
        red = self.because in {Because.UNKNOWN, Because.UNJUSTIFIED}
        return "failure" if red else "success"

    @property
    def grants(self) -> tuple[Grant, ...]:
        """The grants that are held."""
        return tuple(grant for finding in self.findings for grant in finding.grants)

    @property
    def fingerprints(self) -> frozenset[str]:
        """What a justification has to cover, see `gate.cover`."""
        return frozenset(numbered(grant.fingerprint for grant in self.grants))


def gravest(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the worst of the verdicts on one commit; of equals, the oldest pull request's."""
    order = list(Because)
    return min(verdicts, key=lambda one: (order.index(one.because), one.pull))


def policy_of(facts: Facts) -> tuple[Policy, tuple[Problem, ...]]:
    """Return the policy that applies, strict where it is absent or broken, and its problems."""
    if facts.policy is None:
        return STRICT, ()
    found = read_policy(facts.policy.text)
    return (found, ()) if isinstance(found, Policy) else (STRICT, found)


def is_trusted(facts: Facts, policy: Policy) -> bool:
    """Tell whether what the base branch has was judged when it got there.

    So it is with the default branch and those that the policy names. Any other branch may have been
    pushed by whoever asks for the merge, and a pull request can be pointed elsewhere at any time.
    """
    return facts.base_branch in {"", facts.default_branch} or any(
        _pattern(name).fullmatch(facts.base_branch) for name in policy.trusted_branches
    )


def is_ignored(policy: Policy, today: date) -> Callable[[Grant], bool]:
    """Return what tells whether the policy ignores a grant in the file where it is."""
    rules = [_pattern(rule.path) for rule in policy.ignore if not _has_ended(rule, today)]
    return lambda grant: any(rule.fullmatch(grant.path) for rule in rules)


def verdict(review: Review, facts: Facts, today: date) -> Verdict:
    """Return what the check says about one head commit.

    `today` ends the ignore rules that have an end date.
    """
    policy, problems = policy_of(facts)
    ignored = tuple(
        Ignored(finding, rule)
        for finding in review.findings
        if (rule := _rule(finding, policy, today)) is not None
    )
    expired = tuple(
        Ignored(finding, rule)
        for finding in review.findings
        for rule in policy.ignore
        if _has_ended(rule, today) and _takes_in(rule, finding)
    )
    set_aside = {id(one.finding) for one in ignored}
    left = [finding for finding in review.findings if id(finding) not in set_aside]
    held = tuple(finding for finding in left if _held(finding, policy))
    answer = Verdict(
        because=Because.NOTHING,
        pull=facts.pull.number,
        findings=held,
        not_held=tuple(finding for finding in left if not _held(finding, policy)),
        ignored=ignored,
        expired=tuple(one for one in expired if id(one.finding) not in set_aside),
        unknowns=review.unknowns,
        self_justify=self_justify(facts, policy, facts.author.login if facts.author else ""),
        policy=policy,
        policy_where=facts.policy.where if facts.policy is not None else "",
        policy_problems=problems,
        proposal=_proposal(facts),
    )
    label = justification(facts, policy, answer.fingerprints) if held else None
    if isinstance(label, Justification):
        answer = replace(answer, justification=label)
    elif label is not None:
        answer = replace(answer, refusal=label)
    return replace(answer, because=_because(answer))


def _because(answer: Verdict) -> Because:
    if answer.unknowns:
        return Because.UNKNOWN
    if answer.findings:
        return Because.JUSTIFIED if answer.justification else Because.UNJUSTIFIED
    return Because.NOT_HELD if answer.not_held or answer.ignored else Because.NOTHING


def _held(finding: Finding, policy: Policy) -> bool:
    return any(str(grant.severity) in policy.hold for grant in finding.grants)


def _rule(finding: Finding, policy: Policy, today: date) -> Ignore | None:
    """Return the first rule that holds today and takes in a finding."""
    for rule in policy.ignore:
        if not _has_ended(rule, today) and _takes_in(rule, finding):
            return rule
    return None


def _has_ended(rule: Ignore, today: date) -> bool:
    return rule.until is not None and rule.until < today


def _takes_in(rule: Ignore, finding: Finding) -> bool:
    """Tell whether a rule has every file of a finding: the place shown and the subject's."""
    paths = {finding.path, *(grant.path for grant in finding.grants)}
    return all(_pattern(rule.path).fullmatch(path) for path in paths)


def _pattern(glob: str) -> re.Pattern[str]:
    """Return a path pattern as a regular expression: `*` within a folder, `**` across folders."""
    parts = re.split(
        r"(\*\*/|\*\*|\*|\?)", glob.rstrip("/") + ("/**" if glob.endswith("/") else "")
    )
    meaning = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts))


def _proposal(facts: Facts) -> tuple[Problem, ...] | None:
    if facts.changes_policy is None:
        return None
    found = read_policy(facts.changes_policy)
    return () if isinstance(found, Policy) else found
