"""What a scalar of a pod says: as it is written, or as a template engine would fill it in."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.detect.grant import Step
from bot.detect.positioned import Node


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it comes from if not from its own line."""

    text: str
    before: tuple[Step, ...] = ()
    others: tuple["Given", ...] = ()  # what else it may be, where a template decides

    def all(self) -> tuple["Given", ...]:
        """Return every value that it may have."""
        return (self, *self.others)


Resolve = Callable[[Node], Given]


def written(node: Node) -> Given:
    """Return a scalar's own text."""
    return Given(node.text)


def filled(
    text: str, parameter: re.Pattern[str], value: Callable[[re.Match[str]], Given | None]
) -> Given:
    """Return a text with the parameters put in that have a value, and where those come from."""
    before: list[Step] = []

    def put(found: re.Match[str]) -> str:
        given = value(found)
        if given is None:
            return found[0]
        before.extend(given.before)
        return given.text

    whole = parameter.sub(put, text)
    return Given(whole, tuple(dict.fromkeys(before)))


def text_of(node: Node | None, resolve: Resolve = written) -> str:
    """Return the text of a scalar, "" where there is none."""
    return resolve(node).text.strip() if node is not None and node.kind == "scalar" else ""
