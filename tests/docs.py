"""Write the generated pages of docs/. `make docs` runs it; `make test` demands an empty diff."""

import ast
import inspect
import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml

from bot.detect.format import formats
from bot.gate.policy import json_schema

TOP = Path(__file__).parent.parent


def formats_page() -> str:
    """Return docs/formats.md, from the modules' docstrings."""
    parts = [
        "# What is read",
        "",
        "Generated from the modules in `bot/detect/formats/` by `make docs`. Each has its cases in",
        "`tests/cases/`. Scripts inside any of them are read by one shell interpreter.",
        "",
    ]
    for form in formats():
        document = inspect.getdoc(import_module(f"bot.detect.formats.{form.name}")) or ""
        parts += [f"## {form.name}", "", *_markdown(document), ""]
    return "\n".join(parts).rstrip() + "\n"


def _markdown(document: str) -> list[str]:
    """Return a docstring as Markdown: its indented blocks are examples."""
    return [line.rstrip() for line in document.splitlines()]


_TABLE = "<!-- scenarios: written by `make docs` -->"


def gate_page() -> str:
    """Return docs/gate.md with its last section, the scenarios, from the tests."""
    kept, mark, _ = _read(TOP / "docs/gate.md").partition(_TABLE)
    if not mark:
        raise ValueError(f"docs/gate.md has to say {_TABLE}")
    parts = [kept.rstrip(), "", mark]
    for file in sorted((TOP / "tests/scenarios").glob("test_*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        tests = [
            one
            for one in tree.body
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
        ]
        heading = " ".join((ast.get_docstring(tree) or file.name).split()).rstrip(".")
        parts += ["", f"### {heading}", "", "| scenario | what is tried | what happens |"]
        parts += ["|---|---|---|", *map(_scenario, tests)]
    return "\n".join(parts) + "\n"


def _scenario(test: ast.FunctionDef) -> str:
    """Return one row: the name as a sentence, and the two paragraphs of the docstring."""
    words = test.name.removeprefix("test_").split("_")
    sentence = " ".join({"github": "GitHub", "app": "App"}.get(word, word) for word in words)
    name = sentence[0].upper() + sentence[1:]
    paragraphs = (ast.get_docstring(test) or "").split("\n\n")
    if len(paragraphs) != 2:
        raise ValueError(f"{test.name}: say in two paragraphs what is tried and what happens")
    tried, happens = (" ".join(one.split()).replace("|", "\\|") for one in paragraphs)
    return f"| {name} | {tried} | {happens} |"


def schema_page() -> str:
    """Return docs/sockgate.schema.json, from the policy's model."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


_POLICY_TOP = """# The policy

Generated from the model in `bot/gate/policy.py` by `make docs`.

`.github/sockgate.yml` on the default branch; without one, `sockgate.yml` in the owner's repository
`.github`; without that, the defaults below. Every key may be left out. An unknown key is an error,
and a policy with an error is as strict as none: the defaults hold, and every check says so, with
line and key. A pull request that changes the policy is told whether it is valid, and judged by the
one on the default branch.

Editors complete and check it with the schema [`sockgate.schema.json`](sockgate.schema.json), which
your server hands out, too. With the YAML language server the first line says where:

```yaml
# yaml-language-server: $schema=https://YOUR-HOST/sockgate.schema.json
```
"""


def policy_page() -> str:
    """Return docs/policy.md, from the policy's model."""
    schema = json_schema()
    parts = [_POLICY_TOP.rstrip(), "", "## Keys", "", *_keys(schema), ""]
    ignore = schema["$defs"]["Ignore"]
    parts += ["## Each entry of `ignore`", "", *_keys(ignore)]
    return "\n".join(parts) + "\n"


def _keys(schema: dict[str, Any]) -> list[str]:
    """Return a table of a schema's keys, and an example of each."""
    rows = ["| key | what it takes | default | what it says |", "|---|---|---|---|"]
    examples = []
    for key, one in schema["properties"].items():
        default = "required" if key in schema.get("required", ()) else _default(one["default"])
        rows.append(f"| `{key}` | {_takes(one)} | {default} | {one['description']} |")
        for value in one["examples"]:
            examples += yaml.safe_dump({key: value}, sort_keys=False).splitlines()
    return [*rows, "", "```yaml", *(line.replace("'", "") for line in examples), "```"]


def _default(value: Any) -> str:
    if value in (None, []):
        return "none"
    return (
        ", ".join(f"`{one}`" for one in value) if isinstance(value, list) else f"`{_word(value)}`"
    )


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _takes(one: dict[str, Any]) -> str:
    if "anyOf" in one:
        return _takes(next(kind for kind in one["anyOf"] if kind.get("type") != "null"))
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    if "$ref" in one:
        return "entries, see below"
    if one["type"] == "array":
        return f"a list of {_takes(one['items'])}"
    if one.get("format") == "date":
        return "a date"
    return {"string": "text", "boolean": "`true` or `false`"}[one["type"]]


PAGES = {
    "docs/formats.md": formats_page,
    "docs/gate.md": gate_page,
    "docs/policy.md": policy_page,
    "docs/sockgate.schema.json": schema_page,
}


def main() -> int:
    """Write every page; with --check, only tell which differ."""
    stale = [name for name, page in PAGES.items() if _read(TOP / name) != page()]
    if "--check" not in sys.argv:
        for name in stale:
            (TOP / name).write_text(PAGES[name](), "utf-8")
            sys.stdout.write(f"{name}\n")
        return 0
    return 1 if stale else 0


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main())
