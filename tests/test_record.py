"""What a check records of its findings, read again by a later evaluation: of any number."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.detect.grant import Grant, How
from bot.gate.facts import Account, CheckRun, Facts, LabelEvent, Role
from bot.gate.policy import STRICT
from bot.gate.verdict import Because, Verdict, verdict
from bot.publish.check import MOST_CHARACTERS, check
from bot.publish.record import read_record
from bot.pull import PullRef
from bot.review.model import Finding, InSummary, Review

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HEAD = "h" * 40
MANY = 2_600
GRANTS = tuple(
    Grant(f"compose/{n}.yaml", 1, "x", f"service s{n}", "acme/agent", "docker", How.MOUNT)
    for n in range(MANY)
)


def review(numbers: frozenset[int]) -> Review:
    return Review(findings=tuple(Finding(GRANTS[n], InSummary()) for n in sorted(numbers)))


class Page:
    """One pull request whose check is written and read again, minute by minute."""

    def __init__(self) -> None:
        self.runs: tuple[CheckRun, ...] = ()
        self.minute = 0
        self.label: tuple[LabelEvent, ...] = ()

    def labelled(self) -> None:
        self.minute += 1
        at = NOON + timedelta(minutes=self.minute)
        self.label = (LabelEvent(STRICT.label, added=True, actor=Account("mia"), at=at, id=7),)

    def shows(self, numbers: frozenset[int]) -> Verdict:
        """Evaluate a head with these findings, and publish the check."""
        self.minute += 1
        facts = Facts(
            PullRef(1, "acme", "shop", 1),
            HEAD,
            "b" * 40,
            is_open=True,
            author=Account("dev"),
            labels=(STRICT.label,) if self.label else (),
            events=self.label,
            roles=(("mia", Role.MAINTAIN),),
            checks=self.runs,
        )
        answer = verdict(review(numbers), facts, NOON.date())
        put = check(answer, HEAD)
        assert len(put.summary.encode()) <= MOST_CHARACTERS
        record = read_record(put.summary)
        at = NOON + timedelta(minutes=self.minute)
        run = CheckRun(HEAD, at, record.pulls, record.shown, record.label, record.covers)
        self.runs = (*self.runs, replace(run, id=self.minute))
        return answer


sizes = st.one_of(st.integers(1, 30), st.integers(880, 930), st.integers(1_500, MANY - 1))


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_label_covers_what_was_shown_however_much_it_is(data: st.DataObject) -> None:
    shown = frozenset(range(data.draw(sizes)))
    page = Page()
    assert page.shows(shown).because is Because.UNJUSTIFIED
    page.labelled()
    assert page.shows(shown).because is Because.JUSTIFIED
    assert page.shows(shown).because is Because.JUSTIFIED
    beside = frozenset({data.draw(st.integers(len(shown), MANY - 1))})
    assert page.shows(shown | beside).because is Because.UNJUSTIFIED
    assert page.shows(beside).because is Because.UNJUSTIFIED


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_no_sequence_of_heads_makes_a_label_cover_what_was_not_shown(data: st.DataObject) -> None:
    shown = frozenset(range(data.draw(sizes)))
    page = Page()
    page.shows(shown)
    page.labelled()
    page.shows(shown)
    for _ in range(data.draw(st.integers(1, 4))):
        low = data.draw(st.integers(0, len(shown)))
        high = data.draw(st.integers(low, MANY))
        later = frozenset(range(low, high))
        answer = page.shows(later)
        if answer.because is Because.JUSTIFIED:
            assert later <= shown
        if later <= shown and len(shown) <= 900:
            assert answer.because in {Because.JUSTIFIED, Because.NOTHING}


def test_one_finding_less_of_very_many_asks_for_the_label_again_only_beyond_the_record() -> None:
    shown = frozenset(range(MANY))
    order = sorted(shown, key=lambda n: GRANTS[n].fingerprint)
    page = Page()
    page.shows(shown)
    page.labelled()
    assert page.shows(shown).because is Because.JUSTIFIED
    assert page.shows(shown - {order[0]}).because is Because.JUSTIFIED
    assert page.shows(shown).because is Because.JUSTIFIED
    assert page.shows(frozenset(order[:900])).because is Because.JUSTIFIED
    assert page.shows(shown - {order[-1]}).because is Because.UNJUSTIFIED
