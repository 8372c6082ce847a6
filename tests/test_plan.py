"""Desired minus observed: what is planned once is not planned again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import assert_never

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect.grant import Grant, How, Unknown
from bot.gate.facts import Account, CheckRun, Comment, Facts, LabelEvent, PolicyText, Role
from bot.gate.policy import STRICT
from bot.gate.verdict import Verdict, verdict
from bot.publish.plan import MOST_INLINE, plan
from bot.publish.record import read_record
from bot.publish.writes import (
    EditComment,
    PostComment,
    PostReview,
    PutCheck,
    RemoveLabel,
    Write,
    marker,
)
from bot.pull import PullRef
from bot.review.model import Anchor, Finding, InSummary, OnFile, OnLine, Review

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = "h" * 40


def facts(**changes: object) -> Facts:
    known = Facts(
        PullRef(1, "acme", "shop", 1), HEAD, "b" * 40, is_open=True, author=Account("dev")
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def finding(number: int, anchor: Anchor | None = None, also: int = 0) -> Finding:
    place = anchor or OnLine("compose.yaml", number)
    first, *rest = (
        Grant("compose.yaml", number, "x", f"service s{number}.{n}", None, "docker", How.MOUNT)
        for n in range(also + 1)
    )
    return Finding(first, place, tuple(rest))


def judged(known: Facts, *findings: Finding, **more: object) -> Verdict:
    review = replace(Review(findings=findings), **more)  # type: ignore[arg-type]
    return verdict(review, known, NOON.date())


def applied(known: Facts, writes: tuple[Write, ...], minute: int = 0) -> Facts:
    """Return the facts as GitHub would tell them after the writes."""
    ids = count(max((one.id for one in known.comments), default=0) + 1)
    at = NOON + timedelta(minutes=minute)
    for write in writes:
        match write:
            case PutCheck():
                record = read_record(write.summary)
                run = CheckRun(
                    write.head, at, record.pulls, record.shown, record.label, record.covers,
                    write.key, len(known.checks) + 1,
                )  # fmt: skip
                known = replace(known, checks=(*known.checks, run), check_asked=False)
            case PostReview():
                made = tuple(
                    Comment(next(ids), one.body.replace("\n", "\r\n"), "T", one.path, one.line)
                    for one in write.comments
                )
                known = replace(known, comments=(*known.comments, *made))
            case EditComment():
                edited = (
                    replace(one, body=write.body) if one.id == write.comment else one
                    for one in known.comments
                )
                known = replace(known, comments=tuple(edited))
            case PostComment():
                below = Comment(next(ids), write.body)
                known = replace(known, comments=(*known.comments, below))
            case RemoveLabel():
                left = tuple(name for name in known.labels if name != write.name)
                known = replace(known, labels=left)
            case _:
                assert_never(write)
    return known


def kinds(writes: tuple[Write, ...]) -> list[str]:
    return [type(one).__name__ for one in writes]


ANCHORS = st.one_of(
    st.builds(OnLine, st.just("compose.yaml"), st.integers(1, 99)),
    st.just(OnFile("compose.yaml")),
    st.just(InSummary()),
)
FINDINGS = st.lists(
    st.builds(finding, st.integers(1, 40), ANCHORS, st.integers(0, 2)),
    max_size=40,
    unique_by=lambda one: one.fingerprint,
)
EVENTS = st.lists(
    st.builds(
        LabelEvent,
        st.just(STRICT.label),
        st.just(True),  # noqa: FBT003 - the label is on
        st.sampled_from([Account("mia"), Account("dev"), Account("b", is_person=False), None]),
        st.just(NOON + timedelta(minutes=1)),
        st.integers(1, 9),
    ),
    max_size=1,
)
POLICIES = st.sampled_from(
    [None, "require_reason: true", "carry: none", "x: 1", "hold: [critical]"]
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(FINDINGS, min_size=1, max_size=4), events=EVENTS, text=POLICIES)
def test_what_was_planned_and_done_is_not_planned_again(
    steps: list[list[Finding]], events: list[LabelEvent], text: str | None
) -> None:
    known = facts(
        labels=(STRICT.label,) if events else (),
        events=tuple(events),
        roles=(("mia", Role.ADMIN), ("dev", Role.ADMIN)),
        policy=None if text is None else PolicyText(text, ".github/sockgate.yml"),
    )
    for minute, found in enumerate(steps):
        known = replace(known, head=f"{minute:040}")
        answer = judged(known, *found)
        writes = plan(answer, known)
        assert sum(len(w.comments) for w in writes if isinstance(w, PostReview)) <= MOST_INLINE
        assert kinds(writes)[0] == "PutCheck"
        known = applied(known, writes, minute)
        again = judged(known, *found)
        assert plan(again, known) == ()
        assert again.conclusion == answer.conclusion


def test_a_comment_stays_while_its_finding_does_and_is_marked_when_it_goes() -> None:
    known = applied(facts(), plan(judged(facts(), finding(1), finding(2)), facts()))
    moved = replace(known, head="n" * 40)
    assert kinds(plan(judged(moved, finding(1), finding(2)), moved)) == ["PutCheck"]
    writes = plan(judged(moved, finding(1)), moved)
    assert kinds(writes) == ["PutCheck", "EditComment"]
    gone = applied(moved, writes)
    back = plan(judged(gone, finding(1), finding(2)), gone)
    assert kinds(back) == ["PutCheck", "PostReview"]


@pytest.mark.parametrize(
    ("unread", "kept"), [(".", True), ("compose.yaml", True), ("Makefile", False)]
)
def test_a_comment_stays_as_it_is_where_its_file_could_not_be_read(
    unread: str, *, kept: bool
) -> None:
    known = applied(facts(), plan(judged(facts(), finding(1)), facts()))
    blind = judged(known, unknowns=(Unknown(unread, None, "GitHub does not answer"),))
    writes = plan(blind, known)
    assert kinds(writes) == (["PutCheck"] if kept else ["PutCheck", "EditComment"])
    seeing = applied(known, writes)
    back = plan(judged(seeing, finding(1)), seeing)
    assert kinds(back) == (["PutCheck"] if kept else ["PutCheck", "PostReview"])


def test_a_comment_on_several_grants_stays_while_one_of_them_does() -> None:
    known = applied(facts(), plan(judged(facts(), finding(1, also=1)), facts()))
    assert kinds(plan(judged(known, finding(1)), known)) == ["PutCheck"]


def test_a_comment_that_the_policy_changes_is_edited() -> None:
    known = applied(facts(), plan(judged(facts(), finding(1)), facts()))
    other = replace(known, policy=PolicyText("label: other", "x"))
    assert kinds(plan(judged(other, finding(1)), other)) == ["PutCheck", "EditComment"]


def test_only_our_own_comments_on_the_diff_are_looked_at() -> None:
    answer = judged(facts(), finding(1))
    [_, review] = plan(answer, facts())
    assert isinstance(review, PostReview)
    below = facts(comments=(Comment(1, review.comments[0].body, thread=None),))
    assert kinds(plan(answer, below)) == ["PutCheck", "PostReview"]


def test_room_that_resolved_comments_leave_is_used() -> None:
    many = tuple(finding(n) for n in range(1, MOST_INLINE + 6))
    known = applied(facts(), plan(judged(facts(), *many), facts()))
    assert len(known.comments) == MOST_INLINE
    later = judged(known, *many[5:])
    writes = plan(later, known)
    assert kinds(writes) == ["PutCheck", "PostReview", *["EditComment"] * 5]
    assert plan(judged(applied(known, writes), *many[5:]), applied(known, writes)) == ()


def test_a_finding_with_no_place_in_the_diff_is_in_the_check_only() -> None:
    assert kinds(plan(judged(facts(), finding(1, InSummary())), facts())) == ["PutCheck"]


def test_pressing_rerun_asks_for_the_check_again() -> None:
    known = applied(facts(), plan(judged(facts()), facts()))
    assert plan(judged(known), known) == ()
    asked = replace(known, check_asked=True)
    assert kinds(plan(judged(asked), asked)) == ["PutCheck"]


def test_a_refused_label_is_answered_once_and_taken_off() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("dev"), at=NOON, id=7)
    known = facts(labels=("bug", STRICT.label), events=(event,))
    writes = plan(judged(known, finding(1)), known)
    assert kinds(writes) == ["PutCheck", "PostReview", "PostComment", "RemoveLabel"]
    assert writes[-1] == RemoveLabel(STRICT.label, 7)
    # Taking it off failed: it is tried again, and nothing is said a second time.
    known = replace(applied(known, writes), labels=known.labels)
    assert kinds(plan(judged(known, finding(1)), known)) == ["RemoveLabel"]
    anew = replace(known, events=(replace(event, id=8),))
    assert kinds(plan(judged(anew, finding(1)), anew)) == ["PostComment", "RemoveLabel"]


def test_the_page_says_why_labels_did_not_count_once_they_are_off() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("dev"), at=NOON, id=7)
    known = facts(labels=(STRICT.label,), events=(event,))
    [first, *_] = writes = plan(judged(known, finding(1)), known)
    after = applied(known, writes)
    assert plan(judged(after, finding(1)), after) == ()
    pushed = replace(after, head="n" * 40)
    [second, *_] = plan(judged(pushed, finding(1)), pushed)
    for page in (first, second):
        assert isinstance(page, PutCheck)
        assert "taken off again" in page.summary
        assert "the role of whoever put the label on is not enough" in page.summary


@pytest.mark.parametrize("word", ["x-AUTHOR", "7-NOBODY-", "9" * 5_000 + "-AUTHOR", "7", "-"])
def test_a_comment_of_ours_that_somebody_edited_breaks_no_page(word: str) -> None:
    known = facts(comments=(Comment(1, f"x\n{marker('refusal', word)}"),))
    [page, *_] = plan(judged(known, finding(1)), known)
    assert isinstance(page, PutCheck)
    assert "taken off again" not in page.summary


def test_a_label_that_does_not_count_goes_also_where_a_file_cannot_be_read() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("dev"), at=NOON, id=7)
    known = facts(labels=(STRICT.label,), events=(event,))
    answer = judged(known, finding(1), unknowns=(Unknown("a.yml", 1, "why"),))
    assert kinds(plan(answer, known))[-1] == "RemoveLabel"


def test_a_label_that_waits_for_its_reason_stays_on() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("mia"), at=NOON, id=7)
    known = facts(policy=PolicyText("require_reason: true", "x"))
    known = applied(known, plan(judged(known, finding(1)), known), minute=-5)
    known = replace(known, labels=(STRICT.label,), events=(event,), roles=(("mia", Role.ADMIN),))
    assert kinds(plan(judged(known, finding(1)), known)) == ["PutCheck", "PostComment"]


def test_a_label_that_github_does_not_list_yet_is_not_touched() -> None:
    known = facts(labels=(STRICT.label,), updated_at=NOON, read_at=NOON)
    assert kinds(plan(judged(known, finding(1)), known)) == ["PutCheck", "PostReview"]


def test_a_label_before_any_finding_is_left_alone() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("dev"), at=NOON, id=7)
    known = facts(labels=(STRICT.label,), events=(event,))
    assert kinds(plan(judged(known), known)) == ["PutCheck"]


@pytest.mark.parametrize("number", [1, 2])
def test_pull_requests_with_one_head_write_the_very_same_check(number: int) -> None:
    first, second = facts(), facts(pull=PullRef(1, "acme", "shop", 2))
    worst = judged(second, finding(1))
    known = replace(first, same_head=(1, 2)) if number == 1 else replace(second, same_head=(1, 2))
    [check, *_] = plan(judged(first), known, worst)
    assert isinstance(check, PutCheck)
    assert check.conclusion == "failure"
    assert "pull requests 1, 2 have this same head" in check.summary
    assert "number 2" in check.summary
    assert read_record(check.summary).pulls == {1, 2}
    other = second if number == 1 else first
    seen = applied(replace(other, same_head=(1, 2)), (check,))
    assert kinds(plan(judged(first), seen, worst)) == []


def test_every_write_has_a_key() -> None:
    event = LabelEvent(STRICT.label, added=True, actor=Account("dev"), at=NOON, id=7)
    known = facts(labels=(STRICT.label,), events=(event,))
    known = applied(known, plan(judged(facts(), finding(2)), facts()))
    writes = plan(judged(known, finding(1)), known)
    keys = [one.key for one in writes]
    assert kinds(writes) == ["PutCheck", "PostReview", "EditComment", "PostComment", "RemoveLabel"]
    assert all(keys)
    assert len(set(keys)) == len(keys)


def test_grants_alike_have_a_comment_each() -> None:
    """The same command twice in one script: neither comment is taken for the other's."""

    def alike(line: int) -> Finding:
        grant = Grant("a.sh", line, f"run {line}", "docker run x", "x", "docker", How.MOUNT)
        return Finding(grant, OnLine("a.sh", line))

    one = judged(facts(), alike(2))
    known = applied(facts(), plan(one, facts()))
    two = judged(known, alike(2), alike(3))
    also = [write for write in plan(two, known) if isinstance(write, PostReview)]
    assert [[inline.line for inline in review.comments] for review in also] == [[3]]
    known = applied(known, plan(two, known))
    assert plan(judged(known, alike(2), alike(3)), known) == ()
