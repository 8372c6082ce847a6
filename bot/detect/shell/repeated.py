"""A script that was followed before, on other lines: jobs and steps often say the same.

What a script reaches depends on which of its lines come first and which are the same line, never on
their numbers. So it is followed with small numbers in the same order, and the answer is kept.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple

from bot.detect import effort
from bot.detect.shell.model import Env, Reach, Script, Value

Dialect = Literal["sh", "powershell", "cmd"]


class Followed(NamedTuple):
    """What a script reaches, and the work it took to tell."""

    reaches: tuple[Reach, ...]
    work: int


Follow = Callable[[Script, Env, Dialect], Followed]
_LONGEST = 2_000  # characters of a script and its variables that are kept
_KEPT = 1_000
_VARIABLE = 10  # characters of a script that a variable costs as much as
_FIRST = 1  # the interpreter says line 1 of what has no line, and 0 is a line that is not known


def followed(script: Script, env: Env, dialect: Dialect, follow: Follow) -> tuple[Reach, ...]:
    """Return what `follow` says of a script, as it does if nothing is kept."""
    values = [value for value in env.values() if isinstance(value, Value)]
    length, size = len(script.text) + _VARIABLE * len(env), len(script.text)
    if env:
        size += sum(map(len, env)) + sum([len(value.text) for value in values])
    if size > _LONGEST or len(values) < len(env):
        found = follow(script, env, dialect)
        effort.spend_script(length, found.work)
        return found.reaches
    numbers = sorted({0, _FIRST, *script.lines, *[value.line for value in values]})
    small = {number: index for index, number in enumerate(numbers)}
    given = tuple(
        [(name, value.text, small[value.line]) for name, value in zip(env, values, strict=True)]
    )
    lines = tuple([small[line] for line in script.lines])

    def made() -> Followed:
        found = _kept(script.text, lines, given, dialect, follow)
        effort.spend_script(length, found.work)
        return found

    found = effort.once((script.text, lines, given, dialect), made)
    return tuple([_on(numbers, reach) for reach in found.reaches])


@lru_cache(maxsize=_KEPT)
def _kept(
    text: str,
    lines: tuple[int, ...],
    given: tuple[tuple[str, str, int], ...],
    dialect: Dialect,
    follow: Follow,
) -> Followed:
    env = {name: Value(value, line) for name, value, line in given}
    return follow(Script(text, lines), env, dialect)


def _on(numbers: Sequence[int], reach: Reach) -> Reach:
    """Return a reach on the lines that its small numbers stand for."""
    return Reach(
        numbers[reach.line],
        tuple([numbers[step] for step in reach.steps]),
        reach.command,
        reach.image,
        reach.resource,
        reach.how,
        reach.severity,
        tuple([(flag, numbers[line]) for flag, line in reach.undermines]),
        (numbers[reach.extent[0]], numbers[reach.extent[1]]),
        reach.words,
    )
