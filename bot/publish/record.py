"""What a check tells a later evaluation: which findings it showed, and which label it accepted.

It is the last line of the check's summary, hidden from readers. It counts only in a run of our own
App, and only as the last line: everything above may quote a pull request. So a lost database is
rebuilt from GitHub, or else asks again.
"""

from dataclasses import dataclass

from bot.publish.writes import marked, marker

_KIND = "record"
_PULL, _LABEL, _MORE = "pull:", "label:", "more:"


@dataclass(frozen=True, slots=True)
class Record:
    """The record of one check run."""

    pulls: frozenset[int]  # whose findings the page shows: all with this head commit
    shown: frozenset[str] = frozenset()  # fingerprints
    label: int | None = None  # the label event that was found to count
    more: frozenset[str] = frozenset()  # fingerprints that it covers beyond those shown

    @property
    def covers(self) -> frozenset[str]:
        """What the label was put on for."""
        return self.shown | self.more if self.label is not None else frozenset()

    def line(self) -> str:
        """Write it as a hidden line."""
        words = [f"{_PULL}{number}" for number in sorted(self.pulls)]
        if self.label is not None:
            words.append(f"{_LABEL}{self.label}")
        words += sorted(self.shown)
        words += [f"{_MORE}{fingerprint}" for fingerprint in sorted(self.more)]
        return marker(_KIND, *words)


def read_record(summary: str) -> Record:
    """Read what `Record.line` wrote; nothing where there is none."""
    words = marked(summary, _KIND)
    labels = [int(word.removeprefix(_LABEL)) for word in words if word.startswith(_LABEL)]
    return Record(
        pulls=frozenset(int(w.removeprefix(_PULL)) for w in words if w.startswith(_PULL)),
        shown=frozenset(word for word in words if ":" not in word),
        label=labels[0] if labels else None,
        more=frozenset(w.removeprefix(_MORE) for w in words if w.startswith(_MORE)),
    )
