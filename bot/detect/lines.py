r"""The one place that says what a line is: text split at "\n" only, as git counts.

A lone carriage return, a form feed, U+0085 and U+2028 are inside lines.
"""

import codecs
import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

# What is larger is searched for mentions only: no format here is written by hand at this size.
LARGEST = 8 * 1024 * 1024

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CONTROLS = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f]")
_SAMPLE = 8_000  # bytes that git looks at to call a file binary


class Text:
    """A file's text and its lines."""

    def __init__(self, content: str) -> None:
        self.content = content

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The offset at which each line starts."""
        lengths = [len(line) + 1 for line in self.content.split("\n")]
        return tuple(accumulate(lengths[:-1], initial=0))

    def line_of(self, offset: int) -> int:
        """Return the 1-based line that holds the character at `offset`."""
        return bisect_right(self.starts, offset)

    def line(self, number: int) -> str:
        """Return line `number` without its line end; "" past the end."""
        if not 1 <= number <= len(self.starts):
            return ""
        start = self.starts[number - 1]
        end = self.content.find("\n", start)
        return self.content[start : end if end >= 0 else None].removesuffix("\r")

    def __len__(self) -> int:
        """Return the number of lines; a last line without a line end counts."""
        return len(self.starts) - (1 if self.content.endswith("\n") else 0)


def decode(data: bytes) -> str | None:
    """Return a file's text, or None where it is binary.

    UTF-8, else UTF-16 or UTF-32 by byte order mark or by its zero bytes, else Latin-1: a stray
    byte must not hide the rest of a file. A byte order mark is not part of the text, and neither
    is a zero byte here and there, which makes a file binary to git but not to a shell.
    """
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    sample = data[:_SAMPLE]
    if 0 in sample:
        for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
            if len(sample) > 3 and zeros.count(0) >= len(zeros) * 9 // 10:
                return data.decode(encoding, "replace")
        if _CONTROLS.search(sample) or sample.count(0) > len(sample) // 20:
            return None
    if 0 in data:  # a shell passes over them
        data = data.replace(b"\0", b"")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
