"""What goes into the shell interpreter (Script, Value) and what comes out (Reach)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern

# How a text starts that is a script for a shell of the sh family, whatever holds it.
SHEBANG = pattern(r"\s*#!.*\b(?:ba|da|a|z|k)?sh\b")


@dataclass(frozen=True, slots=True)
class Script:
    """Shell text and where each piece of it stands in the file."""

    text: str
    lines: tuple[int, ...]  # file line (1-based) of each line of `text`, which is split at \n only

    @classmethod
    def at(cls, text: str, first_line: int) -> "Script":
        """Return a script whose lines follow each other in the file, as in a literal block."""
        return cls(text, tuple(range(first_line, first_line + text.count("\n") + 1)))

    @classmethod
    def flat(cls, text: str, line: int) -> "Script":
        """Return a script that stands on one line of the file, as in a quoted scalar."""
        return cls(text, (line,) * (text.count("\n") + 1))


@dataclass(frozen=True, slots=True)
class Value:
    """The text of a variable that the file gives, and the line that gives it."""

    text: str
    line: int


Env = Mapping[str, str | Value]


class Reach(NamedTuple):
    """One command of a script that reaches a daemon, or hands it to a container."""

    line: int  # file line of the word that says it, not the command's first line
    steps: tuple[int, ...]  # file lines of the way: where the word's text comes from first
    command: str  # stable name: "docker run", "dockerd", "socat", "export DOCKER_HOST"
    image: str | None  # repository of the started container's image; None if none is started
    resource: str  # see `bot.detect.sockets`
    how: How
    severity: Severity
    undermines: tuple[tuple[str, int], ...]  # restrictions of the same command it undoes, and line
    extent: tuple[int, int]  # first and last file line of the command
    words: str  # the command with variables resolved, without quotes and image tag
