"""The variables of a script, each with the values that branches and loops may have given it."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from bot.detect.patterns import pattern
from bot.detect.shell.pieces import Arg, Piece, Pieces, Trail, text_of

ARGUMENTS = "@"  # the name under which a scope holds `$1`, `$2`, …
MOST_VALUES = 8  # of one variable
_MOST_DULL = 2  # values that could not matter
_TELLS = pattern(r"sock|docker|podman|nerdctl|pipe|/run|/var|tcp:|unix:|ssh:|:\d{4}|-v|--|\A/\Z")
_NAMES_DAEMON = pattern(r"sock|pipe|/run\b|tcp:|unix:|ssh:")


class Binding(NamedTuple):
    """One value of a variable: one field, or the elements of an array."""

    fields: tuple[Pieces, ...]
    array: bool = False


# One of several values, none of which could matter: as good as not known, but not empty.
VARIED = Binding(((Piece("", (), known=False),),))
Values = tuple[Binding | None, ...]  # None: perhaps not set here


class Scope:
    """The variables, in layers: what happens in a branch stays in its layer until it is joined."""

    def __init__(self) -> None:
        self.layers: list[dict[str, Values]] = [{}]
        self.variation = 0
        self._given: dict[str, list[Binding | None]] = {}

    def get(self, name: str) -> Values:
        """Return the values that a variable may have; none if nothing sets it."""
        for layer in reversed(self.layers):
            if name in layer:
                return layer[name]
        return ()

    def set(self, name: str, values: Iterable[Binding | None]) -> None:
        """Give a variable new values."""
        held = _distinct(values)
        if len(held) > 1 and name != ARGUMENTS and not any(map(_matters, held)):
            held = (VARIED if all(map(_filled, held)) else None,)
        self.layers[-1][name] = held

    def give(self, name: str, value: Binding | None) -> None:
        """Give a variable a value in this variation of a command; see `settle`."""
        self._given.setdefault(name, []).append(value)

    def begin(self) -> dict[str, list[Binding | None]]:
        """Start a command; return what the command around it has given so far."""
        around, self._given = self._given, {}
        return around

    def settle(self, around: dict[str, list[Binding | None]]) -> None:
        """Let what the variations of a command gave be the variables' values."""
        given, self._given = self._given, around
        for name, values in given.items():
            self.set(name, values)

    @contextmanager
    def arguments(self, given: Sequence[Arg] | None) -> Iterator[None]:
        """Let `$1`, `$2`, … be these for a while; None where they are not known."""
        layer = self.layers[-1]
        before = layer.get(ARGUMENTS)
        fields = None if given is None else tuple(word.pieces for word in given)
        layer[ARGUMENTS] = (None if fields is None else Binding(fields, array=True),)
        try:
            yield
        finally:
            if before is None:
                del layer[ARGUMENTS]
            else:
                layer[ARGUMENTS] = before

    def forget(self, name: str) -> None:
        """Make a variable empty."""
        self.layers[-1][name] = (Binding(((),)),)

    def join(self, branches: Sequence[dict[str, Values]], *, exhaustive: bool) -> None:
        """Take over what branches did, of which one ran, or none unless `exhaustive`."""
        for name in dict.fromkeys(name for branch in branches for name in branch):
            before = self.get(name) or (None,)
            values: list[Binding | None] = []
            for branch in branches:
                values.extend(branch.get(name, before))
            if not exhaustive:
                values.extend(before)
            self.set(name, values)


def _distinct(values: Iterable[Binding | None]) -> Values:
    """Keep different values, and of too many those that name a socket or start a container."""
    seen: dict[tuple[str, ...] | None, Binding | None] = {}
    for value in values:
        key = None if value is None else tuple(text_of(field) for field in value.fields)
        seen.setdefault(key, value)
    if len(seen) > _MOST_DULL:
        return _chosen(list(seen.values()))
    return tuple(seen.values())


def _matters(value: Binding | None) -> bool:
    return value is not None and any(tells(text_of(field)) for field in value.fields)


def _filled(value: Binding | None) -> bool:
    return value is VARIED or (value is not None and any(map(text_of, value.fields)))


def _chosen(values: Sequence[Binding | None]) -> Values:
    """Of too many values keep those that differ in what could matter, and a few others."""
    first: list[Binding | None] = []
    more: list[Binding | None] = []
    dull: list[Binding | None] = []
    covered: set[Trail] = set()
    for value in values:
        fields = value.fields if value else ()
        pieces = [piece for field in fields for piece in field if tells(piece.text)]
        places = {piece.trail for piece in pieces if _NAMES_DAEMON.search(piece.text)}
        if places - covered:
            first.append(value)
            covered |= places
        elif pieces:
            more.append(value)
        else:
            dull.append(value)
    return tuple((first + dull[:_MOST_DULL] + more)[:MOST_VALUES])


def tells(text: str) -> bool:
    """Tell whether a value could matter to what a command reaches."""
    return _TELLS.search(text) is not None
