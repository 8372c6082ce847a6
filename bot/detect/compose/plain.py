"""The files that a Compose file names, where it does so plainly enough to be seen unparsed.

extends:
  file: common.yml
env_file:
  - web.env
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect.patterns import pattern

# What may be a key, or part of one; in a comment's line it is none.
_EXTENDED = pattern(r"(?<![\w./-])file(?![\w./-])")
_SETTINGS = "env_file"
_COMMENT = pattern(r"[ \t]*#")
# Breaks of lines that are none for git.
_ODD_BREAK = pattern("\r(?!\n)|[\x85\u2028\u2029]")
_PATH = r"[\w./][\w./-]*"
_REST = r"[ \t]*(?:[ \t]#[^\n]*)?\r?"
_VALUE = rf"(?:(?P<bare>{_PATH})|'(?P<single>{_PATH})'|\"(?P<double>{_PATH})\"){_REST}"
_ENTRY = pattern(rf"(?P<before> *(?:- +)?)(?P<key>file|env_file): +{_VALUE}", re.ASCII)
_LIST = pattern(rf"(?P<before> *(?:- +)?)env_file:{_REST}", re.ASCII)
_ITEM = pattern(rf"(?P<before> *)- +{_VALUE}", re.ASCII)
_NEXT = pattern(r"(?P<before> *)[\w.-]+:(?:[ \r]|\Z)", re.ASCII)
_DEEPEST = 40  # columns


@dataclass(frozen=True, slots=True)
class Named:
    """What a file names, as it is written there."""

    extended: frozenset[str]
    settings: frozenset[str]  # files of variables


_NOTHING = Named(frozenset(), frozenset())


def plainly_named(content: str) -> Named | None:
    """Return all files that `extends` and `env_file` name, or None where that takes a parser.

    Among the former are those of other keys that are called `file`, too.
    """
    extends = "extends" in content and _EXTENDED.search(content) is not None
    if not extends and _SETTINGS not in content:
        return _NOTHING
    if _ODD_BREAK.search(content):
        return None
    extended: set[str] = set()
    settings: set[str] = set()
    lines = content.split("\n")
    for number, line in enumerate(lines):
        named = _SETTINGS in line or (extends and "file" in line and _EXTENDED.search(line))
        if not named or _COMMENT.match(line):
            continue
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            listed = _listed(lines, number)
            if listed is None:
                return None
            settings.update(listed)
        elif not _ends(lines, number, len(entry["before"])):
            return None
        elif entry["key"] == _SETTINGS:
            settings.add(_path(entry))
        elif extends:
            extended.add(_path(entry))
    return Named(frozenset(extended), frozenset(settings))


def _path(found: re.Match[str]) -> str:
    return found["bare"] or found["single"] or found["double"]


def _told(lines: list[str], number: int) -> Iterator[int]:
    """Yield the numbers of the lines from `number` on that hold more than a comment."""
    for at in range(number, len(lines)):
        if lines[at].strip(" \t\r") and not _COMMENT.match(lines[at]):
            yield at


def _ends(lines: list[str], number: int, column: int) -> bool:
    """Tell whether a value is over with its line: a key in its column, or before it, follows."""
    at = next(_told(lines, number + 1), None)
    following = _NEXT.match(lines[at]) if at is not None else None
    ended = at is None or (following is not None and len(following["before"]) <= column)
    return ended and column <= _DEEPEST


def _listed(lines: list[str], number: int) -> frozenset[str] | None:
    """Return what the list says which starts below `env_file:`, None where it is none."""
    key = _LIST.fullmatch(lines[number])
    if key is None:
        return None
    found: list[re.Match[str]] = []
    last = number
    for at in _told(lines, number + 1):
        item = _ITEM.fullmatch(lines[at])
        if item is None:
            break
        found.append(item)
        last = at
    columns = {len(item["before"]) for item in found}
    if len(columns) != 1 or min(columns) < len(key["before"]):
        return None
    return frozenset(map(_path, found)) if _ends(lines, last, len(key["before"])) else None
