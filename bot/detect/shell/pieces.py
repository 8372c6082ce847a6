"""Expanded text that knows which lines of the file it comes from.

A *trail* leads from the line that holds the text itself to the line where it is used:
`SOCK=/run/docker.sock` on line 1 and `docker run -v "$SOCK:/x"` on line 5 give the pieces
("/run/docker.sock", (1, 5)) and (":/x", (5,)).
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from string import ascii_letters
from typing import NamedTuple

Trail = tuple[int, ...]

LONGEST = 65_536  # characters of one expanded word; what is longer is cut
_LONGEST_TRAIL = 8
_FEW, _MANY = 8, 4_096  # pieces of one word
_LETTERS = (*ascii_letters, ".")


class Piece(NamedTuple):
    """Text with one origin."""

    text: str
    trail: Trail
    known: bool = True  # False for a variable or command whose value nothing gives
    quoted: bool = False


Pieces = tuple[Piece, ...]


class Arg(NamedTuple):
    """One word of a command after expansion."""

    text: str
    pieces: Pieces
    raw: str  # as it stands in the file

    def tail(self, start: int) -> "Arg":
        """Return the word without its first `start` characters."""
        kept: list[Piece] = []
        at = 0
        for piece in self.pieces:
            end = at + len(piece.text)
            if end > start:
                text = piece.text[max(0, start - at) :]
                kept.append(Piece(text, piece.trail, piece.known, piece.quoted))
            at = end
        return Arg(self.text[start:], tuple(kept), self.raw)

    @property
    def opaque(self) -> bool:
        """Whether the whole word is one unknown value."""
        for piece in self.pieces:
            if piece.known and piece.text:
                return False
        return bool(self.pieces)


def arg(pieces: Iterable[Piece], raw: str = "") -> Arg:
    """Return the word made of `pieces`."""
    held = tuple(pieces)
    return Arg(text_of(held), held, raw)


def text_of(pieces: Iterable[Piece]) -> str:
    """Return the text of pieces."""
    return "".join([piece.text for piece in pieces])


def used(pieces: Pieces, line: Trail) -> Pieces:
    """Return the pieces of a value with the line that uses it at the end of their trails."""
    place = line[-1:]
    return tuple(
        piece
        if piece.trail[-1:] == place or len(piece.trail) >= _LONGEST_TRAIL
        else Piece(piece.text, piece.trail + place, piece.known, piece.quoted)
        for piece in pieces
    )


def cut(pieces: Sequence[Piece]) -> Pieces:
    """Return pieces up to the longest text of a word that is followed.

    A variable that nothing sets in the middle of a word is nothing, as in a shell: nobody names
    half a word from outside, but for hiding the word.
    """
    if len(pieces) > 2 and not all(piece.known for piece in pieces):
        middle = zip(pieces, pieces[1:], pieces[2:], strict=False)
        inner = [piece for before, piece, after in middle if not _is_hole(before, piece, after)]
        pieces = [pieces[0], *inner, pieces[-1]]
    return tuple(pieces) if len(pieces) < _FEW else limited(pieces[:_MANY], LONGEST)


def _is_hole(before: Piece, piece: Piece, after: Piece) -> bool:
    return (
        not piece.known
        and before.known
        and after.known
        and before.text.endswith(_LETTERS)
        and after.text.startswith(_LETTERS)
        and piece.text[:2] == "${"
        and piece.text[2:-1].isidentifier()
    )


def limited(pieces: Sequence[Piece], room: int) -> Pieces:
    """Return pieces up to `room` characters."""
    kept: list[Piece] = []
    for piece in pieces:
        if room <= 0:
            break
        kept.append(piece if len(piece.text) <= room else piece._replace(text=piece.text[:room]))
        room -= len(piece.text)
    return tuple(kept)


class Spot(NamedTuple):
    """Where a word says something, and the way its text came."""

    line: int
    steps: tuple[int, ...]
    whole: bool = True  # False where parts of the word come from different places


def spot(value: Arg, flag: Arg | None = None, about: str = "") -> Spot:
    """Return the line of the file that says `value`.

    That is where the word was put together: the line of the -v argument itself, even where the
    socket's path comes from a variable; the line of an array's element; the line of a function's
    call whose argument it is. `flag` is the option before it, `about` the telling part of the text.
    """
    if len(value.pieces) == 1 and (trail := value.pieces[0].trail):
        depth = min([len(trail), *(len(p.trail) for p in (flag.pieces if flag else ()) if p.text)])
        return Spot(trail[-max(depth, 1)], _distinct(trail))
    pieces = [piece for piece in value.pieces if piece.text] or list(value.pieces)
    if not pieces:
        pieces = list(flag.pieces) if flag else []
    trails = [piece.trail for piece in pieces if piece.trail]
    if not trails:
        return Spot(1, (1,))
    telling = _telling(pieces, value.text, about) or trails[0]
    common = trails[0]
    for trail in trails[1:]:
        common = _common_end(common, trail)
    if not common:
        return Spot(telling[-1], _distinct((*telling, *trails[-1])), whole=False)
    depth = len(common)
    if flag is not None:
        depth = min([depth, *(len(piece.trail) for piece in flag.pieces if piece.text)])
    return Spot(common[-max(depth, 1)], _distinct((*telling, *common)))


def _telling(pieces: Sequence[Piece], text: str, about: str) -> Trail:
    """Return the trail of the piece in which `about` starts."""
    start = text.find(about) if about else 0
    at = 0
    for piece in pieces:
        at += len(piece.text)
        if at > start:
            return piece.trail
    return pieces[0].trail


def _common_end(one: Trail, other: Trail) -> Trail:
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    return one[len(one) - length :]


def _distinct(lines: Iterable[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(lines))


class Places:
    """Offsets of a text -> trails."""

    __slots__ = ("_before", "_starts", "_trails")

    def __init__(self, starts: Sequence[int], trails: Sequence[Trail], before: int = 0) -> None:
        self._starts = starts
        self._trails = trails
        self._before = before

    def __call__(self, at: int) -> Trail:
        """Return the trail of the character at `at`."""
        if len(self._trails) < 2:
            return self._trails[0] if self._trails else (1,)
        return self._trails[max(0, bisect_right(self._starts, at + self._before) - 1)]

    def shifted(self, by: int) -> "Places":
        """Return the places of the text that starts at offset `by`."""
        return Places(self._starts, self._trails, by)

    @classmethod
    def of_lines(cls, text: str, lines: Sequence[int]) -> "Places":
        """Return the places of a script whose lines stand at `lines` of the file."""
        last = lines[-1] if lines else 1
        if "\n" not in text:
            return cls((0,), ((lines[0] if lines else 1,),))
        starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))][:-1]
        padded = [*lines, *[last] * (len(starts) - len(lines))]
        return cls(starts, [(line,) for line in padded[: len(starts)]])

    @classmethod
    def of_pieces(cls, pieces: Sequence[Piece]) -> "Places":
        """Return the places of a text that was put together from pieces."""
        held = [piece for piece in pieces if piece.text and piece.trail]
        starts = [0, *accumulate(len(piece.text) for piece in held)][:-1]
        return cls(starts, [piece.trail for piece in held])
