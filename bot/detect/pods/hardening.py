"""The restrictions on a container that mean nothing once it reaches the daemon, as written.

Source: Kubernetes API reference, PodSecurityContext, SecurityContext, ResourceRequirements. A
container's own value wins over the pod's. The daemon applies what a create request asks for, and
nothing of the container that sends it.
"""

from collections.abc import Iterator, Sequence

from bot.detect.grant import Undermined
from bot.detect.positioned import Node

_MOST = 40


def undermined(path: str, container: Node, pods: Sequence[Node]) -> tuple[Undermined, ...]:
    """Return what a container and the pod specs around it (innermost last) restrict in vain."""
    found: dict[int, Undermined] = {}
    for control, node in _controls(container, pods):
        text = node.document.line(node.line).strip()
        found.setdefault(node.line, Undermined(control, text, path, node.line))
        if len(found) >= _MOST:
            break
    return tuple(found.values())


def _controls(container: Node, pods: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    contexts = [
        context
        for holder in (*pods, container)
        if (context := holder.get("securityContext")) is not None and context.kind == "map"
    ]
    yield from _users(contexts)
    for name, off in (("allowPrivilegeEscalation", "false"), ("readOnlyRootFilesystem", "true")):
        value = _last(contexts, name)
        if value is not None and value.text.lower() == off:
            yield name, value
    dropped = _last(contexts, "capabilities", "drop")
    for item in dropped.listed() if dropped is not None else ():
        yield "capabilities.drop", item
    for name in ("seccompProfile", "appArmorProfile"):
        kind = _last(contexts, name, "type")
        if kind is not None and kind.text != "Unconfined":
            yield name, kind
    for pod in pods:
        users = pod.get("hostUsers")
        if users is not None and users.text.lower() == "false":
            yield "hostUsers", users
    for holder in (*pods, container):
        limits = holder.get("resources", "limits")
        if limits is not None and limits.kind == "map":
            yield from (("resources.limits", value) for _, value in limits.entries().values())


def _users(contexts: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    non_root = _last(contexts, "runAsNonRoot")
    if non_root is not None and non_root.true:
        yield "runAsNonRoot", non_root
    for name in ("runAsUser", "runAsGroup"):
        user = _last(contexts, name)
        if user is not None and user.kind == "scalar" and user.text not in {"0", ""}:
            yield name, user


def _last(contexts: Sequence[Node], *names: str) -> Node | None:
    for context in reversed(contexts):
        value = context.get(*names)
        if value is not None:
            return value
    return None
