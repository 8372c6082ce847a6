"""Write the generated pages of docs/. `make docs` runs it; `make test` demands an empty diff."""

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


PAGES = {"docs/formats.md": formats_page}


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
