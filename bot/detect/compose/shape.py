"""What a Compose file looks like, and its sections.

Source: Compose specification (`services` and its siblings at the top); Compose file version 1, in
which the services themselves stand at the top.
"""

from bot.detect.compose.values import Value
from bot.detect.positioned import Node

SECTIONS = ("services", "volumes", "secrets", "configs", "networks")
# What makes a mapping a container definition, by itself or together.
_STRONG = frozenset({"image", "build", "extends"})
_KEYS = _STRONG | {
    "cap_add", "cap_drop", "command", "container_name", "depends_on", "deploy", "develop",
    "devices", "dns", "entrypoint", "env_file", "environment", "expose", "extra_hosts",
    "healthcheck", "hostname", "init", "ipc", "labels", "links", "logging", "mem_limit", "net",
    "network_mode", "networks", "pid", "platform", "ports", "post_start", "pre_stop", "privileged",
    "profiles", "provider", "pull_policy", "read_only", "restart", "secrets", "configs",
    "security_opt", "stdin_open", "tmpfs", "tty", "ulimits", "use_api_socket", "user", "volumes",
    "volumes_from", "working_dir",
}  # fmt: skip
_FIRST = frozenset({"volumes", "volumes_from", "ports", "links", "expose", "environment", "net"})
# Keys at the top which say that a file is of another kind.
_FOREIGN = frozenset(
    {"apiVersion", "kind", "jobs", "steps", "pipeline", "stages", "openapi", "swagger", "on",
     "definitions", "pipelines", "workspace", "clone", "resources", "stage", "tasks", "plays"}
)  # fmt: skip


def sections(top: Value) -> dict[str, dict[str, Value]]:
    """Return the named values of each section of a document."""
    found: dict[str, dict[str, Value]] = {}
    if top.node.kind == "map" and not _has_services(top.node):
        found["services"] = {
            name: value for name, value in top.fields().items() if container(value.node)
        }
        return {section: found.get(section, {}) for section in SECTIONS}
    for section in SECTIONS:
        value = top.get(section)
        found[section] = value.fields() if value is not None else {}
    found["services"] = {
        name: value
        for name, value in found["services"].items()
        if value.node.kind == "map" or value.taken_away
    }
    return found


def _has_services(document: Node) -> bool:
    """Tell whether `services` is the section, not a service of version 1 that is called so."""
    services = document.value("services")
    if services is None:
        return False
    said = (services.get("image"), services.get("build"))
    return not any(value is not None and value.kind == "scalar" for value in said)


def composed(document: Node, *, named: bool) -> bool:
    """Tell whether a document is a Compose file.

    `named` says that its name claims so; else its members have to look like containers.
    """
    if document.kind != "map" or any(_foreign(key, value) for key, value in document.pairs):
        return False
    services = document.value("services")
    if services is not None and services.kind == "map" and _has_services(document):
        return named or any(container(value) for _, value in services.pairs)
    members = [value for _, value in document.pairs if value.kind == "map"]
    alike = [value for value in members if container(value)]
    if named:
        return bool(alike) or document.value("include") is not None
    first = [value for value in alike if any(key.text in _FIRST for key, _ in value.pairs)]
    return bool(first) and 2 * len(alike) > len(members)


def _foreign(key: Node, value: Node) -> bool:
    return key.text in _FOREIGN and not container(value) and not _beside(value)


def _beside(value: Node) -> bool:
    """Tell whether these are what services stand beside: databases, by their type (Convox)."""
    kinds = [below.value("type") for _, below in value.pairs] if value.kind == "map" else []
    return bool(kinds) and all(kind is not None and kind.kind == "scalar" for kind in kinds)


def container(node: Node) -> bool:
    """Tell whether a mapping looks like the definition of a container."""
    if node.kind != "map":
        return False
    keys = {key.text for key, _ in node.pairs}
    if keys & _STRONG:
        image = node.value("image")
        return image is None or image.kind == "scalar"
    return len(keys & _KEYS) > 1 or ("<<" in keys) or bool(keys & {"volumes", "use_api_socket"})
