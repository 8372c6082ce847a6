"""What a format yields: a Grant (a daemon can be reached) or an Unknown (it could not be told)."""

from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple


class Severity(StrEnum):
    """How bad it is if the subject is hostile."""

    CRITICAL = "critical"  # root on the host
    HIGH = "high"  # a rootless user, or something set up to talk to a socket it is expected to get


class How(StrEnum):
    """The kind of text that hands the daemon over. Advice and wording depend on it."""

    MOUNT = "bind-mount"  # the socket or pipe itself is mounted
    DIRECTORY = "directory-mount"  # a directory that holds it is mounted
    SWITCH = "switch"  # an option that mounts it without naming it: use_api_socket, mapDockerSocket
    FILE_OBJECT = "config-or-secret-file"  # compose secrets/configs whose `file:` is the socket
    INHERITED = "volumes-from"  # another container's mounts are taken over
    ADDRESS = "daemon-address"  # DOCKER_HOST, -H, a docker context
    RAW_API = "raw-api"  # curl --unix-socket and the like
    LISTEN = "daemon-listen"  # the daemon itself is opened up: dockerd -H tcp://
    RELAY = "relay"  # socat, ssh -L and the like
    PERMISSION = "permission"  # chmod 666 on the socket
    DECLARED = "declared"  # expects a socket, gives nothing by itself: VOLUME, ENV DOCKER_HOST
    PLATFORM = "platform"  # implicit grants


class Step(NamedTuple):
    """One place on the way from the text that names the daemon to whoever gets it."""

    path: str
    line: int  # 1-based, as git counts


@dataclass(frozen=True, slots=True)
class Undermined:
    """A restriction on the same container that means nothing once it reaches the daemon."""

    control: str  # the key or flag: "user", "cap_drop", "--read-only"
    text: str  # the line as written, stripped
    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Grant:
    """One container, job or script that reaches a container daemon.

    `path` is the file that defines the subject. `steps` leads from the text that names the daemon
    (first) to the subject (last); it holds at least one step, and all of them may carry the
    comment. `path:line` is the last step inside the subject's own file that a reader would change.
    """

    path: str
    line: int  # 1-based; the most telling line in `path`: the mount itself, else what refers to it
    text: str  # that line, without its line end
    subject: str  # named as a person finds it in the file: "service traefik", "job build, step 3"
    image: str | None  # repository of what gets it, without tag or digest; None if it has none
    resource: str  # what is reached, see `sockets.py`: "docker", "/run", "tcp://build:2375"
    how: How
    severity: Severity = Severity.CRITICAL
    steps: tuple[Step, ...] = ()
    undermines: tuple[Undermined, ...] = ()
    definition: str = ""  # digest of what the subject does, without its name and place; "" if none
    extent: tuple[int, int] = (0, 0)  # first and last line of the subject's definition in `path`
    implicit: bool = False  # the platform grants it with no line that says so
    fingerprint: str = field(init=False, default="")

    def __post_init__(self) -> None:
        if not self.steps:
            object.__setattr__(self, "steps", (Step(self.path, self.line),))
        if self.extent == (0, 0):
            object.__setattr__(self, "extent", (self.line, self.line))
        object.__setattr__(self, "fingerprint", self.identity(self.path))

    def identity(self, path: str) -> str:
        """Return the fingerprint this grant would have if its file were called `path`.

        File, subject, what is reached and image repository (GATE.md); never a line number.
        """
        parts = (path, self.subject, self.resource, self.image or "")
        return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A file that mentions a daemon and could not be understood. Yielded, never raised."""

    path: str
    line: int | None  # 1-based; None for the whole file
    reason: str  # a sentence that a person can act on
    mentions: str = ""  # the text that made it matter
    digest: str = ""  # of the whole file, where any change of it is unknown anew
