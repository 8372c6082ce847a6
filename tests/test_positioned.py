"""Lines, and the trees whose nodes know them."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.detect.lines import Text, decode
from bot.detect.positioned import Node
from bot.detect.yaml_tree import read_json, read_yaml

ODD = "a\r\nb\rc\x0cd\u2028e\u0085f\n\ng"


def root(content: str) -> Node:
    tree = read_yaml(Text(content))
    return tree.documents[0]


def found(node: Node | None) -> Node:
    assert node is not None
    return node


def test_a_line_ends_at_a_line_feed_only(tmp_path: Path) -> None:
    (tmp_path / "odd").write_bytes(ODD.encode())
    numbered = subprocess.run(
        ["git", "grep", "--no-index", "-n", "g$", "--", "odd"],
        cwd=tmp_path, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    assert numbered == "odd:4:g\n"
    text = Text(ODD)
    assert text.line_of(ODD.index("g")) == 4
    assert text.line(1) == "a"
    assert text.line(2) == "b\rc\x0cd\u2028e\u0085f"
    assert len(text) == 4


@given(st.text(alphabet="a\n\r\x0c\u2028\u0085", max_size=30))
def test_every_offset_is_on_the_line_that_counting_gives(content: str) -> None:
    text = Text(content)
    for offset in range(len(content)):
        assert text.line_of(offset) == content.count("\n", 0, offset) + 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_text_is_decoded_by_its_mark_or_its_zero_bytes(encoding: str) -> None:
    content = "services:\n  web: {image: a}\n"
    assert decode(content.encode(encoding)) == content


def test_a_stray_byte_does_not_hide_a_file_and_a_binary_is_none() -> None:
    assert decode(b"caf\xe9") == "caf\xe9"
    assert decode(b"\x7fELF\x00\x01\x02\x00\x00" * 9) is None


def test_lines_are_gits_also_beside_what_yaml_calls_a_break() -> None:
    node = root("a: 'x\u2028y'\nb: 1\r\nc: 2\n")
    assert [key.line for key, _ in node.pairs] == [1, 2, 3]


def test_an_alias_is_the_same_node_and_knows_the_way() -> None:
    node = root("x: &v [/s:/t]\na:\n  volumes: *v\nb:\n  <<: {volumes: *v}\n")
    for name, line in (("a", 3), ("b", 5)):
        member = found(node.get(name, "volumes")).members()[0]
        assert (member.text, member.line) == ("/s:/t", 1)
        assert line in member.via


def test_merge_keys_own_first_then_earlier_merges() -> None:
    node = root("x: &x {k: 1, l: 1}\ny: &y {k: 2, m: 2}\nz:\n  <<: [*x, *y]\n  m: 3\n")
    entries = found(node.get("z")).entries()
    assert {name: value.text for name, (_, value) in entries.items()} == {
        "k": "1",
        "l": "1",
        "m": "3",
    }


def test_a_digest_is_of_the_meaning() -> None:
    one = root("a: 'x'\nb: [1, 2]\n")
    two = root("b:\n  - 1\n  - 2\na:   x\n")
    assert one.digest() == two.digest()
    assert one.digest() != root("a: x\nb: [2, 1]\n").digest()


@pytest.mark.parametrize(
    ("content", "text", "lines"),
    [
        ("s: |\n  a\n\n  b\n", "a\n\nb\n", (2, 3, 4, 5)),
        ("s: >-\n  a\n  b\n", "a \\\nb", (2, 3)),
        ("s: a\n  b\n", "a \\\nb", (1, 2)),
        ('s: "a \\"q\\"\n  b"\n', 'a "q" \\\nb', (1, 2)),
        ('s: "a\\nb"\n', "a\nb", (1, 1)),
        ("s: echo hi\n", "echo hi", (1,)),
    ],
)
def test_a_scalar_as_a_script_keeps_its_lines(
    content: str, text: str, lines: tuple[int, ...]
) -> None:
    assert found(root(content).get("s")).script() == (text, lines)


def test_json_with_comments_and_trailing_commas() -> None:
    tree = read_json(Text('{\n  // no: "x"\n  "url": "http://x", /* "b" */\n  "m": ["s",],\n}\n'))
    assert tree.problem is None
    assert found(tree.documents[0].get("m")).line == 4
    assert found(tree.documents[0].get("url")).text == "http://x"


BROKEN = """\
services:
\tweb:
\t\timage: a
\t\tvolumes: &v
\t\t- /s:/t  # why
{{ if .X }}
<<<<<<< ours
  other:
    volumes: *v
    flow: [a, 'b']
    command: |
      one
      two
   stray
    quoted: "q"
"""


def test_what_yaml_refuses_is_read_by_indentation() -> None:
    tree = read_yaml(Text(BROKEN))
    assert tree.problem is not None
    assert tree.problem.line == 2
    services = found(tree.documents[0].get("services"))
    member = found(services.get("web", "volumes")).members()[0]
    assert (member.text, member.line) == ("/s:/t", 5)
    assert found(services.get("other", "volumes")).members()[0].via == (9,)
    assert [one.text for one in found(services.get("other", "flow")).members()] == ["a", "b"]
    assert found(services.get("other", "command")).text == "one\ntwo"
    assert found(services.get("other", "quoted")).text == "q"


def test_an_alias_bomb_is_read_and_hashed_in_no_time() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    node = root("\n".join(levels))
    assert node.digest()
    assert len(list(node.scalars())) < 1_000


@pytest.mark.parametrize(
    "content", ["[" * 10_000, "- " * 10_000 + "x", "{a: " * 10_000, "? " * 9_000]
)
def test_nesting_without_end_is_refused_and_read_anyway(content: str) -> None:
    assert read_yaml(Text(content)).problem is not None


@given(st.text(alphabet="ab:-[]{}&*!|>'\"#\n\t ,%{}<\u2028\x0c", max_size=200))
def test_no_text_raises_and_every_node_is_inside(content: str) -> None:
    for document in read_yaml(Text(content)).documents:
        for scalar in document.scalars():
            assert 0 <= scalar.start <= len(content)
            assert scalar.line <= content.count("\n") + 1
            scalar.script()


def test_a_block_keeps_gits_lines_also_where_yaml_breaks_more_often() -> None:
    text, lines = found(root("s: |\n  a\r  b\n  c\u0085  d\n  e\n").get("s")).script()
    assert dict(zip(text.split("\n"), lines, strict=True))["e"] == 4


def test_keys_below_a_key_with_a_value_are_not_lost() -> None:
    tree = read_yaml(Text("jobs:\n- job: 'X'\n    steps:\n    - script: a\n"))
    assert tree.problem is not None
    [job] = found(tree.documents[0].get("jobs")).members()
    assert found(job.get("steps")).members()[0].get("script") is not None
