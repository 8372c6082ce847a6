"""Whatever a pull request calls things: every kind of finding, in every form it is shown in."""

import csv
import io
import json
import re
import unicodedata
from html.parser import HTMLParser

import pytest

from bot import pages
from bot.cli import main
from bot.publish.annotations import as_annotations
from bot.publish.check import check
from bot.publish.comment import finding_comment, resolved_comment
from bot.publish.json import as_json
from bot.publish.plain import visible
from bot.publish.sarif import as_sarif
from bot.publish.text import as_text
from bot.records.log import csv_line
from bot.register import decisions
from bot.review.model import Review
from tests.kinds import KINDS, Kind, judged
from tests.test_snapshots import rendered

NAMES = {
    "a mention": "@org/team",
    "backticks": "`@org/team` ``` x",
    "pipes": "a|b||c",
    "a tag": "<img src=x onerror=alert(1)>",
    "an end": "</details></summary></td><script>alert(1)</script>",
    "a link": "[x](https://evil.example) https://evil.example www.evil.example",
    "an image": "![x](https://evil.example/y.png)",
    "our marker": "<!-- sockgate:record pull:1 ff -->",
    "right to left": "\u202egnp.exe\u2066\u200f",
    "an escape": "a\x1b[2Jb\x07\x9b31m",
    "a command": "::set-output name=x::y",
    "a formula": "=HYPERLINK(1)",
    "64 kB": "@org/x " * 9_400,
}
RISKY = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


class Structure(HTMLParser):
    """The tags of a page with what they say, and its text outside of code."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.comments: list[str] = []
        self.outside = ""
        self._code = 0
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{tag} {attrs}")
        self._code += tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")
        self._code -= tag == "code"

    def handle_data(self, data: str) -> None:
        self.outside += "" if self._code else data

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def everything(review: Review) -> list[str]:
    """Return all Markdown that is written about a pull request."""
    verdict = judged(review)
    comments = [finding_comment(finding, verdict) for finding in verdict.findings]
    return [*comments, *map(resolved_comment, comments), check(verdict, "h").summary]


def shape(review: Review) -> list[object]:
    """Return what decides which tags there are: a name may also change what a file means."""
    findings = [
        (one.line, one.grant.how, one.grant.image is None, one.suggestion is None)
        for one in review.findings
    ]
    return [*findings, *(one.line for one in review.unknowns)]


def variants(name: str) -> list[str]:
    """Return a name as it is, and as text of YAML, JSON, Groovy and the shell at once."""
    return [name, json.dumps(name)]


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_hostile_name_is_harmless_in_everything_that_is_written(kind: Kind, name: str) -> None:
    quiet = kind.named("web").review()
    for variant in variants(name):
        review = kind.named(variant).review()
        pages = everything(review)
        structures = [Structure(rendered(page)) for page in pages]
        for page, found in zip(pages, structures, strict=True):
            assert len(page) < 65_536
            assert not re.search(r"(?<![\w./-])[@#]\w", found.outside)
            assert not any("evil" in tag or "onerror" in tag for tag in found.tags)
            assert not any(tag.startswith(("script", "img")) for tag in found.tags)
            assert not any(" ff " in one for one in found.comments)
            assert not [c for c in set(page) - {"\n"} if unicodedata.category(c) in RISKY]
        if shape(review) == shape(quiet):
            same = [Structure(rendered(page)).tags for page in everything(quiet)]
            assert [found.tags for found in structures] == same
        for_terminal(as_text(review))
        commands = as_annotations(review)
        for_terminal(commands)
        assert all(line.startswith("::error file=") for line in commands.splitlines())
        assert commands.count("\n") == len(commands.splitlines())
        for_a_scanner(as_sarif(review))
        assert as_json(review).isascii()


def for_terminal(text: str) -> None:
    assert not [c for c in set(text) - {"\n"} if unicodedata.category(c) in RISKY]
    assert max(map(len, text.splitlines()), default=0) < 5_000


def for_a_scanner(text: str) -> None:
    for result in json.loads(text)["runs"][0]["results"]:
        message = result["message"]["text"]
        assert "](" not in message, "SARIF 2.1.0, 3.11.6: a link"
        assert not [c for c in set(message) if unicodedata.category(c) in RISKY]


@pytest.mark.parametrize("name", [*NAMES.values(), "+1", "-1", "\t=1", "\r=1", "\n=1", "=1"])
def test_a_spreadsheet_takes_nothing_for_a_formula(name: str) -> None:
    [[cell]] = csv.reader(io.StringIO(csv_line([name]), newline=""))
    assert cell[0] not in "=+-@\t\r\n"
    assert cell.removeprefix("'") == visible(name)
    assert not [c for c in set(cell) - set("\t\r\n") if unicodedata.category(c) in RISKY]


def register_page(name: str) -> str:
    return bytes(
        pages.page(
            "register_decisions.html",
            wanted=decisions.Wanted(repository=name, by=name),
            address=lambda **_other: name,
            who=name, number=0, last=1, rows=[], kinds=[(name, name)], lost=(),
        ).body
    ).decode()  # fmt: skip


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_page_of_the_register_shows_what_is_hidden_in_a_name(name: str) -> None:
    text = register_page(name)
    assert not [c for c in set(text) - {"\n", "\t"} if unicodedata.category(c) in RISKY]
    tags, quiet = (Structure(one).tags for one in (text, register_page("web")))
    assert [one.split()[0] for one in tags] == [one.split()[0] for one in quiet]


def test_a_refusal_on_the_command_line_steers_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["scan", "/nowhere/\x1b[2J"]) == 2
    assert "/nowhere/<U+001B>[2J is no folder" in capsys.readouterr().err
