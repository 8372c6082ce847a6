"""What was found, line by line, and how it is printed."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

WELL, TO_MEND, NOT_CHECKED = 0, 1, 2
REACH = "see that this machine reaches it (name, proxy, firewall), and ask again"


class State(StrEnum):
    """How one thing stands."""

    OK = "ok"
    WARN = "warn"  # it works, and yet
    FAIL = "fail"
    UNSEEN = "unseen"  # with these permissions nobody can tell
    LOST = "lost"  # it could not be asked


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `mend` says what to do where it is not well."""

    about: str
    state: State
    says: str
    mend: str = ""


def ok(about: str, says: str) -> Line:
    """Say that something is as it has to be."""
    return Line(about, State.OK, says)


def warn(about: str, says: str, mend: str) -> Line:
    """Say that something works, and could be better."""
    return Line(about, State.WARN, says, mend)


def fail(about: str, says: str, mend: str) -> Line:
    """Say that something is broken."""
    return Line(about, State.FAIL, says, mend)


def unseen(about: str, says: str, mend: str) -> Line:
    """Say that something cannot be seen."""
    return Line(about, State.UNSEEN, says, mend)


def lost(about: str, says: str, mend: str) -> Line:
    """Say that something could not be asked."""
    return Line(about, State.LOST, says, mend)


def exit_code(lines: Iterable[Line]) -> int:
    """Return 1 where something is to be mended, else 2 where something could not be checked."""
    states = {line.state for line in lines}
    if State.FAIL in states:
        return TO_MEND
    return NOT_CHECKED if State.LOST in states else WELL


def as_text(lines: Iterable[Line]) -> str:
    """Print for people."""
    text = []
    for line in lines:
        text.append(f"{line.state:<7} {_plain(line.about)}: {_plain(line.says)}\n")
        if line.mend:
            text.append(f"        -> {_plain(line.mend)}\n")
    return "".join(text)


def as_json(lines: Iterable[Line]) -> str:
    """Print for machines: an object with the exit code and the lines."""
    listed = list(lines)
    return json.dumps(
        {
            "exit_code": exit_code(listed),
            "lines": [
                {"about": one.about, "state": one.state, "says": one.says, "mend": one.mend}
                for one in listed
            ],
        },
        indent=2,
    )


def _plain(text: str) -> str:
    """Keep what others wrote from steering a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
