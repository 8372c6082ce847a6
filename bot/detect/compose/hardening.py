"""The restrictions on a service that mean nothing once it reaches the daemon, as they are written.

Source: Compose specification for the keys. The daemon applies what a create request asks for, and
nothing of the container that sends it.
"""

from collections.abc import Iterator
from itertools import islice

from bot.detect.compose.project import Model
from bot.detect.compose.values import Value
from bot.detect.grant import Undermined

_ROOT = frozenset({"", "0", "root"})
_LIMITS = (
    "mem_limit", "memswap_limit", "cpus", "cpu_quota", "cpu_shares", "cpuset", "pids_limit",
    "ulimits",
)  # fmt: skip
_OFF = ("unconfined", "disable", "false")
_OPTIONS = ("no-new-privileges", "seccomp", "apparmor")
_MOST = 40


def undermined(service: Value, model: Model) -> tuple[Undermined, ...]:
    """Return what the socket makes worthless in the same container, in the order of the keys."""
    found: dict[tuple[str, int], Undermined] = {}
    for control, value in islice(_controls(service, model), _MOST):
        step = value.own
        text = value.file.text.line(step.line).strip()
        found.setdefault((step.path, step.line), Undermined(control, text, step.path, step.line))
    return tuple(found.values())


def _controls(service: Value, model: Model) -> Iterator[tuple[str, Value]]:
    user = service.get("user")
    if user is not None and user.text.partition(":")[0].strip() not in _ROOT:
        yield "user", user
    for key in ("cap_drop",):
        value = service.get(key)
        for item in value.listed() if value is not None else ():
            yield key, item
    read_only = service.get("read_only")
    if read_only is not None and read_only.true:
        yield "read_only", read_only
        tmpfs = service.get("tmpfs")
        for item in tmpfs.flat() if tmpfs is not None else ():
            yield "tmpfs", item
    options = service.get("security_opt")
    for item in options.listed() if options is not None else ():
        if item.text.startswith(_OPTIONS) and not item.text.rstrip().endswith(_OFF):
            yield "security_opt", item
    users = service.get("userns_mode")
    if users is not None and users.text not in {"", "host"}:
        yield "userns_mode", users
    yield from _network(service, model)
    for key in _LIMITS:
        value = service.get(key)
        if value is not None:
            yield from ((key, leaf) for leaf in _leaves(value))
    limits = service.get("deploy", "resources", "limits")
    if limits is not None:
        yield from (("deploy.resources.limits", leaf) for leaf in _leaves(limits))


def _network(service: Value, model: Model) -> Iterator[tuple[str, Value]]:
    mode = service.get("network_mode") or service.get("net")
    if mode is not None and mode.text == "none":
        yield "network_mode", mode
    networks = service.get("networks")
    if networks is None:
        return
    names = networks.fields() or {item.text: item for item in networks.items()}
    defined = [model.sections["networks"].get(name) for name in names]
    inside = [network.get("internal") if network is not None else None for network in defined]
    if inside and all(value is not None and value.true for value in inside):
        yield from (("networks", value) for value in inside if value is not None)


def _leaves(value: Value, depth: int = 3) -> Iterator[Value]:
    if value.kind == "map" and depth:
        for below in value.fields().values():
            yield from _leaves(below, depth - 1)
    elif value.kind == "scalar" and value.text not in {"", "-1"}:
        yield value
