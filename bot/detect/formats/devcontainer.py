"""Development containers: mounts, run arguments, features that bring the host's socket.

Files: `devcontainer.json`, `.devcontainer.json` (JSON with comments), `devcontainer-feature.json`
(once `feature.json`), and the `scenarios.json` of a feature's tests, which holds one such
configuration a name. Source: containers.dev, "Dev Container metadata reference"; Dev Container CLI,
`devcontainer features test`; the features docker-outside-of-docker and docker-from-docker, which
mount /var/run/docker.sock of the host.

    {"features": {"ghcr.io/devcontainers/features/docker-outside-of-docker:1": {}}}
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Severity, Step, Undermined, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.scripts import argv_grants, reach_grant, script_grants
from bot.detect.shell import docker_options
from bot.detect.sockets import Target
from bot.detect.source import Source
from bot.detect.yaml_tree import read_json

_NAME = pattern(r"\.?devcontainer(?:-feature|-template)?\.json\Z", re.IGNORECASE)
_SCENARIOS = pattern(r"(?:^|/)tests?/(?:.*/)?scenarios\.json\Z")
_METADATA = pattern(r"(?:^|/)feature\.json\Z")
_FEATURE = pattern(r"(?:\A|/)docker-(?:outside-of|from)-docker(?::|@|\Z)", re.IGNORECASE)
_COMMANDS = (
    "initializeCommand",
    "onCreateCommand",
    "updateContentCommand",
    "postCreateCommand",
    "postStartCommand",
    "postAttachCommand",
)
_SUBJECT = "dev container"


def _matches(path: str, text: str) -> bool:
    if _NAME.match(plain_name(path)):
        return True
    if _METADATA.search(path):
        return '"id"' in text and '"mounts"' in text
    return _SCENARIOS.search(path) is not None


def grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    """Yield what a development container gets, and what its commands reach."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    tree = read_json(text)
    found: list[Grant] = []
    for document in tree.documents:
        if _SCENARIOS.search(path):
            for name, (_, one) in document.entries().items():
                of_one = _container(path, text, one) if one.kind == "map" else ()
                found += [replace(g, subject=f"scenario {name}, {g.subject}") for g in of_one]
        else:
            found += _container(path, text, document)
    yield from told(path, tree, found)


def _container(path: str, text: Text, document: Node) -> Iterator[Grant]:
    image = document.get("image")
    repository = mounts.repository(image.text) if image is not None and image.text else None
    whole = Grant(
        path, document.line, "", _SUBJECT, repository, "", How.MOUNT,
        undermines=tuple(_hardening(path, text, document)),
        extent=(document.line, document.last_line),
    )  # fmt: skip
    for node, reached in (*_mounted(document), *_features(document), *_addresses(document)):
        yield replace(
            whole,
            line=node.line,
            text=text.line(node.line),
            resource=reached.resource,
            how=reached.how,
            severity=reached.severity,
            steps=(Step(path, node.line),),
        )
    yield from _run_arguments(path, text, document, whole)
    yield from _commands(path, text, document)


def _mounted(document: Node) -> Iterator[tuple[Node, Target]]:
    listed = document.get("mounts")
    workspace = document.get("workspaceMount")
    for mount in (*(listed.listed() if listed else ()), *((workspace,) if workspace else ())):
        if mount.kind == "map":
            place, target = mount.get("source"), mount.get("target")
            reached = sockets.mount(place.text, target.text if target else None) if place else None
            yield from ((place, reached),) if place and reached else ()
        elif mount.kind == "scalar":
            kind = "" if "type=" in mount.text else "type=bind,"
            reached = mounts.mount_option(kind + mount.text)
            yield from ((mount, reached),) if reached else ()


def _features(document: Node) -> Iterator[tuple[Node, Target]]:
    """Yield the features that mount the host's socket, whichever of their names is used."""
    features = document.get("features")
    if features is None or features.kind != "map":
        return
    for name, (key, value) in features.entries().items():
        off = value.kind == "scalar" and value.text.lower() == "false"
        if _FEATURE.search(name) and not off:
            yield key, Target("docker", How.SWITCH, Severity.CRITICAL)


def _addresses(document: Node) -> Iterator[tuple[Node, Target]]:
    for name in ("containerEnv", "remoteEnv"):
        variables = document.get(name)
        if variables is None:
            continue
        for variable, (_, value) in variables.entries().items():
            if sockets.daemon_variable(variable) and (reached := sockets.address(value.text)):
                yield value, reached


def _run_arguments(path: str, text: Text, document: Node, whole: Grant) -> Iterator[Grant]:
    arguments = document.get("runArgs")
    if arguments is None or arguments.kind != "list":
        return
    words = [(word.text, word.line) for word in arguments.members()]
    for reach in docker_options(words, image=whole.image):
        found = reach_grant(path, text, _SUBJECT, reach)
        yield replace(found, image=whole.image, definition="", extent=whole.extent)


def _commands(path: str, text: Text, document: Node) -> Iterator[Grant]:
    for name in _COMMANDS:
        command = document.get(name)
        if command is None:
            continue
        alternatives = (
            [value for _, value in command.entries().values()]
            if command.kind == "map"
            else [command]
        )
        for one in alternatives:
            if one.kind == "list":
                yield from argv_grants(path, text, name, one.members())
            elif one.kind == "scalar":
                yield from script_grants(path, text, name, one)


def _hardening(path: str, text: Text, document: Node) -> Iterator[Undermined]:
    for name in ("remoteUser", "containerUser"):
        user, key = document.get(name), document.key(name)
        if user is not None and key is not None and user.text not in {"", "root", "0"}:
            yield Undermined(name, text.line(key.line).strip().rstrip(","), path, key.line)
    options = document.get("securityOpt")
    for option in options.listed() if options is not None else ():
        if "unconfined" not in option.text and "disable" not in option.text:
            yield Undermined("securityOpt", option.text, path, option.line)


FORMAT = Format("devcontainer", _matches, grants, endings=(".json",))
