"""A place in a shell text: what every part of the reader needs."""

from bot.detect.patterns import pattern

DEEPEST = 32  # levels of nesting that are followed; what lies deeper is one opaque word

_BLANK = pattern(r"(?:[ \t\r\f\v]+|\\\r?\n)+")


class Cursor:
    """Stands at `at` in `text`, which is read up to `end`."""

    def __init__(self, text: str, at: int = 0, end: int | None = None, depth: int = 0) -> None:
        self.text = text
        self.at = at
        self.end = len(text) if end is None else end
        self.depth = depth
        self.unfinished: int | None = None  # where something began that never ends
        self.deep = False  # something is nested too deep to be followed
        self._next: dict[str, int] = {}

    def blank(self) -> None:
        """Skip spaces and continued lines."""
        if found := _BLANK.match(self.text, self.at, self.end):
            self.at = found.end()

    def lost(self, at: int) -> None:
        """Remember where something began that never ends."""
        if self.unfinished is None or at < self.unfinished:
            self.unfinished = at

    def find(self, token: str, at: int) -> int:
        """Return where `token` comes next, or the end. Answers are kept: the whole stays linear."""
        known = self._next.get(token, -1)
        if known < at:
            known = self.text.find(token, at, self.end)
            if known < 0:
                known = self.end
            self._next[token] = known
        return known

    def on_this_line(self, token: str, at: int) -> int | None:
        """Return the offset after `token` if it comes before the line ends."""
        found = self.find(token, at)
        return found + len(token) if found < self.find("\n", at) else None
