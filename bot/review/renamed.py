"""Services without an image that have another name now: there is nothing else to know them by."""

import re
from collections.abc import Iterator, Mapping, Sequence

from bot.detect.grant import Grant
from bot.detect.lines import decode
from bot.detect.source import Source
from bot.review.anchor import Changes, says_it


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
    base = list(left_of_base)
    pairs: list[tuple[Grant, Grant]] = []
    for new in left_of_head:
        if new.image is not None or says_it(new, changes):
            continue
        for old in base:
            same = (old.resource, old.image, old.how) == (new.resource, None, new.how)
            here = (new_name.get(old.path) or old.path) == new.path and old.text == new.text
            if same and here and not any(_stayed(old, new, sources)):
                base.remove(old)
                pairs.append((old, new))
                break
    return pairs


def _stayed(old: Grant, new: Grant, sources: tuple[Source, Source]) -> Iterator[bool]:
    """Yield whether either name is in the file of the other side, or is none of a service."""
    base, head = sources
    for subject, source, path in ((old.subject, head, new.path), (new.subject, base, old.path)):
        kind, _, name = subject.partition(" ")
        text = decode(source.read(path) or b"") or ""
        key = re.compile(rf"^[ \t]+[\"']?{re.escape(name)}[\"']?[ \t]*:", re.MULTILINE)
        yield kind != "service" or key.search(text) is not None
