"""Ansible's modules that start containers, make objects, or open a daemon up.

Source: documentation of community.docker (docker_container, docker_swarm_service,
docker_compose_v2, docker_stack), containers.podman (podman_container, podman_pod),
kubernetes.core.k8s and of ansible.builtin (file, copy, lineinfile, blockinfile).
`docker_host` is where the module itself finds the daemon: no mount.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.ci.places import Subject
from bot.detect.grant import Grant, How
from bot.detect.handed import Handed
from bot.detect.installed import written
from bot.detect.kube.objects import object_grants
from bot.detect.mounts import repository
from bot.detect.pods import block
from bot.detect.positioned import Node
from bot.detect.sockets import Target

_CONTROLS = {
    "user": "set", "read_only": "true", "cap_drop": "list", "security_opts": "list",
    "security_opt": "list", "tmpfs": "list", "memory": "set", "cpus": "set", "pids_limit": "set",
    "network_mode": "none", "network": "none", "userns_mode": "set", "userns": "set",
    "mem_limit": "set",
}  # fmt: skip
_PAIR = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|\{\{[^}]*\}\}|\S*)")
_OPEN_MODE = re.compile(r"['\"]?0?[0-7]{2}[2367]['\"]?\Z|.*o\+?=?r?w")


def tells(node: Node) -> bool:
    """Tell whether a value of a loop names a daemon."""
    return any(sockets.host_path(one.text) or mounts.short(one.text) for one in node.scalars())


def free_form(node: Node) -> Node:
    """Return `name=x volumes=/a:/b` as the mapping that it means."""
    if node.kind != "scalar":
        return node
    # Without quotes, what is written is what is meant, each pair on its own line.
    written_so = not node.style or node.style in ">|"
    given = node.document.content[node.start : node.end] if written_so else node.text
    pairs = []
    for found in _PAIR.finditer(given):
        at = min(node.start + found.start(), max(node.start, node.end - 1))
        key = Node("scalar", found["name"], (), (), at, at, node.document)
        text = found["value"].strip("\"'")
        pairs.append((key, Node("scalar", text, (), (), at, at, node.document)))
    return Node("map", "", (), tuple(pairs), node.start, node.end, node.document)


def container_grants(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield what a container, a service of a swarm or a pod is handed."""
    image = handed.text(given.get("image"))
    own = replace(who, image=repository(image) if image else None)
    restricted = handed.restricted(given, _CONTROLS)
    for key in ("volumes", "volume", "mounts", "mount"):
        value = given.get(key)
        if value is not None:
            yield from handed.short(own, value, restricted)
    env = handed.environment((given.get("env"), given.get("environment")))
    yield from handed.addresses(own, env)
    if not any(handed.text(given.get(key)) for key in ("tls", "tls_verify", "validate_certs")):
        parts = (given.get("entrypoint"), given.get("command"), given.get("args"))
        yield from handed.command(own, parts, env)


def _compose(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield what the services of a Compose file hand over that stands in the task itself."""
    for key in ("definition", "compose"):
        value = given.get(key)
        for document in value.listed() if value is not None else ():
            services = document.get("services")
            holder = services if services is not None else document
            for name, (_, service) in holder.entries().items():
                if service.kind == "map":
                    digest = service.digest()
                    extent = (service.line, service.last_line)
                    own = Subject(f"{who.name}, service {name}", None, digest, extent)
                    yield from container_grants(handed, own, service)


def _objects(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield what the Kubernetes objects of a task hand over."""
    for key in ("definition", "resource_definition", "inline"):
        value = given.get(key)
        if value is None:
            continue
        for document in block(value) if value.kind == "scalar" else value.listed():
            for grant in object_grants(handed.places, document, handed.resolve):
                yield replace(grant, subject=f"{who.name}, {grant.subject}")


def _file(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield a socket that everyone may write to."""
    path = given.get("path") or given.get("dest") or given.get("name")
    mode = given.get("mode")
    target = sockets.host_path(handed.text(path))
    if target is None or target.how is not How.MOUNT or mode is None:
        return
    if _OPEN_MODE.match(handed.text(mode)):
        opened = Target(target.resource, How.PERMISSION, target.severity)
        yield handed.grant(who, opened, handed.at(mode), handed.scope.text(handed.at(mode)))


def _written(handed: Handed, who: Subject, given: Node) -> Iterator[Grant]:
    """Yield what a file does that the task writes: a script, or a daemon's configuration."""
    path = handed.text(given.get("path") or given.get("dest") or given.get("destfile"))
    for key in ("content", "block", "line", "value"):
        text = given.get(key)
        if text is not None and text.kind == "scalar":
            yield from written(handed.places, who, path, text)


HANDLERS: Mapping[str, Callable[[Handed, Subject, Node], Iterator[Grant]]] = {
    **dict.fromkeys(
        ("docker_container", "docker_swarm_service", "podman_container", "podman_pod", "docker"),
        container_grants,
    ),
    **dict.fromkeys(("docker_compose", "docker_compose_v2", "docker_stack"), _compose),
    **dict.fromkeys(("k8s", "kubernetes"), _objects),
    "file": _file,
    **dict.fromkeys(("copy", "lineinfile", "blockinfile", "ini_file"), _written),
}
