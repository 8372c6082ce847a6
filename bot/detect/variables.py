"""`$X`, `${X}`, `${X:-default}` in a text -> the text with what the file gives put in.

For formats whose variables are not a shell's (Dockerfile, Makefile, units). Unset variables stay as
they are written, so that what is unknown is still seen to be unknown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bot.detect.patterns import pattern

_VARIABLE = pattern(
    r"(?<!\\)\$(?:\{(?P<braced>\w+)(?::?(?P<operator>[-+?=])(?P<word>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*))"
)
_LONGEST = 100_000


class _Valued(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def line(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Expanded:
    """A text with its variables put in, and the lines that gave them."""

    text: str
    lines: tuple[int, ...]


def expand(text: str, values: Mapping[str, _Valued]) -> Expanded:
    """Return `text` with the variables of `values` put in. The result is bounded in length."""
    lines: list[int] = []

    def value(found: re.Match[str]) -> str:
        known = values.get(found["braced"] or found["bare"])
        operator, word = found["operator"], found["word"] or ""
        if known is not None and operator == "+":
            return word
        if known is not None:
            lines.append(known.line)
            return known.text
        if operator in {"-", "="}:
            return word
        return "" if operator == "+" else found[0]

    if "$" not in text:
        return Expanded(text, ())
    return Expanded(_VARIABLE.sub(value, text)[:_LONGEST], tuple(dict.fromkeys(lines)))
