"""Hostile text -> one line that is safe to print: no control characters, no direction marks."""

import unicodedata

_LONGEST = 200
_SPACES = "\t\n\r"


def plain(text: str, longest: int = _LONGEST) -> str:
    """Return `text` on one line, its invisible characters made visible, cut at `longest`."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    if cut.isprintable():
        return cut
    return "".join(_visible(character) for character in cut)


def visible(text: str) -> str:
    """Return `text` with what nobody would see made visible; its lines and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one in _SPACES else _visible(one) for one in text)


def _visible(character: str) -> str:
    if character in _SPACES:
        return " "
    if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}:
        return f"<U+{ord(character):04X}>"
    return character
