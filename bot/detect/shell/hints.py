"""Whether a text can reach a daemon at all, told fast; and which of its lines could."""

import re
from collections.abc import Iterator, Mapping

from bot.detect.shell.model import Value

# One of these stands in every script that reaches a daemon, in lower case.
_TELLING = (
    "sock",
    "docker_host",
    "container_host",
    "podman_host",
    "buildkit_host",
    "containerd_address",
    "runner_host",
    "2375",
    "docker_engine",
    "pipe/",
    "pipe\\",
    "tcp:",
    "unix:",
    "ssh:",
    "volumes-from",
    "docker-machine",
)
# These matter only where a container client is named, or where it may hide behind a variable.
_WITH_CLIENT = (
    "/run",
    "/var:",
    "/:/",
    "=/",
    ":/",
    "/:",
    ":$",
    "-h ",
    "--host",
    "usermod",
    "useradd",
    "gpasswd",
    "adduser",
    "addgroup",
    "pipe",
)
_CLIENT = ("docker", "podman", "nerdctl", "containerd", "buildah", "finch", "-v", "--mount")

_STRONG = re.compile(
    r"sock|docker_host|container_host|buildkit_host|docker_engine|:2375|pipe[\\/]|tcp://|unix://"
    r"|(?:docker|podman|nerdctl)\b[^\n]*(?:/run|/:|/var)|(?:usermod|gpasswd|adduser)\b[^\n]*docker",
    re.IGNORECASE,
)
_WINDOW = 4_000  # characters to either side of a hint in a very long line


def any_in(text: str, env: Mapping[str, str | Value] | None) -> bool:
    """Tell whether a script with these variables could reach a daemon."""
    if env:
        values = [value.text if isinstance(value, Value) else value for value in env.values()]
        text = "\n".join([text, *env, *values])
    low = text.lower()
    if any(hint in low for hint in _TELLING):
        return True
    if not any(client in low for client in _CLIENT):
        return False
    return any(hint in low for hint in _WITH_CLIENT)


def telling(text: str) -> Iterator[tuple[str, int]]:
    """Yield the lines, with those that they continue on, that hold a hint, and their offsets.

    Of a very long line only what stands near a hint.
    """
    end = -1
    for found in _STRONG.finditer(text):
        if found.start() < end:
            continue
        start = max(text.rfind("\n", 0, found.start()) + 1, found.start() - _WINDOW, end, 0)
        while start > 1 and text[start - 1] == "\n" and text[start - 2] == "\\":
            before = text.rfind("\n", 0, start - 1) + 1
            if before < end or found.start() - before > _WINDOW:
                break
            start = before
        stop = found.end()
        while True:
            newline = text.find("\n", stop, found.end() + _WINDOW)
            if newline < 0:
                stop = min(len(text), found.end() + _WINDOW)
                break
            stop = newline
            if text[newline - 1] != "\\":
                break
            stop = newline + 1
        end = max(stop, found.end())
        yield text[start:end], start
