"""What people read: true of the line, and harmless whatever the pull request calls itself."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files

import pytest
import yaml
from cmarkgfm import github_flavored_markdown_to_html
from cmarkgfm.cmark import Options

from bot.detect.engine import detect
from bot.detect.grant import Grant, How, Severity, Step, Undermined, Unknown
from bot.detect.source import DictSource
from bot.gate.facts import Account, CheckRun, Facts, LabelEvent, PolicyText, Role
from bot.gate.justification import Justification, Refusal, Why
from bot.gate.policy import STRICT, Ignore, Policy
from bot.gate.verdict import Because, Ignored, Verdict, verdict
from bot.publish.check import (
    MOST_ANNOTATIONS,
    MOST_CHARACTERS,
    broken,
    check,
)
from bot.publish.comment import finding_comment, is_resolved, resolved_comment
from bot.publish.escape import cell, code, own, prose
from bot.publish.plain import plain
from bot.publish.record import Record, read_record
from bot.publish.refusal import refusal_comment
from bot.publish.words import sentence
from bot.publish.writes import marked, marker
from bot.pull import PullRef
from bot.review.advice import known_tool
from bot.review.model import Finding, OnLine, Review
from bot.review.proxies import proxies
from tests.kinds import HELD

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
UNTIL = date(2027, 1, 31)
HOSTILE = (
    "@acme/security",
    "`@acme`",
    "``` ` ``",
    "|",
    "<img src=x onerror=alert(1)>",
    "<!-- sockgate:shown ff -->",
    "[x](https://evil.example)",
    "https://evil.example/@acme",
    "acme/shop#1",
    "#1",
    "\u202egnp.exe",
    "a\nb\n# heading",
    "![x](y)",
    "</details></td>",
    "\\",
    "x" * 64_000,
    "",
    "  ",
)


def grant(subject: str = "service web", image: str | None = "nginx", how: How = How.MOUNT) -> Grant:
    return Grant(
        "compose.yaml", 6, "- /var/run/docker.sock:/s", subject, image, "docker", how,
        undermines=(Undermined("read_only", "read_only: true", "compose.yaml", 4),),
    )  # fmt: skip


def finding(one: Grant, *also: Grant) -> Finding:
    return Finding(one, OnLine(one.path, one.line), also)


def facts(**changes: object) -> Facts:
    known = Facts(
        PullRef(1, "acme", "shop", 1),
        "h" * 40,
        "b" * 40,
        is_open=True,
        author=Account("dev"),
    )
    return replace(known, **changes)  # type: ignore[arg-type]


def rendered(markdown: str) -> str:
    """Render as GitHub does, with its own parser; raw HTML is let through to be seen."""
    html: str = github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return html


def shown(markdown: str) -> str:
    """Return what a reader sees: the text without its tags."""
    return re.sub(r"<[^>]*>", "", rendered(markdown))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("escape", [cell, code, prose])
def test_hostile_text_neither_mentions_nor_links_nor_breaks_out(text: str, escape: object) -> None:
    assert callable(escape)
    line = f"before {escape(text)} after"
    html = rendered(line)
    assert html.startswith("<p>before ")
    assert html.rstrip().endswith(" after</p>")
    assert html.count("<p>") == 1
    bare = re.sub(r"<code>[^<]*</code>", "", html)
    assert not re.search(r"<(?!/?p>)", bare), "no tag of its own"
    assert not re.search(r"[@#]\w", bare), "no mention or reference outside a code span"
    assert len(line) < 4_000


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_in_its_table_cell(text: str) -> None:
    html = rendered(f"| a | b |\n|---|---|\n| {cell(text)} | {prose(text)} |\n")
    assert html.count("<td>") == 2


def test_a_comment_sends_to_whom_the_policy_names_and_not_to_others_where_one_may_alone() -> None:
    policy = Policy(users=("ann",), teams=("security",))
    text = shown(finding_comment(finding(grant()), replace(HELD, policy=policy)))
    assert "ask someone whose role here is at least maintain, or ann, or a member of" in text
    alone = shown(finding_comment(finding(grant()), replace(HELD, self_justify=True)))
    assert "why it has to be so and put on the label docker-socket-justified." in alone


def test_a_label_is_shown_exactly_as_it_is_called() -> None:
    answer = replace(judged([grant()]), policy=Policy(label="socket|`justified` @acme"))
    for text in (check(answer, "h").summary, finding_comment(answer.findings[0], answer)):
        assert "<code>socket|`justified` @acme</code>" in rendered(text)


def test_prose_shows_exactly_its_characters() -> None:
    text = "a_b *c* <d> [e](f) #1 @g `h`"
    html = rendered(prose(text))
    assert html.replace("\u2060", "") == "<p>a_b *c* &lt;d&gt; [e](f) #1 @g `h`</p>\n"
    assert own("a*b<c") == "a&#42;b&#60;c"


def test_invisible_characters_become_visible() -> None:
    assert plain("a\u202eb\u200bc\x07") == "a<U+202E>b<U+200B>c<U+0007>"


def test_a_comment_says_who_gets_what_and_what_is_worthless() -> None:
    text = shown(finding_comment(finding(grant()), HELD))
    assert "service web (nginx) gets the Docker daemon: root on the host." in text
    assert "Worthless beside it: read_only: true (line 4)." in text
    assert "docker-socket-justified" in text


def test_a_comment_shows_the_way_and_where_in_another_file_a_restriction_stands() -> None:
    elsewhere = Undermined("user", "user: app", "base.yaml", 2)
    steps = (Step("base.yaml", 9), Step("compose.yaml", 6))
    one = replace(grant(), steps=steps, undermines=(elsewhere,))
    text = shown(finding_comment(finding(one), HELD))
    assert "The way: base.yaml:9 → compose.yaml:6" in text
    assert "Worthless beside it: user: app (base.yaml:2)." in text


def test_a_comment_on_several_grants_names_each_and_counts_the_rest() -> None:
    many = [grant(f"service s{n}") for n in range(12)]
    text = finding_comment(finding(*many), HELD)
    assert "`service s7`" in text
    assert "And 4 more" in text
    assert marked(text, "finding") == {one.fingerprint for one in many}


@pytest.mark.parametrize("how", list(How))
@pytest.mark.parametrize(
    "resource", ["docker", "podman-rootless", "/", "/run/user/1", "tcp://h:2375"]
)
def test_every_kind_of_grant_has_words_and_a_comment(how: How, resource: str) -> None:
    one = replace(grant(how=how), resource=resource, severity=Severity.HIGH)
    assert sentence(one).endswith(".")
    text = finding_comment(finding(one), HELD)
    assert "**Safer:**" in text or "**Safer, for" in text
    assert "  " not in sentence(one)


def test_advice_for_a_known_tool_brings_a_narrow_proxy() -> None:
    text = finding_comment(finding(grant(image="traefik")), HELD)
    assert "Safer, for traefik" in text
    assert "CONTAINERS: 1" in text
    assert "POST" not in text


IMAGES: list[str] = [
    tool["images"][0]
    for tool in yaml.safe_load(files("bot.review").joinpath("tools.yaml").read_text("utf-8"))
    if tool["images"]
]


@pytest.mark.parametrize("image", IMAGES)
def test_the_proxy_for_each_tool_is_ready_and_makes_its_client_no_finding(image: str) -> None:
    body = finding_comment(finding(grant("service app", image)), HELD)
    found = re.search(r"```yaml\n(.*?)```", body, re.DOTALL)
    tool = known_tool(image)
    assert tool is not None
    assert (found is not None) is tool.proxy_helps
    if found is None:
        return
    stack = yaml.safe_load(found[1])
    assert set(stack["services"]) == {"socket-proxy", "app"}
    stack["services"]["app"]["image"] = image
    one, *others = detect("compose.yaml", DictSource({"compose.yaml": yaml.dump(stack)})).grants
    assert (one.subject, others) == ("service socket-proxy", [])
    [proxy] = proxies("compose.yaml", DictSource({"compose.yaml": found[1]}))
    assert proxy.only_reads
    assert not proxy.published
    assert set(tool.sections) <= proxy.open
    assert stack["networks"] == {"socket": {"internal": True}}


@pytest.mark.parametrize("image", [*IMAGES, "acme/unknown"])
def test_a_comment_is_short_outside_of_what_folds_away(image: str) -> None:
    body = finding_comment(finding(grant("service app", image)), HELD)
    outside = shown(re.sub(r"<details>.*?</details>", "", body, flags=re.DOTALL))
    assert len(outside) < 1_300
    assert outside.count("docker-socket-justified") == 1
    assert "-pattern" not in outside


def test_builds_are_told_how_to_do_without_a_daemon() -> None:
    body = finding_comment(finding(grant(image="docker")), HELD)
    assert "moby/buildkit:rootless" in body
    assert "buildah build" in body


def test_a_tool_that_no_proxy_helps_is_told_so() -> None:
    text = finding_comment(finding(grant(image="portainer/portainer-ce")), HELD)
    assert "no proxy setting makes this tool harmless" in text
    assert "socket-proxy:" not in text


def test_a_resolved_comment_is_marked_and_keeps_what_it_said() -> None:
    body = finding_comment(finding(grant()), HELD)
    assert not is_resolved(body)
    assert is_resolved(resolved_comment(body))
    assert body in resolved_comment(body)


def test_markers_are_read_back_and_hostile_ones_are_not_made() -> None:
    assert marked(f"x\n{marker('finding', 'aa', 'bb')}", "finding") == {"aa", "bb"}
    assert marked(f"{marker('finding', 'aa')}\nx", "finding") == frozenset()
    hostile = grant(subject=marker("finding", "ff"), image=marker("record", "pull:1", "ff"))
    assert marked(finding_comment(finding(hostile), HELD), "finding") == {hostile.fingerprint}
    assert read_record(check(judged([hostile]), "h").summary).shown == {hostile.fingerprint}
    assert read_record(broken("h", marker("record", "pull:1", "ff")).summary).shown == frozenset()


def test_the_record_of_a_check_is_read_back() -> None:
    record = Record(frozenset({1, 12}), frozenset({"aa"}), 99, frozenset({"bb"}))
    assert read_record(f"page\n\n{record.line()}\r\n") == record
    assert record.covers == {"aa", "bb"}
    assert read_record("page") == Record(frozenset())


def judged(grants: list[Grant], **changes: object) -> Verdict:
    review = Review(findings=tuple(finding(one) for one in grants))
    return verdict(review, facts(**changes), date(2026, 11, 23))


def test_the_check_page_names_findings_label_and_role() -> None:
    page = check(judged([grant()]), "h" * 40)
    assert page.title == "1 grant of a container daemon, not justified"
    assert page.conclusion == "failure"
    assert "docker-socket-justified" in page.summary
    assert "`maintain`" in page.summary
    assert [one.line for one in page.annotations] == [6]
    assert read_record(page.summary) == Record(frozenset({1}), frozenset({grant().fingerprint}))


def test_the_table_says_the_way_with_its_lines() -> None:
    steps = (Step("base.yaml", 9), Step("compose.yaml", 6))
    page = check(judged([replace(grant(), steps=steps)]), "h").summary
    assert "| bind mount: `base.yaml:9` → `compose.yaml:6` | critical |" in page
    long = tuple(Step("a.yaml", n) for n in range(1, 9))
    assert "`a.yaml:4` → … |" in check(judged([replace(grant(), steps=long)]), "h").summary


def test_a_large_check_is_cut_and_says_how_much_was_left_out() -> None:
    many = [grant(f"service {'s' * 100}{n}", image="i" * 300) for n in range(900)]
    page = check(judged(many), "h" * 40)
    assert len(page.summary) <= MOST_CHARACTERS
    assert len(page.annotations) == MOST_ANNOTATIONS
    assert "850 annotations were left out" in page.summary
    assert re.search(r"^8\d\d more were left out of this table", page.summary, re.MULTILINE)
    assert "### To merge it all the same" in page.summary
    assert len(read_record(page.summary).shown) == 900


def test_a_green_check_says_by_whom_when_and_why() -> None:
    by = Justification("mia", Role.MAINTAIN, AT, "Traefik needs it", frozenset())
    answer = replace(judged([grant()]), because=Because.JUSTIFIED, justification=by)
    text = shown(check(answer, "h").summary)
    assert "Justified by mia (role maintain) on 2026-11-23 12:00 UTC" in text
    assert "Traefik needs it" in text


def test_an_unknown_is_red_and_listed() -> None:
    review = Review(unknowns=(Unknown("a.yml", 3, "Line 3 cannot be parsed.", "docker.sock"),))
    page = check(verdict(review, facts(), date(2026, 11, 23)), "h")
    assert page.conclusion == "failure"
    assert "`a.yml:3`" in page.summary


def test_a_reason_that_is_missing_is_asked_for() -> None:
    refusal = Refusal("mia", Why.NO_REASON, AT)
    answer = replace(judged([grant()]), refusal=refusal)
    assert "asks for a reason" in shown(check(answer, "h").summary)


def test_a_defect_shows_its_text_harmlessly() -> None:
    assert "`ValueError: @acme`" in broken("h", "ValueError: @acme").summary


def test_a_policy_that_is_broken_or_proposed_is_shown_with_line_and_key() -> None:
    text = "role: nobody\n"
    policy = PolicyText(text, ".github/sockgate.yml")
    page = check(judged([], policy=policy, changes_policy=text), "h")
    assert page.summary.count("line 1, `role`") == 2
    assert page.conclusion == "success"


def test_the_label_of_the_right_person_on_shown_findings_counts() -> None:
    one = grant()
    run = CheckRun("h" * 40, AT, frozenset({1}), frozenset({one.fingerprint}))
    event = LabelEvent(STRICT.label, added=True, actor=Account("mia"), at=AT.replace(minute=5))
    known = {
        "labels": (STRICT.label,),
        "events": (event,),
        "roles": (("mia", Role.MAINTAIN),),
        "checks": (run,),
    }
    assert judged([one], **known).because is Because.JUSTIFIED
    early = known | {"events": (replace(event, at=AT),)}
    assert judged([one], **early).because is Because.UNJUSTIFIED


def test_a_check_that_is_too_long_is_cut_between_lines_and_keeps_its_record() -> None:
    unknowns = tuple(Unknown(f"{'é' * 290}{n}.yml", 1, "why " * 100) for n in range(100))
    answer = verdict(Review(unknowns=unknowns), facts(), date(2026, 11, 23))
    page = check(answer, "h")
    assert len(page.summary.encode()) <= MOST_CHARACTERS
    assert "(cut: longer than GitHub takes)" in page.summary
    assert read_record(page.summary).pulls == {1}
    assert page.summary.count("`") % 2 == 0


@pytest.mark.parametrize(
    ("answer", "title", "text"),
    [
        (Verdict(Because.NOTHING), "No new access to a container daemon", "gives nobody access"),
        (
            Verdict(Because.NOT_HELD, not_held=(finding(grant()),)),
            "Nothing that the policy holds",
            "Seen, and not held by the policy",
        ),
        (
            Verdict(
                Because.NOT_HELD,
                ignored=(Ignored(finding(grant()), Ignore(path="**", reason="demo", until=UNTIL)),),
            ),
            "Nothing that the policy holds",
            "compose.yaml:6 by **: demo, until 2027-01-31",
        ),
        (
            Verdict(
                Because.UNKNOWN,
                findings=(finding(grant(), grant("service b")),),
                unknowns=(Unknown("a.yml", None, "It is broken."), Unknown(".", None, "All.")),
            ),
            "2 files could not be evaluated; 2 grants of a container daemon",
            "A label does not help",
        ),
        (
            Verdict(Because.UNJUSTIFIED, findings=(finding(grant(image=None)),)),
            "1 grant of a container daemon, not justified",
            "and who neither opened this pull request nor wrote one of its commits",
        ),
        (
            Verdict(
                Because.UNJUSTIFIED,
                findings=(finding(grant()),),
                policy=Policy(users=("ann",), require_reason=True),
                refusal=Refusal("mia", Why.NO_REASON, AT),
            ),
            "1 grant of a container daemon, not justified",
            "or ann, and who neither",
        ),
        (
            Verdict(Because.NOTHING, proposal=()),
            "No new access to a container daemon",
            "as it is, it would be valid",
        ),
    ],
)
def test_each_verdict_has_its_page(answer: Verdict, title: str, text: str) -> None:
    page = check(answer, "h")
    assert page.title == title
    assert text in shown(page.summary)


def test_a_finding_that_is_justified_is_no_failure_on_its_line() -> None:
    by = Justification("mia", Role.MAINTAIN, AT, "", frozenset({"more"}), 7)
    page = check(replace(judged([grant()]), because=Because.JUSTIFIED, justification=by), "h")
    assert [one.level for one in page.annotations] == ["notice"]
    assert "No reason was written down." in page.summary
    record = read_record(page.summary)
    assert record.label == 7
    assert record.more == {"more"}


def test_what_is_unknown_as_a_whole_has_no_annotation() -> None:
    unknowns = (Unknown(".", None, "All."), Unknown("a.yml", None, "It."))
    page = check(verdict(Review(unknowns=unknowns), facts(), date(2026, 11, 23)), "h")
    assert [(one.path, one.line) for one in page.annotations] == [("a.yml", 1)]


def test_the_owner_alone_is_not_told_to_ask_someone_else() -> None:
    own = judged([grant()], owner_is_user=True, author=Account("acme"))
    assert "nor wrote one of its commits" not in check(own, "h").summary
    theirs = judged([grant()], owner_is_user=True)
    assert "nor wrote one of its commits" in check(theirs, "h").summary


@pytest.mark.parametrize("why", list(Why))
def test_every_refusal_says_why_in_a_sentence(why: Why) -> None:
    text = shown(refusal_comment(Refusal("mia", why, AT), judged([grant()])))
    assert str(why) in text
    assert "(mia)" in text


def test_a_refusal_names_everybody_whose_label_counts() -> None:
    answer = replace(judged([grant()]), policy=Policy(users=("ann",), teams=("security",)))
    text = shown(refusal_comment(Refusal(None, Why.NOBODY, None), answer))
    assert "maintain, or ann, or a member of security, and who neither opened" in text
    alone = replace(answer, self_justify=True)
    assert "neither opened" not in refusal_comment(Refusal("mia", Why.ROLE, AT), alone)


@pytest.mark.parametrize(
    ("carry", "until"), [("same-findings", "a push adds another grant"), ("none", "the next push")]
)
def test_a_green_check_says_how_long_it_holds(carry: str, until: str) -> None:
    by = Justification("mia", Role.MAINTAIN, AT, "", frozenset())
    answer = replace(judged([grant()]), because=Because.JUSTIFIED, justification=by)
    kept = replace(answer, policy=Policy.model_validate({"carry": carry}))
    assert f"This holds until {until}." in check(kept, "h").summary
