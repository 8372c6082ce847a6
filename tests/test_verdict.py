"""Review + policy + facts -> verdict: every condition of a label that counts, and the policy."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from bot.detect.grant import Grant, How, Severity, Unknown
from bot.gate.cover import is_covered, numbered, set_digest
from bot.gate.facts import Account, CheckRun, Facts, LabelEvent, PolicyText, Reason, Role
from bot.gate.justification import (
    Justification,
    Refusal,
    Why,
    justification,
    same_label,
)
from bot.gate.policy import STRICT, Policy, Problem, json_schema, read_policy
from bot.gate.verdict import Because, Verdict, gravest, verdict
from bot.pull import PullRef
from bot.review.incomplete import incomplete
from bot.review.model import Finding, InSummary, OnLine, Review

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOON.date()
HEAD, OLD = "h" * 40, "o" * 40
A, B = "a" * 32, "b" * 32
MIA = Account("mia")


def at(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute)


def run(minute: int, *shown: str, head: str = HEAD, pull: int = 1, **more: object) -> CheckRun:
    made = CheckRun(head, at(minute), frozenset({pull}), frozenset(shown), id=minute)
    return replace(made, **more)  # type: ignore[arg-type]


def labelled(minute: int, by: Account | None = MIA, **more: object) -> LabelEvent:
    made = LabelEvent(STRICT.label, added=True, actor=by, at=at(minute), id=100 + minute)
    return replace(made, **more)  # type: ignore[arg-type]


def facts(**changes: object) -> Facts:
    """A pull request by dev; our check showed A at noon, mia put the label on at 12:05."""
    known = Facts(
        PullRef(1, "acme", "shop", 1),
        HEAD,
        "b" * 40,
        is_open=True,
        author=Account("dev"),
        contributors=frozenset({"dev"}),
        labels=("bug", STRICT.label),
        events=(labelled(5),),
        roles=(("mia", Role.MAINTAIN),),
        checks=(run(0, A),),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def judged(policy: Policy = STRICT, *found: str, **changes: object) -> Justification | Why | None:
    answer = justification(facts(**changes), policy, frozenset(found or {A}))
    return answer.why if isinstance(answer, Refusal) else answer


def test_the_right_person_after_the_findings_were_shown_counts() -> None:
    assert judged() == Justification("mia", Role.MAINTAIN, at(5), "", frozenset({A}), 105)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"labels": ()}, None),
        ({"labels": ("bug",)}, None),
        ({"events": ()}, Why.NO_EVENT),
        ({"events": (labelled(5), labelled(6, added=False))}, Why.NO_EVENT),
        ({"events": (labelled(5), labelled(6, Account("tess")))}, Why.ROLE),
        ({"events": (labelled(5, None),)}, Why.NOBODY),
        ({"events": (labelled(5, Account("bot", is_person=False)),)}, Why.NOT_A_PERSON),
        ({"events": (labelled(5, through="labeler"),)}, Why.NOT_A_PERSON),
        ({"put_on": ((at(5), "L"),), "label_ids": ((STRICT.label, "M"),)}, Why.RENAMED),
        ({"roles": (("mia", Role.WRITE),)}, Why.ROLE),
        ({"roles": ()}, Why.ROLE),
        ({"author": Account("Mia")}, Why.AUTHOR),
        ({"author": None}, Why.AUTHOR),
        ({"contributors": frozenset({"dev", "MIA"})}, Why.CONTRIBUTOR),
        ({"all_contributors_known": False}, Why.UNKNOWN_CONTRIBUTOR),
        ({"checks": ()}, Why.TOO_EARLY),
        ({"checks": (run(5, A),)}, Why.TOO_EARLY),
        ({"checks": (run(0, A, completed_at=None),)}, Why.TOO_EARLY),
        ({"checks": (run(0, A, pull=2),)}, Why.TOO_EARLY),
        ({"checks": (run(0, B),)}, Why.TOO_EARLY),
        ({"checks": (run(0, A, B), run(1, B))}, Why.TOO_EARLY),
        ({"force_pushes": (at(1),)}, Why.TOO_EARLY),
    ],
)
def test_a_label_that_does_not_count_says_why(changes: dict[str, object], why: Why | None) -> None:
    assert judged(**changes) == why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("teams", "known", "role", "why"),
    [
        ((), True, Role.TRIAGE, Why.ROLE),
        ((), False, Role.TRIAGE, Why.TEAMS),
        (("security",), True, Role.TRIAGE, None),
        (("security",), True, Role.NONE, None),
        ((), False, Role.ADMIN, None),
    ],
)
def test_a_team_takes_the_place_of_a_role(
    teams: tuple[str, ...],
    known: bool,  # noqa: FBT001 - a parameter of the test
    role: Role,
    why: Why | None,
) -> None:
    changes = {"teams": teams, "teams_known": known, "roles": (("mia", role),)}
    policy = Policy(teams=("security",))
    answer = judged(policy, **changes)
    assert answer is why if why else isinstance(answer, Justification)
    author = changes | {"author": MIA}
    assert judged(policy, **author) in {Why.AUTHOR, why}
    bot = changes | {"events": (labelled(5, Account("mia", is_person=False)),)}
    assert judged(policy, **bot) is Why.NOT_A_PERSON


@given(st.sets(st.integers(0, 3_000), min_size=1), st.data())
def test_a_label_covers_a_set_of_any_size_and_nothing_beside_it(
    numbers: set[int], data: st.DataObject
) -> None:
    """The record in the check has no room for all: what is beyond counts as one whole set."""
    every = frozenset(f"{number:032x}" for number in numbers)
    kept = data.draw(st.integers(0, len(every)))
    listed = frozenset(sorted(every)[:kept])
    cover = listed | ({set_digest(every - listed)} if every - listed else frozenset())
    assert is_covered(every, cover)
    assert is_covered(listed, cover)
    some = frozenset(data.draw(st.sets(st.sampled_from(sorted(every)))))
    if is_covered(some, cover):
        assert some <= every
    other = frozenset({f"{data.draw(st.integers(3_001, 9_999)):032x}"})
    assert not is_covered(other, cover)
    assert not is_covered(every | other, cover)


def test_a_label_is_known_again_by_its_id_where_github_tells_it() -> None:
    same = ((STRICT.label.upper(), "L"), ("bug", "M"))
    for put_on in ((), ((at(4), "M"),), ((at(5), "M"), (at(5), "L"))):
        assert isinstance(judged(label_ids=same, put_on=put_on), Justification)


def test_grants_alike_are_counted() -> None:
    assert numbered((A, B, A, A)) == (A, B, f"{A}.2", f"{A}.3")
    assert isinstance(judged(STRICT, A), Justification)
    two = numbered((A, A))
    assert judged(STRICT, *two) is Why.UNSEEN
    assert isinstance(judged(STRICT, *two, checks=(run(0, *two),)), Justification)
    assert isinstance(judged(STRICT, A, checks=(run(0, *two),)), Justification)


def test_a_label_covers_what_was_on_the_page_and_no_more() -> None:
    assert judged(STRICT, A, B) is Why.UNSEEN
    assert isinstance(judged(STRICT, A, checks=(run(0, A, B),)), Justification)


def test_what_a_check_accepted_outlasts_the_head_that_it_was_shown_on() -> None:
    accepted = run(6, A, head=OLD, label=105, covers=frozenset({A, B}))
    known = {"checks": (accepted,), "force_pushes": (at(7),)}
    assert isinstance(judged(STRICT, B, **known), Justification)
    other = known | {"events": (labelled(8),)}
    assert judged(STRICT, B, **other) is Why.TOO_EARLY


def test_a_forced_push_before_the_check_changes_nothing() -> None:
    assert isinstance(judged(force_pushes=(at(-1),)), Justification)


def test_a_label_just_put_on_may_not_be_listed_yet() -> None:
    young = {"events": (), "updated_at": at(5), "read_at": at(5) + timedelta(seconds=3)}
    assert judged(**young) is Why.NOT_YET  # type: ignore[arg-type]
    assert judged(**young | {"read_at": at(7)}) is Why.NO_EVENT  # type: ignore[arg-type]


def test_carrying_may_be_switched_off() -> None:
    policy = Policy(carry="none")
    assert isinstance(judged(policy), Justification)
    assert judged(policy, checks=(run(0, A, head=OLD),)) is Why.PUSHED
    assert isinstance(judged(STRICT, checks=(run(0, A, head=OLD),)), Justification)


def test_a_policy_lists_people_and_apps_by_name() -> None:
    policy = Policy(users=("Tess", "gate[bot]", "labeler"))
    assert isinstance(judged(policy, events=(labelled(5, Account("tess")),)), Justification)
    bot = Account("gate[bot]", is_person=False)
    assert isinstance(judged(policy, events=(labelled(5, bot),)), Justification)
    assert isinstance(judged(policy, events=(labelled(5, through="labeler"),)), Justification)
    assert judged(policy, events=(labelled(5, Account("tess")),), author=Account("tess")) is (
        Why.AUTHOR
    )


@pytest.mark.parametrize(
    ("own", "user", "allowed"),
    [
        (None, False, False),
        (None, True, True),
        (True, False, True),
        (False, True, False),
    ],
)
def test_an_author_may_justify_only_where_that_is_said_or_nobody_else_is_there(
    *, own: bool | None, user: bool, allowed: bool
) -> None:
    policy = Policy(self_justify=own)
    home = {"pull": PullRef(1, "Mia", "shop", 1)} if user else {}
    answer = judged(policy, author=MIA, owner_is_user=user, **home)
    assert isinstance(answer, Justification) is allowed


@pytest.mark.parametrize(
    ("policy", "alone", "owner", "allowed"),
    [
        (Policy(), False, "mia", True),  # nobody else there has a role above write
        (Policy(), True, "tom", False),  # a collaborator with the own change
        (Policy(role="write"), False, "mia", False),
        (Policy(role="write"), True, "mia", True),
        (Policy(users=("tom",)), True, "mia", False),
        (Policy(users=("MIA",)), False, "mia", True),
        (Policy(teams=("acme/security",)), True, "mia", False),
    ],
)
def test_a_lone_owner_is_lone_only_while_nobody_else_may(
    *, policy: Policy, alone: bool, owner: str, allowed: bool
) -> None:
    home = PullRef(1, owner, "shop", 1)
    known = {"owner_is_user": True, "owner_is_alone": alone, "pull": home}
    answer = judged(policy, author=MIA, **known)
    assert isinstance(answer, Justification) is allowed


def said(text: str, minute: int = 6, by: str = "mia", *, edited: bool = False) -> Reason:
    return Reason(Account(by), text, at(minute), edited)


@pytest.mark.parametrize(
    ("reasons", "body", "reason"),
    [
        ((), "", None),
        ((said("ok"),), "", None),
        ((said("Reason: the proxy cannot exec.", by="dev"),), "", None),
        ((said("Traefik reads labels here."),), "", "Traefik reads labels here."),
        (
            (said("A first thought about it."), said("x\n**Reason:** a host of its own", 7)),
            "",
            "a host of its own",
        ),
        (
            (said("Reason: on a host of its own", edited=True),),
            "",
            "on a host of its own (edited)",
        ),
        (
            (),
            "Adds it.\n\n- Reason: on a host of its own\n",
            "on a host of its own (in the description)",
        ),
        ((), "Reason: x\n", None),
    ],
)
def test_a_reason_is_a_comment_of_the_same_person_or_a_line_of_the_description(
    reasons: tuple[Reason, ...], body: str, reason: str | None
) -> None:
    answer = judged(Policy(require_reason=True), reasons=reasons, body=body)
    if reason is None:
        assert answer is Why.NO_REASON
    else:
        assert isinstance(answer, Justification)
        assert answer.reason == reason


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("Docker-Socket-Justified", True),
        ("docker-socket-justified ", False),
        ("docker\N{NON-BREAKING HYPHEN}socket-justified", False),
        ("d\N{CYRILLIC SMALL LETTER O}cker-socket-justified", False),
        ("docker-socket", False),
    ],
)
def test_only_the_exact_name_is_the_label(name: str, *, same: bool) -> None:
    assert same_label(name, STRICT.label) is same


def test_names_are_compared_composed_and_folded() -> None:
    assert same_label("Cafe\N{COMBINING ACUTE ACCENT} STRASSE", "café straße")


# The verdict -------------------------------------------------------------------------------------


def grant(path: str = "compose.yaml", severity: Severity = Severity.CRITICAL) -> Grant:
    return Grant(path, 6, "x", "service web", "nginx", "docker", How.MOUNT, severity)


def review(*grants: Grant) -> Review:
    return Review(findings=tuple(Finding(one, OnLine(one.path, one.line)) for one in grants))


def of(found: Review, policy: str | None = None, **changes: object) -> Verdict:
    text = None if policy is None else PolicyText(policy, ".github/sockgate.yml")
    return verdict(found, facts(policy=text, **changes), TODAY)


def test_nothing_is_green_and_a_finding_is_red() -> None:
    assert (of(Review()).because, of(Review()).conclusion) == (Because.NOTHING, "success")
    red = of(review(grant()), labels=())
    assert (red.because, red.conclusion) == (Because.UNJUSTIFIED, "failure")
    assert red.refusal is None


def test_a_justified_finding_is_green() -> None:
    one = grant()
    answer = of(review(one), checks=(run(0, one.fingerprint),))
    assert (answer.because, answer.conclusion) == (Because.JUSTIFIED, "success")


def test_no_label_helps_against_an_unknown() -> None:
    one = grant()
    found = replace(review(one), unknowns=(Unknown("a.yml", 1, "why"),))
    answer = of(found, checks=(run(0, one.fingerprint),))
    assert (answer.because, answer.conclusion) == (Because.UNKNOWN, "failure")
    assert answer.justification is not None


def test_what_was_not_listed_is_unknown() -> None:
    assert of(incomplete(Review(), "only half")).because is Because.UNKNOWN


def test_the_policy_may_let_the_lesser_severity_pass() -> None:
    lesser = review(grant(severity=Severity.HIGH))
    assert of(lesser, "hold: [critical]").because is Because.NOT_HELD
    assert of(lesser, labels=()).because is Because.UNJUSTIFIED
    assert of(review(grant()), "hold: [critical]", labels=()).because is Because.UNJUSTIFIED


@pytest.mark.parametrize(
    ("pattern", "path", "ignored"),
    [
        ("examples/**", "examples/a/compose.yaml", True),
        ("examples/", "examples/a/compose.yaml", True),
        ("examples/*", "examples/a/compose.yaml", False),
        ("**/compose.yaml", "compose.yaml", True),
        ("**/compose.yaml", "a/b/compose.yaml", True),
        ("compose.y?ml", "compose.yaml", True),
        ("compose.yml", "compose.yaml", False),
        ("*.yaml", "a/compose.yaml", False),
    ],
)
def test_an_ignored_path_is_a_pattern(pattern: str, path: str, *, ignored: bool) -> None:
    policy = f"ignore: [{{path: '{pattern}', reason: shown only}}]"
    answer = of(review(grant(path)), policy, labels=())
    assert (answer.because is Because.NOT_HELD) is ignored
    assert bool(answer.ignored) is ignored


def test_an_ignored_path_may_have_a_last_day() -> None:
    policy = "ignore: [{{path: '**', reason: until then, until: {}}}]"
    assert of(review(grant()), policy.format(TODAY), labels=()).conclusion == "success"
    late = policy.format(TODAY - timedelta(days=1))
    assert of(review(grant()), late, labels=()).conclusion == "failure"


def test_a_finding_in_two_files_is_ignored_only_with_both() -> None:
    policy = "ignore: [{path: 'examples/**', reason: shown only}]"
    elsewhere = Finding(grant("compose.yaml"), OnLine("examples/part.yaml", 2))
    assert of(Review(findings=(elsewhere,)), policy, labels=()).conclusion == "failure"
    inside = Finding(grant("examples/compose.yaml"), InSummary())
    assert of(Review(findings=(inside,)), policy, labels=()).conclusion == "success"


def test_the_gravest_verdict_is_a_commits() -> None:
    green, red = of(Review()), of(review(grant()), labels=())
    assert gravest([green, red]) is red
    assert gravest([replace(red, pull=7), replace(red, pull=3)]).pull == 3


# The policy --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        ("role: nobody\n", 1, "role", "Input should be 'write', 'maintain' or 'admin'"),
        ("role: write\n\nlabels: x\n", 3, "labels", "no such key"),
        ("ignore:\n  - path: a\n", 2, "ignore.0.reason", "Field required"),
        (
            "ignore:\n  - {path: a, reason: b}\n  - path: c\n    reason: d\n    until: soon\n",
            5,
            "ignore.1.until",
            "Input should be a valid date",
        ),
        ("hold: [high]\n", 1, "hold", "critical findings are always held"),
        ("users: mia\n", 1, "users", "Input should be a valid list"),
        ("require_reason: 'yes'\n", 1, "require_reason", "Input should be a valid boolean"),
        ("- role\n", 1, "", "not a mapping of settings"),
        ("role: write\n--- \nrole: admin\n", 3, "", "more than one document"),
        ("a: &a {}\nb: *a\n", 2, "", "aliases are not used here"),
        ("role: [\n", 2, "", "not YAML"),
        ("role: !!python/object:os.system {}\n", 1, "", "not YAML"),
        ("until: 2026-99-99\n", 1, "", "not YAML"),
        ("x" * 100_001, 1, "", "longer than 100 kB"),
        ("role: admin\nlabel: x\nrole: write\n", 3, "role", "stands twice"),
        ("ignore:\n- {path: a, reason: b, path: '**'}\n", 2, "path", "stands twice"),
        ("label: 'x '\n", 1, "label", "no label can have this name"),
        ("label: x\N{ZERO WIDTH SPACE}y\n", 1, "label", "no label can have this name"),
    ],
)
def test_a_broken_policy_names_line_and_key(text: str, line: int, key: str, message: str) -> None:
    problems = read_policy(text)
    assert isinstance(problems, tuple)
    assert (problems[0].line, problems[0].key) == (line, key)
    assert problems[0].message.startswith(message)


def test_a_whole_policy_is_read() -> None:
    text = """
label: socket-ok
role: admin
users: [mia]
self_justify: false
require_reason: true
carry: none
hold: [critical]
implicit: true
ignore:
  - path: examples/**
    reason: they are shown only
    until: 2027-01-31
"""
    policy = read_policy(text)
    assert isinstance(policy, Policy)
    assert (policy.label, policy.role, policy.users) == ("socket-ok", "admin", ("mia",))
    assert policy.ignore[0].until == date(2027, 1, 31)
    assert read_policy("# nothing\n") == STRICT


def test_a_broken_policy_is_as_strict_as_none() -> None:
    answer = of(review(grant()), "role: nobody\n", labels=())
    assert answer.policy == STRICT
    assert answer.policy_problems == (
        Problem(1, "role", "Input should be 'write', 'maintain' or 'admin'"),
    )


def test_a_proposed_policy_is_read_and_not_applied() -> None:
    loose = "ignore: [{path: '**', reason: all}]"
    answer = of(review(grant()), labels=(), changes_policy=loose)
    assert (answer.conclusion, answer.proposal) == ("failure", ())
    assert of(Review(), changes_policy="x: 1").proposal == (Problem(1, "x", "no such key"),)


def examples(page: str) -> list[str]:
    text = (Path(__file__).parents[1] / page).read_text("utf-8")
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_every_example_of_a_policy_is_valid_by_the_model_and_by_the_schema() -> None:
    judge = Draft202012Validator(json_schema(), format_checker=FormatChecker())
    judge.check_schema(json_schema())
    keys, entry = examples("docs/policy.md")[1:]
    others = re.sub(r"ignore:\n(?:[- ].*\n)*", "", keys)
    whole = f"{others}ignore:\n- {entry.replace(chr(10), chr(10) + '  ').rstrip()}\n"
    readme = [text for text in examples("README.md") if "carry:" in text]
    for text in (keys, whole, *readme):
        assert isinstance(read_policy(text), Policy), read_policy(text)
        assert (
            list(judge.iter_errors(json.loads(json.dumps(yaml.safe_load(text), default=str)))) == []
        )
    assert len(readme) == 1
    assert set(yaml.safe_load(keys)) == set(Policy.model_fields)


@pytest.mark.parametrize(
    "text",
    [
        "labels: x",
        "role: triage",
        "hold: [low]",
        "ignore: [{path: a}]",
        "users: octocat",
        "self_justify: 1",
        "label: ''",
    ],
)
def test_the_schema_refuses_what_the_model_refuses(text: str) -> None:
    assert not isinstance(read_policy(text), Policy)
    assert list(Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(text))) != []


@pytest.mark.parametrize("name", ["a b", "a/b/c", "@acme/x y", "", "/x", "acme/"])
def test_what_is_no_team_is_said(name: str) -> None:
    found = read_policy(f"users: []\nteams: ['{name}']\n")
    assert isinstance(found, tuple)
    assert (found[0].line, found[0].key) == (2, "teams")
    assert "is no team" in found[0].message


def test_every_key_of_the_schema_says_what_it_is_for() -> None:
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert all(one.get("description") for one in schema["properties"].values())
