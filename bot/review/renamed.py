"""Services without an image that have another name now: there is nothing else to know them by."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from bot.detect.grant import Grant
from bot.detect.lines import decode
from bot.detect.source import Source
from bot.review.anchor import Changes, says_it

_KEY = re.compile(r"^[ \t]+[\"']?([^\s\"'#:-][^\"':\n]*?)[\"']?[ \t]*:", re.MULTILINE)
_MOST = 50  # services alike that are looked at


def renamed(
    left_of_base: Sequence[Grant],
    left_of_head: Sequence[Grant],
    new_name: Mapping[str, str],
    changes: Changes,
    sources: tuple[Source, Source],
) -> list[tuple[Grant, Grant]]:
    """Return what is left on both sides and is one service that is built from a folder.

    What it mounts stands on lines that nobody touched, its old name is gone from the file, and its
    new one was not in it. `new_name` says what renamed files of the base are called now, `sources`
    are base and head.
    """
    alike: dict[tuple[object, ...], list[Grant]] = defaultdict(list)
    for old in reversed(left_of_base):
        path = new_name.get(old.path) or old.path
        alike[old.resource, old.image, old.how, path, old.text].append(old)
    keys = (_Keys(sources[0]), _Keys(sources[1]))
    pairs: list[tuple[Grant, Grant]] = []
    for new in left_of_head:
        if new.image is not None or says_it(new, changes):
            continue
        candidates = alike[new.resource, None, new.how, new.path, new.text]
        for number, old in enumerate(reversed(candidates[-_MOST:]), 1):
            if not _stayed(old, new, keys):
                del candidates[-number]
                pairs.append((old, new))
                break
    return pairs


class _Keys:
    """The keys below the top of each file of one side."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._known: dict[str, frozenset[str]] = {}

    def __call__(self, path: str) -> frozenset[str]:
        if path not in self._known:
            text = decode(self._source.read(path) or b"") or ""
            self._known[path] = frozenset(_KEY.findall(text))
        return self._known[path]


def _stayed(old: Grant, new: Grant, keys: tuple[_Keys, _Keys]) -> bool:
    """Tell whether either name is in the file of the other side, or is none of a service."""
    base, head = keys
    for subject, of, path in ((old.subject, head, new.path), (new.subject, base, old.path)):
        kind, _, name = subject.partition(" ")
        if kind != "service" or name in of(path):
            return True
    return False
