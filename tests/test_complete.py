"""What exists is documented, and what is documented exists."""

import re
from pathlib import Path

import pytest

from bot.detect.format import formats
from tests.docs import PAGES

TOP = Path(__file__).parent.parent


def test_every_path_named_in_contributing_exists() -> None:
    text = (TOP / "CONTRIBUTING.md").read_text("utf-8")
    named = {p for p in re.findall(r"`((?:bot|tests|docs)/[\w./-]*)`", text) if "<" not in p}
    assert named
    assert [path for path in sorted(named) if not (TOP / path).exists()] == []


DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: str(document.name))
def test_what_a_document_points_to_exists(document: Path) -> None:
    text = document.read_text("utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", text)
    assert [link for link in links if not (document.parent / link).exists()] == []
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text("utf-8"), re.MULTILINE))
    code = "\n".join(re.findall(r"`[^`\n]+`|```sh\n.*?```", text, re.DOTALL))
    assert set(re.findall(r"\bmake ([a-z]+)", code)) <= targets


@pytest.mark.parametrize("page", PAGES)
def test_generated_pages_are_up_to_date(page: str) -> None:
    assert (TOP / page).read_text("utf-8") == PAGES[page](), "run `make docs`"


@pytest.mark.parametrize("name", [form.name for form in formats()])
def test_every_format_says_what_it_reads_and_shows_an_example(name: str) -> None:
    text = (TOP / "bot/detect/formats" / f"{name}.py").read_text("utf-8")
    docstring = text.split('"""')[1]
    assert len(docstring.strip().splitlines()) > 3
    assert re.search(r"^    \S", docstring, re.MULTILINE), "an indented example"
