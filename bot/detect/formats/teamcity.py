"""TeamCity configurations: the Kotlin DSL and the XML of `.teamcity`.

Source: TeamCity documentation, "Container Wrapper" (`dockerImage`, `dockerRunParameters`),
"Docker" runner (`dockerCommand`) and "Kotlin DSL"; in XML `plugin.docker.run.parameters`.

    script {
        scriptContent = "make"
        dockerImage = "alpine"
        dockerRunParameters = "-v /var/run/docker.sock:/var/run/docker.sock"
    }
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.detect import effort, mounts
from bot.detect.ci.containers import Container, container_grants
from bot.detect.ci.places import (
    Environment,
    Place,
    Places,
    Subject,
    address_grants,
    command_line,
    substituted,
)
from bot.detect.format import Format, plain_name
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.shell import Script, Value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.detect.grant import Grant, Unknown
    from bot.detect.kotlin import Block, Literal
    from bot.detect.source import Source

_KOTLIN = (".kts", ".kt")
_PARAMETER = pattern(r"%(?P<name>[\w.-]+)%|\$\{(?P<braced>[\w.]+)\}|\$(?P<bare>[A-Za-z_]\w*)")
_RUNNER = pattern(r"(?P<end></runner>)|<runner\b[^<>]*?(?P<empty>/)?>")
_PARAM = pattern(
    r"<param\s+name=\"(?P<name>[^\"]*)\"\s*"
    r"(?:value=\"(?P<value>[^\"]*)\"\s*/?>"
    r"|>(?:<!\[CDATA\[(?P<data>(?:[^\]<]++|\](?!\]>)|<(?!!\[CDATA\[))*+)\]\]>"
    r"|(?P<text>[^<]*))</param>)"
)
_COMMENT = pattern(r"<!--[\s\S]*?-->")
_ATTRIBUTE = pattern(r"(?P<name>[\w.-]+)=\"(?P<value>[^\"]*)\"")
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class _Step:
    """A build step: what it is called and what it sets, by the names of the Kotlin DSL."""

    subject: str
    values: Mapping[str, Script]
    extent: tuple[int, int]


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    inside = "/.teamcity/" in f"/{path}"
    if name.endswith(_KOTLIN):
        return inside or "jetbrains.buildServer" in text
    return name.endswith(".xml") and (
        inside or "plugin.docker.run.parameters" in text or "<runner " in text
    )


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    kotlin = plain_name(path).lower().endswith(_KOTLIN)
    yield from _kotlin(places, text) if kotlin else _xml(places, text)


def _kotlin(places: Places, text: Text) -> Iterator[Grant]:
    from bot.detect.kotlin import read_kotlin  # noqa: PLC0415 - start-up

    root = read_kotlin(text)
    known: dict[str, Script] = {}
    for block, _ in root.walk():
        for name, literal in block.values.items():
            known.setdefault(name, _placed(places, literal))
        for call, literals in block.calls:
            if call in {"param", "text", "password"} and len(literals) > 1:
                known.setdefault(literals[0].text, _placed(places, literals[1]))
    for block, around in root.walk():
        if any(one.values.keys() & _TELLING or one.names.keys() & _TELLING for one in around[-1:]):
            continue  # `commandType = other { … }` is read with the step that holds it
        build = next((_named(one) for one in reversed(around) if _is_build(one)), "")
        yield from _parameters(places, block, build or _named(block))
        if not (block.values.keys() | block.names.keys()) & _TELLING:
            continue
        values = {name: _placed(places, one) for name, one in block.values.items()}
        values |= {name: known[one] for name, one in block.names.items() if one in known}
        for below in block.blocks:  # commandType = other { … }
            values |= {name: _placed(places, one) for name, one in below.values.items()}
        resolved = {name: _resolved(places, one, known) for name, one in values.items()}
        title = resolved.get("name")
        number = block.number
        shown = f'step "{title.text.strip()}"' if title is not None else f"step {number}"
        subject = f"{build}, {shown}" if build else shown
        yield from _step(places, _Step(subject, resolved, (block.first, block.last)))


# What makes a block a step of interest.
_TELLING = frozenset({"scriptContent", "dockerRunParameters", "commandArgs", "commandType"})


def _is_build(block: Block) -> bool:
    return block.head.startswith("object ") or block.head in {"buildType", "BuildType", "template"}


def _named(block: Block) -> str:
    if block.head.startswith("object "):
        return f"build {block.head.removeprefix('object ')}"
    title = block.values.get("name")
    return f"build {title.text}" if title is not None and _is_build(block) else "build"


def _parameters(places: Places, block: Block, subject: str) -> Iterator[Grant]:
    env: Environment = {}
    for call, literals in block.calls:
        if call in {"param", "text"} and len(literals) > 1 and literals[1].lines:
            name = literals[0].text.removeprefix("env.")
            placed = _placed(places, literals[1])
            env[name] = Value(placed.text, placed.lines[0])
    yield from address_grants(places, Subject(subject), env, env)


def _step(places: Places, step: _Step) -> Iterator[Grant]:
    """Yield what one step hands over: its script, its wrapper's options, its docker command."""
    values = step.values
    image = values.get("dockerImage")
    subject = Subject(step.subject, extent=step.extent)
    script = values.get("scriptContent")
    if script is not None:
        yield from places.ran(subject, script, {})
    options = values.get("dockerRunParameters")
    if options is not None:
        named = mounts.repository(image.text) if image is not None else None
        own = Subject(step.subject, named, extent=step.extent)
        yield from container_grants(places, own, Container((), options))
    command, arguments = values.get("subCommand"), values.get("commandArgs")
    if command is not None and arguments is not None:
        words = command_line(f"docker {command.text.strip()}", (arguments,))
        yield from places.ran(subject, words, {})


def _placed(places: Places, literal: Literal) -> Script:
    lines = tuple(places.put(Place(places.path, line)) for line in literal.lines)
    return Script(literal.text, lines)


def _resolved(places: Places, script: Script, known: Mapping[str, Script]) -> Script:
    """Return a text with the parameters and constants of the same file filled in."""
    if "%" not in script.text and "$" not in script.text:
        return script

    def pieces(text: str) -> Iterator[tuple[int, int, Script]]:
        for match in _PARAMETER.finditer(text):
            name = match["name"] or match["braced"] or match["bare"]
            value = known.get(name) or known.get(f"env.{name}")
            if value is not None and value is not script:
                yield match.start(), match.end(), value

    return substituted(script, pieces, places)


_XML_NAMES = {
    "plugin.docker.run.parameters": "dockerRunParameters",
    "plugin.docker.imageId": "dockerImage",
    "script.content": "scriptContent",
    "docker.sub.command": "subCommand",
    "command.args": "commandArgs",
}


def _xml(places: Places, text: Text) -> Iterator[Grant]:
    from html import unescape  # noqa: PLC0415 - start-up

    # What opens behind the last end is no comment, and not looked for again and again.
    closed = text.content.rfind("-->") + 3
    bare = _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text.content[:closed])
    content = bare + text.content[closed:]
    spans: list[tuple[re.Match[str], int, int]] = []
    opened: re.Match[str] | None = None
    for match in _RUNNER.finditer(content):
        if match["end"] and opened is not None:
            spans.append((opened, opened.end(), match.start()))
        opened = None if match["end"] or match["empty"] else match
    known = {
        name: script
        for _, name, script in _params(places, content, text, 0, len(content))
        if "." in name or name.isidentifier()
    }
    env: Environment = {}
    inside = [start for _, start, _ in spans]
    for start, name, script in _params(places, content, text, 0, len(content)):
        at = bisect_right(inside, start) - 1
        if name.startswith("env.") and (at < 0 or start >= spans[at][2]):
            env[name.removeprefix("env.")] = Value(script.text, script.lines[0])
    yield from address_grants(places, Subject("build"), env, env)
    for number, (match, start, end) in enumerate(spans, 1):
        attributes = {one["name"]: one["value"] for one in _ATTRIBUTE.finditer(match[0])}
        title = unescape(attributes.get("name", ""))
        values = {
            _XML_NAMES[name]: _resolved(places, script, known)
            for _, name, script in _params(places, content, text, start, end)
            if name in _XML_NAMES
        }
        extent = (text.line_of(match.start()), text.line_of(end))
        shown = f'step "{title}"' if title else f"step {number}"
        yield from _step(places, _Step(shown, values, extent))


def _params(
    places: Places, content: str, text: Text, start: int, end: int
) -> Iterator[tuple[int, str, Script]]:
    from html import unescape  # noqa: PLC0415 - start-up

    for match in effort.first(_PARAM.finditer(content, start, end), _MOST):
        group = next(g for g in ("value", "data", "text") if match[g] is not None)
        raw = match[group] if group == "data" else unescape(match[group])
        first = text.line_of(match.start(group))
        lines = match[group].count("\n") + 1
        # &#10; in an attribute is a line end of the value on the same line of the file.
        several = raw.count("\n") + 1
        numbers = range(first, first + lines) if several == lines else (first,) * several
        placed = tuple(places.put(Place(places.path, line)) for line in numbers)
        yield match.start(), match["name"], Script(raw, placed)


FORMAT = Format("teamcity", _matches, _grants, endings=(".kt", ".kts", ".xml"))
