"""Whether a text can reach a daemon at all, told fast; and which of its lines could."""

import re
from collections.abc import Iterator, Mapping

from bot.detect.patterns import pattern
from bot.detect.shell.model import Value

# One of these stands in nearly every script that reaches a daemon; all in lower case.
_TELLING = (
    ".sock",
    "docker_host",
    "container_host",
    "podman_host",
    "buildkit_host",
    "containerd_address",
    "dagger_runner_host",
    ":2375",
    "docker_engine",
    "pipe/",
    "pipe\\",
    "api-socket",
    "unix-socket",
    "type=glob",
)
# What else can reach one names a client, or mounts a directory by a client that it does not name.
_CLIENTS = ("docker", "podman", "nerdctl", "buildctl", "buildah", "finch")
_MOUNTS = ("-v", "--volume", "--mount")
_DIRECTORY = pattern(
    r"/run(?![\w.-])|/var/?(?![\w/.-])|/:|=/{1,2}(?![\w/.$-])"
    r"|\.(?:colima|rd|lima|orbstack|docker/run)\b|/volume1/docker|microk8s|/proc/"
)
_JOINED = pattern(r"\$\{[^}\n]*\}[a-z$]|[a-z]\$[a-z{]|\$[a-z_]\w*\$")
_SCHEMES = ("tcp:", "unix:", "ssh:", "npipe:")
_OPTION = pattern(r"[ \t](?:-h\b|--host|--addr|--url)")
_NEAR = 300  # characters between a client's name and its option
_MOST_LOOKS = 5_000  # after so many options a text is read anyway

_STRONG = pattern(
    r"sock|docker_host|container_host|buildkit_host|docker_engine|:2375|pipe[\\/]|tcp://|unix://"
    r"|(?:docker|podman|nerdctl)\b[^\n]{0,300}(?:/run|/:|/var)",
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
    client = any(name in low for name in _CLIENTS)
    if client and (any(scheme in low for scheme in _SCHEMES) or _addressed(low)):
        return True
    mounts = any(option in low for option in _MOUNTS)
    if client or (" run" in low and mounts):
        # Pieces that tell nothing can do so together: `${A}un` is `/run` where A is `/r`.
        return _DIRECTORY.search(low) is not None or (mounts and _JOINED.search(low) is not None)
    return False


def _addressed(low: str) -> bool:
    """Tell whether a client's option for an address may be there."""
    for count, found in enumerate(_OPTION.finditer(low)):
        start = max(0, found.start() - _NEAR)
        before = low[max(start, low.rfind("\n", start, found.start()) + 1) : found.start()]
        if count > _MOST_LOOKS or any(name in before for name in _CLIENTS):
            return True
    return False


def client(text: str) -> int:
    """Return where the last container client is named, 0 if nowhere."""
    low = text.lower()
    return max(0, *(low.rfind(name + " ") for name in _CLIENTS))


def telling(text: str) -> Iterator[tuple[str, int]]:
    """Yield the lines, with those that they continue on, that hold a hint, and their offsets.

    Of a very long line only what stands near a hint.
    """
    end = -1
    for found in _STRONG.finditer(text):
        if found.start() < end:
            continue
        earliest = max(found.start() - _WINDOW, end, 0)
        start = max(text.rfind("\n", earliest, found.start()) + 1, earliest)
        while start > 1 and text[max(0, start - 3) : start].endswith(("\\\n", "\\\r\n")):
            before = text.rfind("\n", earliest, start - 1) + 1
            if before <= earliest:
                break
            start = before
        stop = found.end()
        while True:
            newline = text.find("\n", stop, found.end() + _WINDOW)
            if newline < 0:
                stop = min(len(text), found.end() + _WINDOW)
                break
            stop = newline
            if not text[stop - 2 : stop].rstrip("\r").endswith("\\"):
                break
            stop = newline + 1
        end = max(stop, found.end())
        yield text[start:end], start
