"""The labels of several pull requests -> the verdict on the group they make, and its page."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detect.grant import Grant, How, Severity, Unknown
from bot.gate.cover import set_digest
from bot.gate.facts import Account, CheckRun, Facts, LabelEvent, PolicyText, Role
from bot.gate.group import GroupVerdict, Member, group_verdict, member
from bot.gate.justification import Justification, Refusal, Why
from bot.gate.policy import STRICT, Policy
from bot.gate.verdict import Because, verdict
from bot.publish.check import MOST_CHARACTERS
from bot.publish.group import group_check
from bot.publish.record import read_record
from bot.pull import PullRef
from bot.review.model import Finding, InSummary, Review

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = "h" * 40
DAY = date(2026, 11, 23)
GRANTS = tuple(
    Grant(f"{n}.yaml", 1, "x", f"service s{n}", None, "docker", How.MOUNT) for n in range(12)
)
FOUND = frozenset(one.fingerprint for one in GRANTS)


def facts(number: int, shown: frozenset[str], **changes: object) -> Facts:
    """A pull request that showed these at noon; mia put the label on five minutes later."""
    event = LabelEvent(
        STRICT.label, added=True, actor=Account("mia"), at=NOON + timedelta(minutes=5), id=7
    )
    known = Facts(
        PullRef(1, "acme", "shop", number),
        HEAD,
        "b" * 40,
        is_open=True,
        author=Account("dev"),
        labels=(STRICT.label,),
        events=(event,),
        roles=(("mia", Role.MAINTAIN),),
        checks=(CheckRun(HEAD, NOON, frozenset({number}), shown),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def of_group(*grants: Grant, policy: str = "", **more: object) -> GroupVerdict:
    known = facts(0, frozenset(), labels=(), policy=PolicyText(policy, "here") if policy else None)
    found = Review(findings=tuple(Finding(one, InSummary()) for one in grants), **more)  # type: ignore[arg-type]
    return group_verdict(verdict(found, known, DAY), [Member(3, None)])


@given(st.lists(st.frozensets(st.sampled_from(sorted(FOUND))), max_size=4), st.data())
def test_a_group_is_green_exactly_where_every_finding_is_some_members(
    shown: list[frozenset[str]], data: st.DataObject
) -> None:
    bare = of_group(*GRANTS).verdict
    void = data.draw(st.sets(st.integers(0, 3)))
    members = [
        member(
            facts(n + 1, one, roles=(("mia", Role.WRITE if n in void else Role.ADMIN),)),
            STRICT,
            bare.fingerprints,
        )
        for n, one in enumerate(shown)
    ]
    covered = frozenset().union(*(one for n, one in enumerate(shown) if n not in void))
    answer = group_verdict(bare, members)
    assert answer.uncovered == FOUND - covered
    assert (answer.verdict.conclusion == "success") is (covered == FOUND)
    assert (answer.verdict.because is Because.JUSTIFIED) is (covered == FOUND)


def test_a_member_covers_a_set_that_its_record_has_no_room_for() -> None:
    listed = frozenset(sorted(FOUND)[:4])
    whole = listed | {set_digest(FOUND - listed)}
    assert member(facts(1, whole), STRICT, FOUND).covers == FOUND
    beside = FOUND | {"e" * 32}
    assert member(facts(1, whole), STRICT, beside).covers == listed


def test_a_member_without_a_label_or_with_a_void_one_covers_nothing() -> None:
    assert member(facts(1, FOUND, labels=()), STRICT, FOUND) == Member(1, None)
    void = member(facts(1, FOUND, author=Account("mia")), STRICT, FOUND)
    assert isinstance(void.label, Refusal)
    assert (void.label.why, void.covers) == (Why.AUTHOR, frozenset())
    pushed = facts(1, FOUND, head="n" * 40)
    assert member(pushed, Policy(carry="none"), FOUND).covers == frozenset()
    assert member(pushed, STRICT, FOUND).covers == FOUND


@pytest.mark.parametrize(
    ("answer", "conclusion", "says"),
    [
        (of_group(), "success", "gives nobody access"),
        (of_group(GRANTS[0]), "failure", "covers all of that now"),
        (
            of_group(replace(GRANTS[0], severity=Severity.HIGH), policy="hold: [critical]"),
            "success",
            "not held by the policy",
        ),
        (of_group(unknowns=(Unknown("a", 1, "Odd."),)), "failure", "could not be evaluated"),
    ],
)
def test_the_page_says_what_the_group_does(
    answer: GroupVerdict, conclusion: str, says: str
) -> None:
    page = group_check(answer, HEAD)
    assert page.conclusion == conclusion
    assert says in page.summary
    assert "#3" in page.summary
    assert "To merge it all the same" not in page.summary
    assert read_record(page.summary).pulls == frozenset({0})  # it is nobody's pull request


def test_a_page_of_hostile_names_and_very_many_findings_stays_a_page() -> None:
    names = (
        replace(GRANTS[0], path=f"@everyone/{n}|`<!-- x -->`.yaml", subject=f"service {n}" * 9)
        for n in range(2_000)
    )
    page = group_check(of_group(*names), HEAD)
    assert len(page.summary.encode()) <= MOST_CHARACTERS
    assert "2000 grants" in page.title
    assert " @everyone" not in page.summary


def test_the_page_names_who_justified_what() -> None:
    bare = of_group(*GRANTS).verdict
    ann = Justification(
        "ann", Role.ADMIN, NOON, "Reads *labels* only.", FOUND - {GRANTS[0].fingerprint}
    )
    mia = Justification("mia", Role.MAINTAIN, NOON, "", frozenset({GRANTS[0].fingerprint}))
    members = [Member(4, ann, ann.covers), Member(5, mia, mia.covers)]
    page = group_check(group_verdict(bare, members), HEAD)
    assert page.conclusion == "success"
    assert "covers 11 grants" in page.summary
    assert "`mia` (role maintain)" in page.summary
    assert "covers 1 grant" in page.summary
