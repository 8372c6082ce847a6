"""Write the generated pages of docs/. `make docs` runs it; `make test` demands an empty diff."""

import ast
import inspect
import sys
from importlib import import_module
from pathlib import Path

from bot.detect.format import formats

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
    name = test.name.removeprefix("test_").replace("_", " ").capitalize()
    paragraphs = (ast.get_docstring(test) or "").split("\n\n")
    if len(paragraphs) != 2:
        raise ValueError(f"{test.name}: say in two paragraphs what is tried and what happens")
    tried, happens = (" ".join(one.split()).replace("|", "\\|") for one in paragraphs)
    return f"| {name} | {tried} | {happens} |"


PAGES = {"docs/formats.md": formats_page, "docs/gate.md": gate_page}


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
