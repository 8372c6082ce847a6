"""One mount as it is written, text or option list -> the host source and the target.

Sources: Docker CLI reference (`docker run --volume`, `--mount`), Compose specification
("volumes", short syntax), Podman's `--mount type=glob`.
"""

import re
from functools import lru_cache

from bot.detect import sockets
from bot.detect.patterns import pattern
from bot.detect.sockets import Target

_DRIVE = pattern(r"[A-Za-z]:(?=[\\/])")
_PIPE = pattern(r"(?:npipe:)?(?:\\\\|//)+\.(?:\\|/)+pipe(?:\\|/)+[\w.-]+", re.IGNORECASE)
_OPENERS = {"${{": "}}", "{{": "}}", "${": "}", "$(": ")", "<<": ">>"}
_LONGEST = 16_384
# Without any of these each colon is a separator.
_SPECIAL = pattern(r"[{(]|<<|pipe|(?:\A|:)[A-Za-z]:[\\/]", re.IGNORECASE)


def split_short(text: str) -> tuple[str, ...]:
    """Split "source:target:options" at its colons.

    Colons of Windows drives and pipes, and those inside `${…}`, `$(…)` or `{{…}}`, do not count.
    """
    return _split(text[:_LONGEST])


@lru_cache(maxsize=256)  # a mount is looked at from several sides
def _split(text: str) -> tuple[str, ...]:
    if not _SPECIAL.search(text):
        return tuple(text.split(":"))
    fields: list[str] = []
    start = at = 0
    while at < len(text):
        if at == start and (special := _PIPE.match(text, at) or _DRIVE.match(text, at)):
            at = special.end()
            continue
        opener = next((o for o in _OPENERS if text.startswith(o, at)), None)
        if opener:
            at = _closing(text, at, opener)
            continue
        if text[at] == ":":
            fields.append(text[start:at])
            start = at + 1
        at += 1
    fields.append(text[start:])
    return tuple(fields)


def _closing(text: str, at: int, opener: str) -> int:
    close = _OPENERS[opener]
    depth, at = 1, at + len(opener)
    while at < len(text) and depth:
        if text.startswith(close, at):
            depth -= 1
            at += len(close)
        elif text.startswith(opener, at):
            depth += 1
            at += len(opener)
        else:
            at += 1
    return at


def source_of_short(text: str) -> str | None:
    """Return the source of "source:target[:options]", None for an anonymous volume."""
    fields = split_short(text.strip().strip("\"'"))
    return fields[0] if len(fields) > 1 else None


def short(text: str) -> Target | None:
    """Return what "source:target[:options]" hands over, or None."""
    fields = split_short(text.strip().strip("\"'"))
    if len(fields) < 2:
        return None
    return sockets.mount(fields[0], fields[1])


def options(text: str) -> dict[str, str]:
    """Split a `--mount` value (one CSV record) into lower-case keys and values; the last wins."""
    import csv  # noqa: PLC0415 - start-up

    try:
        record = next(csv.reader([text.strip().strip("\"'").replace("\n", " ")]), [])
    except csv.Error:
        record = text.split(",")
    found: dict[str, str] = {}
    for field in record:
        key, _, value = field.partition("=")
        key = key.strip().lower()
        if key == "volume-opt":
            key, _, value = value.partition("=")
            key = f"volume-opt.{key.strip().lower()}"
        found[key] = value.strip()
    return found


def source_of_mount_option(text: str) -> str | None:
    """Return the host source of a `--mount` value, None where it mounts nothing of the host."""
    given = options(text)
    kind = given.get("type", "volume")
    if kind in {"bind", "npipe", "glob"}:
        source = given.get("source", given.get("src"))
        if source and kind == "glob":
            return _unglob(source)
        return source
    if kind == "volume" and "volume-opt.device" in given:
        return given["volume-opt.device"]
    if kind == "volume" or "$" in kind or "{" in kind:
        source = given.get("source", given.get("src", ""))
        return source if source[:1] in {"/", "~", "$", "\\"} else None
    return None


def mount_option(text: str) -> Target | None:
    """Return what a `--mount` value hands over, or None."""
    source = source_of_mount_option(text)
    if source is None:
        return None
    given = options(text)
    target = given.get("target", given.get("dst", given.get("destination")))
    return sockets.mount(source, target)


def _unglob(pattern: str) -> str:
    """Return a socket's path that a glob pattern takes in, else the pattern."""
    as_regex = re.escape(pattern).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock"):
        if re.fullmatch(as_regex, path):
            return path
    return pattern


@lru_cache(maxsize=256)  # an image is named by each of its container's grants
def repository(image: str) -> str:
    """Return an image reference without its tag and digest.

    "ghcr.io/a/b:1@sha256:…" -> "ghcr.io/a/b"; a port of the registry stays.
    """
    name = image.strip().strip("\"'")
    name = name.removeprefix("docker://").split("@sha256", 1)[0]
    fields = split_short(name)
    if len(fields) > 1 and "/" not in fields[-1]:
        name = name[: -len(fields[-1]) - 1]
    return name
