"""Hostile text -> Markdown that cannot mention, link, break out, or look like something else.

Source: GitHub Flavored Markdown specification (code spans, tables, autolinks).
"""

import re

from bot.publish.plain import plain

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@/=$^\"'])")
_LONGEST = 300


def code(text: str, longest: int = _LONGEST) -> str:
    """Return text as a code span.

    The fence is longer than any run of backticks inside; nothing is interpreted in a code span, so
    no mention and no link comes out of it.
    """
    shown = plain(text, longest)
    runs = re.findall(r"`+", shown)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def cell(text: str, longest: int = _LONGEST) -> str:
    """Return text as a code span for a cell of a table, which a pipe would end even there."""
    return code(text.replace("|", "¦"), longest)


def prose(text: str, longest: int = _LONGEST) -> str:
    """Return text as Markdown that shows exactly its characters.

    Every character that could mean something is written as a character reference. GitHub looks for
    mentions and references in the rendered text, so a word joiner (U+2060), which nobody sees,
    follows each `@` and `#`.
    """
    return _SPECIAL.sub(_reference, plain(text, longest))


def _reference(found: re.Match[str]) -> str:
    joiner = "&#8288;" if found[0] in "@#" else ""
    return f"&#{ord(found[0])};{joiner}"


def own(text: str) -> str:
    """Return a sentence of our own data as Markdown: nothing in it mentions or opens a tag."""
    return re.sub(r"[<>*@`]", _reference, text)
