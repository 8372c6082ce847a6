"""Which values of a client's variables and options are a daemon's address."""

import re

from bot.detect import sockets
from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern
from bot.detect.sockets import Target

# Variables that a client reads; others only hold a path that a script uses elsewhere.
CLIENT_VARIABLES = frozenset(
    {
        "DOCKER_HOST",
        "CONTAINER_HOST",
        "PODMAN_HOST",
        "BUILDKIT_HOST",
        "CONTAINERD_ADDRESS",
        "CONTAINER_RUNTIME_ENDPOINT",
        "IMAGE_SERVICE_ENDPOINT",
        "CORE_VM_ENDPOINT",
        "_EXPERIMENTAL_DAGGER_RUNNER_HOST",
    }
)
_WITH_PORT = pattern(r"[^\s/:]+:\d{2,5}")
_TELLING = pattern(r"docker|podman|colima|lima|machine|sock|daemon", re.IGNORECASE)
_EXPANSION = pattern(r"\$\([^)]*\)|\$?\{\{?[^}]*\}\}?")
_RESTORED = pattern(r"(?:OLD|SAVED?|PREV|ORIG|BACKUP|PARENT|OUTER)", re.IGNORECASE)


def option_address(text: str) -> Target | None:
    """Return what the value of `-H` or `--host` reaches."""
    text = text.strip()
    found = sockets.address(text)
    if found is None and sockets.unresolved(text) and _WITH_PORT.fullmatch(text):
        found = sockets.address("tcp://" + text)
    return found


def client_address(text: str, name: str) -> Target | None:
    """Return what giving a client's variable this value reaches.

    A value that nothing gives counts where it says that it is some daemon's, as in
    `DOCKER_HOST=$(podman machine inspect …)`; handing on the variable itself, or putting back an
    older value, does not.
    """
    found = option_address(text)
    if found is not None or "://" in text or not sockets.unresolved(text):
        return found
    own = re.compile(rf"\$\{{?{re.escape(name)}\b")
    if " " in _EXPANSION.sub("", text):
        return None
    if own.search(text) or _RESTORED.search(text) or not _TELLING.search(text):
        return None
    return Target("docker", How.ADDRESS, Severity.HIGH)
