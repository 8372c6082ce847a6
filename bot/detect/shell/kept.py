"""Commands that a script keeps in a variable and leaves to others.

    export GATEWAY_COMMAND='docker run -v /var/run/docker.sock:/var/run/docker.sock gateway'

What the script expands itself is followed there. What it never names again is for who sources it or
is started by it: a container client's command, or options that mount a socket, mean nothing else.
"""

import re

from bot.detect.patterns import pattern
from bot.detect.shell import commands
from bot.detect.shell.call import Call
from bot.detect.shell.pieces import Arg

_CLIENT = pattern(
    r"\s*(?:sudo\s+(?:-\S+\s+)*)?(?:\S*/)?(?:docker|podman|nerdctl)\s(?:.*\s)?(?:run|create)\s",
    re.DOTALL,
)
_OPTIONS = pattern(r"\s*-[\w-]")
_TEXT = pattern(
    r"usage|help|example|e?x?msg|message|desc|doc(?!ker)|expect|hint|note|text|want", re.IGNORECASE
)
_MOST = 200


class Kept:
    """Takes note of variables that hold a command or options."""

    def __init__(self) -> None:
        self._values: list[tuple[str, Arg, Call]] = []

    def note(self, name: str, value: Arg, call: Call) -> None:
        """Take note of an assignment."""
        told = _CLIENT.match(value.text) or (_OPTIONS.match(value.text) and ".sock" in value.text)
        if told and not _TEXT.search(name) and len(self._values) < _MOST:
            self._values.append((name, value, call))

    def look(self, text: str) -> None:
        """Look at what the script, of which `text` is the whole, never expands."""
        for name, value, call in self._values:
            if re.search(rf"\$(?:\{{[#!]?)?{re.escape(name)}\b", text):
                continue
            if _CLIENT.match(value.text):
                call.host.script(value.pieces, call)
            else:
                commands.options(call, commands.pieces_of(value), f"export {name}")
