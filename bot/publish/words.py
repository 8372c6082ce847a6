"""The sentences that say what a grant is, in plain text. Markdown is made from them elsewhere."""

from bot.detect.grant import Grant, How, Severity
from bot.publish.plain import plain

_NAMES = {
    "docker": "the Docker daemon",
    "docker-rootless": "a rootless Docker daemon",
    "podman": "the Podman service",
    "podman-rootless": "a rootless Podman service",
    "containerd": "containerd",
    "crio": "CRI-O",
    "cri-dockerd": "the Docker daemon, through cri-dockerd",
    "dockershim": "the Docker daemon, through dockershim",
    "buildkit": "the BuildKit daemon",
    "balena-engine": "the balenaEngine daemon",
    "dagger": "the Dagger engine",
}


def reached(resource: str) -> str:
    """Return what a resource is called in a sentence."""
    if resource in _NAMES:
        return _NAMES[resource]
    if resource.startswith(("/", "~")):
        kind = "the whole file system" if resource == "/" else f"the directory {plain(resource)}"
        return f"{kind} of the host, and with it the container daemon's socket"
    return f"the daemon at {plain(resource)}"


def who(grant: Grant) -> str:
    """Return who gets it: the subject, and the image where it has one."""
    subject = plain(grant.subject)
    if grant.image and grant.image not in grant.subject:
        return f"{subject} (image {plain(grant.image)})"
    return subject


def kind(how: How) -> str:
    """Return what a way of handing a daemon over is called in a table."""
    return how.value.replace("-", " ")


def power(grant: Grant) -> str:
    """Return what that is worth, in the words of the daemon's own documentation."""
    if grant.resource in {"docker-rootless", "podman-rootless"} or grant.resource.startswith(
        "/run/user"
    ):
        return "everything that the daemon's user may do on the host"
    return "root on the host"


def sentence(grant: Grant) -> str:
    """Return one sentence that is true of this very grant."""
    whom, what = who(grant), reached(grant.resource)
    match grant.how:
        case How.DECLARED:
            return (
                f"{whom} is set up to talk to {what}. By itself this gives nothing, "
                f"but whoever runs it is expected to hand the socket over."
            )
        case How.LISTEN:
            return f"{whom} opens {what} to others: whoever reaches it gets {power(grant)}."
        case How.RELAY:
            return f"{whom} passes {what} on: whoever reaches the relay gets {power(grant)}."
        case How.PERMISSION:
            return f"{whom} lets other accounts use {what}, which is {power(grant)}."
        case How.PLATFORM:
            return f"{whom} gets {what} from the platform itself, which is {power(grant)}."
        case How.ADDRESS if grant.severity is Severity.HIGH:
            return f"{whom} is pointed at {what}. Whoever controls it there has {power(grant)}."
        case _:
            return f"{whom} gets control of {what}, which is {power(grant)}."
