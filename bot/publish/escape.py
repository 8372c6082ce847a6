"""Hostile text -> Markdown that cannot mention, link, break out, or look like something else.

Source: GitHub Flavored Markdown specification (code spans, tables, autolinks).
"""

import re

from bot.publish.plain import plain

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&:@/=$^\"'])")
_LONGEST = 300


def code(text: str, longest: int = _LONGEST) -> str:
    """Return text as a code span, also fit for a table cell.

    The fence is longer than any run of backticks inside; nothing is interpreted in a code span, so
    no mention and no link comes out of it. A pipe would end a table cell even there.
    """
    shown = plain(text, longest).replace("|", "¦")
    runs = re.findall(r"`+", shown)
    fence = "`" * (max(map(len, runs), default=0) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown.strip() else ""
    return f"{fence}{pad}{shown or ' '}{pad}{fence}"


def prose(text: str, longest: int = _LONGEST) -> str:
    """Return text as Markdown that shows exactly its characters.

    Every character that could mean something is written as a character reference.
    """
    shown = plain(text, longest)
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", shown)
