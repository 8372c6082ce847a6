import tomllib

import pytest

from bot.detect.lines import Text
from bot.detect.positioned import Node
from bot.detect.toml import read_toml

DOCUMENTS = (
    'a = 1\nb = "x"\n\n[t]\nc = true\nd.e = 2.5\n',
    '[[r]]\nname = "one"\n[r.docker]\nv = ["a", "b",\n  # c\n  "d"]\n[[r]]\nname = "two"\n',
    'x = { y = [ { z = "1" }, { z = "2" } ], "quoted key" = 3 }\n',
    "raw = '''\nline \\n one\nline two'''\nlong = \"\"\"\nfirst\nsecond\"\"\"\n",
    'e = "tab\\tquote\\" \\u00e9 \\\\ end"\n[a.b.c]\nk = 1\n[a.d]\nk = 2\n',
)


def plain(node: Node) -> object:
    if node.kind == "map":
        return {key.text: plain(value) for key, value in node.pairs}
    return [plain(item) for item in node.items] if node.kind == "list" else node.text


def as_text(value: object) -> object:
    if isinstance(value, dict):
        return {key: as_text(one) for key, one in value.items()}
    if isinstance(value, list):
        return [as_text(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_reads_what_the_standard_library_reads(document: str) -> None:
    assert plain(read_toml(Text(document))) == as_text(tomllib.loads(document))


def test_every_value_knows_its_line() -> None:
    text = Text('a = 1\n[t]\nv = [\n  "x",\n  "y" ]\n')
    values = read_toml(text).get("t", "v")
    assert values is not None
    assert [item.line for item in values.members()] == [4, 5]


@pytest.mark.parametrize(
    "broken", ["[[a", "a = [1, ", "a = {b = ", "= 1", "a =", 'a = "x', "[a]\nb = [\n[c]\nd = 1\n"]
)
def test_what_is_broken_is_skipped(broken: str) -> None:
    after = read_toml(Text(f"{broken}\n[last]\nkey = 1\n"))
    assert after.get("last", "key") is not None
