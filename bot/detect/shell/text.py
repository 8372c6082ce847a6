"""Commands that only print text, and what they print."""

import re
from collections.abc import Sequence

from bot.detect.patterns import pattern
from bot.detect.shell import written
from bot.detect.shell.call import NONE, UNKNOWN, Call, joined
from bot.detect.shell.pieces import Arg, Piece, Pieces

_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\"}
_ESCAPE = pattern(r"\\([nt\\])")
_HOLE = pattern(r"%[-#0 +]*\d*(?:\.\d+)?[sbdiqu]")
_MOST_LINES = 2_000


def echo(call: Call) -> Pieces:
    """`echo`: its words with spaces between them; escapes count, as in most shells."""
    words = list(call.args[1:])
    newline = True
    while words and re.fullmatch(r"-[neE]+", words[0].text):
        newline = newline and "n" not in words[0].text
        words.pop(0)
    pieces = tuple(_unescaped(piece) for piece in joined(words))
    written.logged(call, pieces)
    return (*pieces, Piece("\n", _end(words))) if newline else pieces


def formatted(words: Sequence[Arg]) -> Pieces:
    """`printf`: the format, used again until no argument is left."""
    if not words:
        return NONE
    if words[0].text == "--":
        words = words[1:]
    if not words:
        return NONE
    shape = words[0]
    holes = len(_HOLE.findall(shape.text))
    if not holes:
        return tuple(_unescaped(piece) for piece in shape.pieces)
    given = list(words[1:])
    pieces: list[Piece] = []
    for _ in range(min(_MOST_LINES, max(1, -(-len(given) // holes)))):
        for piece in shape.pieces:
            at = 0
            for hole in _HOLE.finditer(piece.text):
                pieces.append(_unescaped(piece._replace(text=piece.text[at : hole.start()])))
                if given:
                    pieces.extend(given.pop(0).pieces)
                at = hole.end()
            pieces.append(_unescaped(piece._replace(text=piece.text[at:])))
    return tuple(piece for piece in pieces if piece.text)


def cat(call: Call) -> Pieces:
    """`cat`: what is fed to it, or files that were written here."""
    names = [word.text for word in call.args[1:] if not word.text.startswith("-")]
    if not names:
        return call.stdin if call.stdin is not None else UNKNOWN
    pieces: list[Piece] = []
    for name in names:
        pieces.extend(call.host.files.get(name, UNKNOWN))
    return tuple(pieces)


def filtered(call: Call) -> Pieces:
    """`sed`, `envsubst`, `tr`: the text in, perhaps changed."""
    return (*(call.stdin or NONE), *UNKNOWN)


def _unescaped(piece: Piece) -> Piece:
    if "\\" not in piece.text:
        return piece
    return piece._replace(text=_ESCAPE.sub(lambda found: _ESCAPES[found[1]], piece.text))


def _end(words: Sequence[Arg]) -> tuple[int, ...]:
    return words[-1].pieces[-1].trail if words and words[-1].pieces else ()
