"""One command with its words expanded, and what its handler may ask of the interpreter."""

import re
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from bot.detect.grant import How
from bot.detect.patterns import pattern
from bot.detect.shell.pieces import Arg, Piece, Pieces
from bot.detect.sockets import Target

UNKNOWN: Pieces = (Piece("", (), known=False),)  # output that nothing tells
NONE: Pieces = ()  # no output

_SUFFIX = pattern(r"\.(?:exe|cmd|bat)\Z", re.IGNORECASE)


class Host(Protocol):
    """What a handler may ask of the interpreter."""

    containers: dict[str, Target]  # started here by name, with what each reaches
    files: dict[str, Pieces]  # written here, with their text
    covered: frozenset[str]  # resources that the container around the commands has anyway
    contained: bool  # the commands run inside a container

    def report(
        self,
        call: "Call",
        target: Target,
        value: Arg,
        flag: Arg | None = None,
        *,
        command: str,
        how: How | None = None,
        image: Arg | None = None,
        undermines: Sequence[tuple[str, int]] = (),
        about: str = "",
        words: str | None = None,
    ) -> None:
        """Add a reach.

        `value` is the word that says it, `about` the telling part of its text, `words` what stands
        for the whole command where its own words do not say it.
        """

    def script(self, pieces: Pieces, call: "Call", arguments: Sequence[Arg] = ()) -> Pieces:
        """Run text as a script and return its output."""

    def command(self, call: "Call") -> Pieces:
        """Run one command whose words are expanded already."""

    def assign(self, call: "Call", name: Arg, value: Arg) -> None:
        """Look at `NAME=value` before a command."""

    def options(self, call: "Call", words: Sequence[Arg]) -> None:
        """Look at options of any program that mount a socket or name a daemon's address."""

    def secured(self) -> None:
        """Take note that the script turns TLS on for its client."""


class Call(NamedTuple):
    """One command."""

    args: tuple[Arg, ...]
    host: Host
    extent: tuple[int, int]  # first and last line of the command
    origin: tuple[int, ...]  # where it stands; the same for each variation of a command
    stdin: Pieces | None = None  # what is fed to it, if that is known

    @property
    def name(self) -> str:
        """The command's name without its folder."""
        return command_name(self.args[0].text) if self.args else ""

    def drop(self, count: int) -> "Call":
        """Return the command without its first words."""
        return self._replace(args=self.args[count:])

    def has(self, option: str) -> bool:
        """Tell whether one of the words is `option`."""
        return any(word.text == option for word in self.args)

    def texts(self) -> list[str]:
        """Return the text of each word."""
        return [arg.text for arg in self.args]


def command_name(text: str) -> str:
    """Return the name of a command without folder and `.exe`, in lower case."""
    if text.isalpha() and text.islower():
        return text
    return _SUFFIX.sub("", text.replace("\\", "/").rsplit("/", 1)[-1]).lower()


def joined(args: Sequence[Arg]) -> Pieces:
    """Return words as one text, with spaces between them."""
    pieces: list[Piece] = []
    for arg in args:
        if pieces:
            pieces.append(Piece(" ", arg.pieces[0].trail if arg.pieces else ()))
        pieces.extend(arg.pieces)
    return tuple(pieces)
