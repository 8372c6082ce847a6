"""What a script was seen to reach, one reach for each word of a command that says it."""

from collections.abc import Sequence

from bot.detect import mounts
from bot.detect.grant import How
from bot.detect.shell.addresses import option_address
from bot.detect.shell.call import Call
from bot.detect.shell.model import Reach
from bot.detect.shell.pieces import Arg, spot
from bot.detect.sockets import Target

_LONGEST_WORDS = 4_096


class Findings:
    """Collects reaches. A command that is run several times, with other values, is told once."""

    def __init__(self) -> None:
        self.covered: frozenset[str] = frozenset()
        self.contained = False
        self.ordinal: int | None = None  # of the command, in a text put together from pieces
        self.reaches: dict[tuple[tuple[int, ...], int, str, How], Reach] = {}
        self._images: dict[tuple[int, ...], dict[str, str]] = {}  # of a command, with how written

    def found(self) -> list[Reach]:
        """Return what was reached. An image that differs from run to run is told as written."""
        told: list[Reach] = []
        for (origin, *_), reach in self.reaches.items():
            images = self._images.get(origin, {})
            if reach.image is not None and len(images) > 1:
                told.append(reach._replace(image=min(images.values())))
            else:
                told.append(reach)
        return told

    def report(
        self,
        call: Call,
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
        """Add a reach. See `Host`."""
        how = how or target.how
        if target.resource in self.covered and how not in {How.MOUNT, How.DIRECTORY}:
            return
        place = spot(value, flag, about)
        extent = call.extent if self.ordinal is None else _extent(call)
        steps = place.steps
        if not extent[0] <= place.line <= extent[1]:
            steps = tuple(dict.fromkeys((*steps, extent[0])))
        name = mounts.repository(image.text) if image else None
        if image is not None and name is not None:
            raw = mounts.repository(image.raw.strip("\"'"))
            self._images.setdefault(call.origin, {})[name] = raw
        resource = target.resource
        if target.how is How.ADDRESS and not place.whole:
            resource = _as_written(value, resource)
        key = (call.origin, place.line, resource, how)
        if key in self.reaches:
            return
        self.reaches[key] = Reach(
            place.line,
            steps,
            command,
            name,
            resource,
            how,
            target.severity,
            tuple(undermines),
            extent,
            _words(call.args, image) if words is None else " ".join(words.split()),
        )


def _extent(call: Call) -> tuple[int, int]:
    """Return the lines of a command in a text that was put together from pieces."""
    places = [piece.trail[0] for word in call.args for piece in word.pieces if piece.trail]
    return (min((call.extent[0], *places)), max((call.extent[0], *places)))


def _as_written(value: Arg, resource: str) -> str:
    """Return the address that a word is before a function's arguments are put in."""
    raw = value.raw.strip("\"'")
    written_so = option_address(raw) or option_address(raw.partition("=")[2])
    return written_so.resource if written_so else resource


def _words(args: Sequence[Arg], image: Arg | None) -> str:
    texts: list[str] = []
    room = _LONGEST_WORDS
    for word in args:
        text = word.text[:_LONGEST_WORDS]
        texts.append(mounts.repository(text) if word is image else " ".join(text.split()))
        room -= len(text) + 1
        if room < 0:
            break
    return " ".join(texts)[:_LONGEST_WORDS]
