"""The keys at the starts of a file's lines, told once a file, so that most patterns need no search.

Every format is asked whether a file is its own, and most look for a key or two. A pattern that
names the keys which any match of it holds is searched for only in files that have one of them.
"""

import re
from functools import cached_property, lru_cache

# Searched for with a line end before the text: far faster than `^`.
_KEY = re.compile(r"\n[ \t\-{\"']*+(\w++)[\"']?[ \t]*+:")


@lru_cache(maxsize=4)
def keys(text: str) -> frozenset[str]:
    """Return each word that a line starts with and a colon follows.

    Dashes, braces, quotes and blanks may stand before it, a quote and blanks before the colon:
    `- name:`, `{"name":`.
    """
    return frozenset(_KEY.findall(f"\n{text}"))


class Keyed:
    """A pattern for whole files: `^` is the start of a line. Each match of it holds a key.

    `words` are these keys, as `keys` tells them: one of them is in whatever the pattern matches.
    """

    def __init__(self, pattern: str, *words: str) -> None:
        self._pattern = pattern
        self.words = frozenset(words)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The pattern, compiled when it is first searched for."""
        return re.compile(self._pattern, re.MULTILINE)

    def search(self, text: str) -> re.Match[str] | None:
        """Return the pattern's first match."""
        if self.words.isdisjoint(keys(text)):
            return None
        return self.pattern.search(text)
