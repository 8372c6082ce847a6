"""A container that a CI system starts for a job -> what it is handed.

GitHub Actions `container:` and `services:`, Azure `resources.containers`: an image, `volumes` in
the short form of `docker run`, `options` that are pasted into `docker create`, and `env`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.detect.ci.places import Environment, Places, Subject, address_grants
from bot.detect.grant import Grant
from bot.detect.shell import Script, docker_options


@dataclass(frozen=True, slots=True)
class Container:
    """What a job's file says about one container."""

    volumes: tuple[Script, ...] = ()  # "source:target[:options]" each
    options: Script | None = None
    env: Environment | None = None


def container_grants(places: Places, subject: Subject, container: Container) -> Iterator[Grant]:
    """Yield what `container` is handed by its volumes, its options and its environment.

    Volumes are read as options among the others, so that a grant knows which restrictions in
    `options` its mount makes worthless.
    """
    options = _options(container)
    if options is not None:
        for reach in docker_options(options, subject.image):
            grant = places.grant(subject, reach)
            yield replace(grant, definition=subject.digest() or grant.definition)
    if container.env:
        yield from address_grants(places, subject, container.env, container.env)


def _options(container: Container) -> Script | None:
    """Return all options as one text of words, the volumes as `-v` at their own lines."""
    parts: list[Script] = []
    if container.options is not None:
        text = container.options.text
        lines = [line.removesuffix("\\").rstrip() for line in text.split("\n")]
        parts.append(Script("\n".join(lines), container.options.lines))
    parts.extend(
        Script(f"-v {_quoted(text)}", (volume.lines[0],))
        for volume in container.volumes
        if volume.lines and (text := volume.text.strip())
    )
    if not parts:
        return None
    words = "\n".join(part.text for part in parts)
    return Script(words, tuple(line for part in parts for line in part.lines))


def _quoted(text: str) -> str:
    bare = text.replace("\n", " ")
    return "'" + bare.replace("'", "'\\''") + "'"


def lines_of(script: Script) -> tuple[Script, ...]:
    """Return each line of a text that lists one thing a line."""
    return tuple(
        Script(text.strip(), (line,))
        for text, line in zip(script.text.split("\n"), script.lines, strict=False)
        if text.strip()
    )
