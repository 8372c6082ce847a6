"""Symbolic links are followed within the repository, and nowhere else."""

import pytest

from bot.detect.source import DictSource
from bot.review.links import Followed

FILES = {
    "compose.yaml": b"docs/notes.txt",
    "deploy/compose.yaml": b"../compose.yaml",
    "docs/notes.txt": b"services: {}\n",
    "round/a": b"b",
    "round/b": b"a",
    "self": b"self",
    "out": b"../secret",
    "absolute": b"/docs/notes.txt",
    "nowhere": b"docs/none.txt",
    "bytes": b"\xff\xfe",
    "lines": b"docs/notes.txt\n",
    "empty": b"",
    "long": b"x" * 2_000,
}


@pytest.mark.parametrize("path", ["compose.yaml", "deploy/compose.yaml", "docs/notes.txt"])
def test_a_link_gives_what_it_leads_to(path: str) -> None:
    assert Followed(DictSource(FILES)).read(path) == FILES["docs/notes.txt"]


@pytest.mark.parametrize("path", sorted(set(FILES) - {"compose.yaml", "deploy/compose.yaml"}))
def test_anything_else_is_what_it_is(path: str) -> None:
    found = Followed(DictSource(FILES)).read(path)
    assert found in {FILES[path], *((b"a", b"b") if path.startswith("round/") else ())}


def test_what_is_not_there_is_not_there() -> None:
    source = Followed(DictSource(FILES))
    assert source.read("none") is None
    assert sorted(source.paths()) == sorted(FILES)
