"""Every resource of one file -> what it hands over.

Source: Terraform language, "Resource Blocks", "Provisioners"; documentation of the AWS provider
(aws_ecs_task_definition, aws_batch_job_definition, user data).
"""

import re
from collections.abc import Iterator, Sequence

from bot.detect.ci.places import Places, Subject, joined
from bot.detect.cloud_init import cloud_config_grants
from bot.detect.ecs import Tasks, Volume, value, volumes_of
from bot.detect.grant import Grant
from bot.detect.handed import Handed
from bot.detect.hcl import blocks, labelled, named
from bot.detect.kube.values import setting
from bot.detect.pods import block
from bot.detect.positioned import Node
from bot.detect.shell import Script
from bot.detect.shell.model import SHEBANG
from bot.detect.terraform import kubernetes
from bot.detect.terraform.docker import Docker
from bot.detect.terraform.module import Module

_OTHER_LANGUAGE = re.compile(r"\s*(?:#!|#cloud-config|<powershell>|\{|---)")
_CLOUD_CONFIG = re.compile(r"\s*#cloud-config\b")
_MOUNTS = re.compile(r"(?:\A|_)(?:volumes?|mounts?|binds?)\Z", re.IGNORECASE)
_SOCKET = re.compile(r"sock(?:et)?(?:_?path)?\Z", re.IGNORECASE)
_STARTS = frozenset(
    {"user_data", "user_data_base64", "startup_script", "metadata_startup_script", "custom_data",
     "script", "user_data_raw"}
)  # fmt: skip


def resource_grants(module: Module) -> Iterator[Grant]:
    """Yield what the resources of one file hand over."""
    places = Places(module.path, module.text)
    handed = Handed(module.path, places, module.scope)
    found: dict[str, dict[str, Node]] = {}
    for kind, name, body in labelled(module.root, "resource"):
        found.setdefault(kind, {}).setdefault(name, body)
    docker = Docker(handed, found)
    for kind, name, body in labelled(module.root, "resource"):
        yield from _resource(handed, docker, kind, f"{kind}.{name}", body)
    modules = module.root.get("module")
    for name, body in named(modules) if modules is not None else ():
        yield from _module(handed, name, body)
    for kind, name, body in labelled(module.root, "data"):
        yield from _scripts(handed, f"data.{kind}.{name}", body)


def variable_grants(module: Module) -> Iterator[Grant]:
    """Yield what a file of values gives the containers of the modules that it is for."""
    handed = Handed(module.path, Places(module.path, module.text), module.scope)
    for name, (_, given) in module.root.entries().items():
        if _SOCKET.search(name) and given.kind == "scalar":
            yield from _setting(handed, Subject(f"variable {name}", node=given), name, given)
        for mapping in given.maps():
            path = mapping.get("host_path")
            if path is not None and path.kind == "scalar":
                who = Subject(f"variable {name}", node=mapping)
                yield from _setting(handed, who, "host_path", path)


def _setting(handed: Handed, who: Subject, key: str, given: Node) -> Iterator[Grant]:
    known = handed.resolve(given)
    target = setting((key,), known.text)
    if target is not None:
        yield handed.grant(who, target, handed.at(given), known)


def _resource(
    handed: Handed, docker: Docker, kind: str, address: str, body: Node
) -> Iterator[Grant]:
    match kind.removesuffix("_v1"):
        case "docker_container":
            yield from docker.container(address, body)
        case "docker_service":
            yield from docker.service(address, body)
        case "kubernetes_manifest" | "kubectl_manifest" | "k8s_manifest":
            yield from kubernetes.manifests(handed, body)
        case "helm_release":
            yield from kubernetes.release(handed, address, body)
        case "aws_ecs_task_definition" | "aws_batch_job_definition":
            yield from _tasks(handed, address, body)
        case _ if kind.startswith("kubernetes_"):
            yield from kubernetes.objects(handed, address, body)
    yield from _scripts(handed, address, body)


def _module(handed: Handed, name: str, body: Node) -> Iterator[Grant]:
    """Yield what a module is given for the containers that it makes: mounts, a socket's path."""
    who = Subject(f"module.{name}", node=body)
    for key, (_, given) in body.entries().items():
        if _MOUNTS.search(key):
            yield from handed.short(who, given, ())
        elif _SOCKET.search(key) and given.kind == "scalar":
            yield from _setting(handed, who, key, given)


def _tasks(handed: Handed, address: str, body: Node) -> Iterator[Grant]:
    tasks = Tasks(handed.places, handed.resolve)
    volumes: dict[str, Volume] = {}
    for volume in blocks(body, "volume"):
        device = volume.get("docker_volume_configuration", "driver_opts", "device")
        path, name = volume.get("host_path") or device, volume.get("name")
        if path is not None and name is not None:
            volumes[handed.text(name)] = Volume(path, name)
    containers = tuple(_inside(handed, body.get("container_definitions")))
    for properties in _inside(handed, body.get("container_properties")):
        yield from tasks.grants(address, (properties,), volumes_of(properties))
    if containers:
        yield from tasks.grants(address, containers, volumes)
    else:
        yield from tasks.unmounted(address, volumes)


def _inside(handed: Handed, node: Node | None) -> Iterator[Node]:
    """Yield the mappings of a value that is JSON: encoded by a function, or as text."""
    for at in handed.scope.flat(handed.at(node)) if node is not None else ():
        if at.path != handed.path:
            continue
        if at.node.kind == "map":
            yield at.node
        elif at.node.style == "|":
            for document in block(at.node):
                yield from (one for one in document.listed() if value(one, "image") is not None)


def _scripts(handed: Handed, address: str, body: Node) -> Iterator[Grant]:
    """Yield what scripts reach: provisioners, and what a machine runs when it starts."""
    who = Subject(address, extent=(body.line, body.last_line))
    for provisioner in blocks(body, "provisioner"):
        for kind, (_, listed) in provisioner.entries().items():
            for one in listed.listed():
                yield from _provisioner(handed, who, kind, one)
    for below in body.maps():
        for key, node in below.pairs:
            if key.text in {"provisioner", "inline"}:
                continue
            for text in _texts(node):
                named = key.text in _STARTS and not _OTHER_LANGUAGE.match(text.text)
                if named or SHEBANG.match(text.text):
                    yield from _script(handed, who, (text,))
                elif _CLOUD_CONFIG.match(text.text):
                    for document in block(text):
                        yield from cloud_config_grants(handed.places, address, document)


def _texts(node: Node) -> Iterator[Node]:
    """Yield the heredocs of an attribute, also those that a function is given."""
    stack = [node]
    while stack:
        one = stack.pop()
        if one.kind == "list":
            stack.extend(item for item in one.items if item.kind != "map")
        elif one.kind == "scalar" and one.style == "|":
            yield one


def _provisioner(handed: Handed, who: Subject, kind: str, node: Node) -> Iterator[Grant]:
    if kind == "remote-exec":
        lines = node.get("inline")
        if lines is not None:
            at = handed.scope.flat(handed.at(lines))
            yield from _script(
                handed, who, tuple(one.node for one in at if one.path == handed.path)
            )
    elif kind == "local-exec":
        command = node.get("command")
        if command is not None and command.kind == "scalar":
            env = handed.environment((node.get("environment"),))
            yield from handed.places.ran(who, _read(handed, command), env)


def _script(handed: Handed, who: Subject, nodes: Sequence[Node]) -> Iterator[Grant]:
    script = joined(_read(handed, node) for node in nodes if node.kind == "scalar")
    yield from handed.places.ran(who, script, {})


def _read(handed: Handed, node: Node) -> Script:
    """Return a scalar as a script; `$${` is how HCL writes `${`."""
    script = handed.places.script(node)
    return Script(script.text.replace("$${", "${"), script.lines)
