"""Patterns that are compiled when something is first searched for.

Most runs meet few kinds of files, and compiling what all formats look for takes longer than that.
"""

import re
from typing import Any, cast


class _Pattern:
    def __init__(self, text: str, flags: int) -> None:
        self._compiled: re.Pattern[str] | None = None
        self._flags = flags
        self.pattern = text

    def __getattr__(self, name: str) -> Any:
        """Return a method of the compiled pattern, and keep it: the next time costs nothing."""
        if self._compiled is None:
            self._compiled = re.compile(self.pattern, self._flags)
        found = getattr(self._compiled, name)
        setattr(self, name, found)
        return found


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """Return what `re.compile` does, as far as one can tell from using it."""
    return cast("re.Pattern[str]", _Pattern(text, flags))
