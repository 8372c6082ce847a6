"""systemd-style unit files: sections, keys, values, and the line of each value.

Source: systemd.syntax(7).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect.lines import Text
from bot.detect.patterns import pattern

_SECTION = pattern(r"\s*\[(?P<name>[^\]]+)\]\s*\Z")
# What only steers a template engine, on a line of its own inside a continued value.
_STEERING = pattern(
    r"\s*\{(?:%.*%|#.*#)\}\s*\\?\s*\Z|\s*\{\{-?\s*(?:if|else|end|range|with)\b[^{}]*\}\}\s*\Z"
)
_PREFIX = pattern(r"\A[@\-+!:|]+")  # systemd.service(5), "Command lines"
_ENTRY = pattern(r"\s*(?P<key>[A-Za-z][\w-]*)\s*=\s*(?P<value>.*)\Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One assignment. `value` keeps its continuations as backslash and newline."""

    section: str
    key: str
    value: str
    lines: tuple[int, ...]  # of the file, one for each line of `value`

    @property
    def text(self) -> str:
        """The value on one line, without quotes around it."""
        return self.value.replace("\\\n", " ").strip().strip("\"'")


def command(text: str) -> str:
    """Return what a unit executes, without the marks before it that say how."""
    return _PREFIX.sub("", text)


def entries(text: Text) -> Iterator[Entry]:
    """Yield the assignments of a unit file in order."""
    section, number, last = "", 1, len(text)
    while number <= last:
        line = text.line(number)
        first = number
        number += 1
        if not line.strip() or line.lstrip().startswith(("#", ";")):
            continue
        if found := _SECTION.match(line):
            section = found["name"]
            continue
        entry = _ENTRY.match(line)
        if entry is None:
            continue
        pieces, lines = [entry["value"]], [first]
        while pieces[-1].endswith("\\") and number <= last:
            following = text.line(number)
            number += 1
            if following.lstrip().startswith(("#", ";")) or _STEERING.match(following):
                continue
            pieces.append(following)
            lines.append(number - 1)
        yield Entry(section, entry["key"], "\n".join(pieces), tuple(lines))
