r"""Vagrantfiles: machines that are containers, containers and scripts that provision machines.

Files: `Vagrantfile*`. Source: Vagrant documentation, "Docker" provider (volumes, create_args),
"Docker" provisioner (`run … args:`), "Shell" provisioner (inline). Ruby is not run: strings, lists
of strings and heredocs are read where they are given to these names.

    config.vm.provider "docker" do |d|
      d.volumes = ["/var/run/docker.sock:/var/run/docker.sock"]
    end
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort, mounts
from bot.detect.ci.places import Place, Places, Subject
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.mounts import repository
from bot.detect.patterns import pattern
from bot.detect.shell import Script, docker_options
from bot.detect.source import Source

_NAME = pattern(r"vagrantfile", re.IGNORECASE)
_TELLING = pattern(r"sock|/run|docker|podman|containerd|_HOST|:2375", re.IGNORECASE)
_VOLUMES = pattern(r"\.volumes\s*(?:=|\+=|<<)|\.push_volumes?\b")
_ARGUMENTS = pattern(r"\.create_args\s*(?:=|\+=|<<)|\b(?::?args:|:args\s*=>)")
_INLINE = pattern(r"\binline:|:inline\s*=>|\.inline\s*=")
_RUN = pattern(r"\.run\s*\(?\s*[\"'](?P<name>[^\"'\n]+)[\"']")
_IMAGE = pattern(r"(?:\bimage:|:image\s*=>|\.image\s*=)\s*[\"'](?P<image>[^\"'\n]+)[\"']")
_STRING = pattern(r"\"(?P<double>(?:\\.|[^\"\\])*)\"|'(?P<single>(?:\\.|[^'\\])*)'")
_HEREDOC = pattern(r"<<[-~]?[\"'`]?(?P<mark>[A-Za-z_]\w*)[\"'`]?")
_COMMENT = pattern(r"\s*#")
_OTHER_LANGUAGE = pattern(r"\s*#!(?!.*\b(?:ba|da|a|z|k)?sh\b)")
_MOST_LINES = 20_000
_LONGEST_STATEMENT = 60


@dataclass(frozen=True, slots=True)
class _Statement:
    """Lines that belong together: a call or an assignment with its brackets closed."""

    text: str
    line: int

    def line_of(self, offset: int) -> int:
        """Return the file's line of an offset in the text."""
        return self.line + self.text.count("\n", 0, offset)


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.match(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    text = Text(content)
    places = Places(path, text)
    for statement in _statements(text):
        if isinstance(statement, Script):
            if not _OTHER_LANGUAGE.match(statement.text):
                lines = tuple(places.put(Place(path, line)) for line in statement.lines)
                yield from places.ran(Subject("script"), Script(statement.text, lines), {})
        else:
            yield from _statement(places, statement)


def _statement(places: Places, statement: _Statement) -> Iterator[Grant]:
    text = statement.text
    run, image = _RUN.search(text), _IMAGE.search(text)
    name = run["name"] if run else ""
    who = Subject(
        f"container {name}" if name else "docker provider",
        repository(image["image"] if image else name) or None,
        extent=(statement.line, statement.line_of(len(text))),
    )
    if found := _VOLUMES.search(text):
        for value, line in _strings(statement, found.end()):
            target = mounts.short(value)
            if target is not None:
                yield places.mounted(who, target, places.put(Place(places.path, line)))
    if found := _ARGUMENTS.search(text):
        words = [
            (word, places.put(Place(places.path, line)))
            for value, line in _strings(statement, found.end())
            for word in value.replace('"', "").replace("'", "").split()
        ]
        for reach in docker_options(words, who.image) if words else ():
            yield places.grant(who, reach)
    if found := _INLINE.search(text):
        for value, line in _strings(statement, found.end()):
            script = Script.flat(value, places.put(Place(places.path, line)))
            yield from places.ran(Subject("script"), script, {})
            break


def _strings(statement: _Statement, start: int) -> Iterator[tuple[str, int]]:
    for found in _STRING.finditer(statement.text, start):
        value = found["double"] if found["double"] is not None else found["single"]
        yield re.sub(r"\\(.)", r"\1", value), statement.line_of(found.start())


def _statements(text: Text) -> Iterator[_Statement | Script]:
    """Yield statements, and each heredoc as the script that it may be."""
    number, last = 1, min(len(text), _MOST_LINES)
    if last < len(text):
        effort.skip()
    while number <= last:
        line = text.line(number)
        first = number
        number += 1
        if not line.strip() or _COMMENT.match(line):
            continue
        parts, depth = [line], _depth(line)
        goes_on = line.rstrip().endswith((",", "(", "[", "\\", "=>", "=", "<<"))
        while (depth > 0 or goes_on) and number <= last and len(parts) < _LONGEST_STATEMENT:
            following = text.line(number)
            number += 1
            plain = "" if _COMMENT.match(following) else following
            parts.append(plain)
            depth += _depth(plain)
            goes_on = plain.rstrip().endswith((",", "\\")) or not plain.strip()
        yield _Statement("\n".join(parts), first)
        for found in _heredocs("\n".join(parts)):
            body: list[str] = []
            start = number
            while number <= last and text.line(number).strip() != found["mark"]:
                body.append(text.line(number))
                number += 1
            number += 1
            yield Script("\n".join(body), tuple(range(start, start + max(len(body), 1))))


def _heredocs(text: str) -> Iterator[re.Match[str]]:
    """Yield what opens a heredoc, unless it is inside a string."""
    inside = [
        found.span() for found in _STRING.finditer(text) if text[: found.start()][-1:] not in "<-~"
    ]
    for found in _HEREDOC.finditer(text):
        if not any(start <= found.start() < end for start, end in inside):
            yield found


def _depth(line: str) -> int:
    bare = _STRING.sub("", line)
    return sum(bare.count(one) for one in "[(") - sum(bare.count(one) for one in "])")


FORMAT = Format("vagrant", _matches, _grants)
