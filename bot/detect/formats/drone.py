"""Drone pipelines: .drone.yml, *.drone.yml, .drone.jsonnet, .drone.star.

Source: Drone's documentation, "Docker pipelines: Volumes, Host", "Syntax". A host volume is named
at the pipeline and mounted by its steps; up to version 0.8 steps named host paths themselves.

    kind: pipeline
    steps:
    - {name: build, image: docker, volumes: [{name: sock, path: /var/run/docker.sock}]}
    volumes:
    - {name: sock, host: {path: /var/run/docker.sock}}
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci import legacy
from bot.detect.ci.places import Place, Places, Subject, address_grants, aliases
from bot.detect.ci.steps import (
    environment,
    name_of,
    platform_grant,
    restrictions,
    script_grants,
    steps_of,
    subject_of,
    volume_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Severity, Step, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_NAME = pattern(r"(?:\A|[.-])drone(?:[.-][^/]*)?\.ya?ml\Z", re.IGNORECASE)
_PROGRAM = pattern(r"(?:\A|[.-])drone(?:[.-][^/]*)?\.(?:jsonnet|libsonnet|star)\Z", re.IGNORECASE)
_PROGRAM_IN_FOLDER = pattern(r"(?:^|/)\.drone/.*\.(?:jsonnet|libsonnet|star)\Z", re.IGNORECASE)
# Drone can be told to read a program of any name.
_PIPELINE = pattern(r"\bkind[\"']?\s*[:=]\s*[\"']pipeline[\"']")
_FOLDER = pattern(r"(?:^|/)\.drone/.*\.ya?ml(?:\.\w+)?\Z", re.IGNORECASE)
_KIND = Keyed(r"^kind: *[\"']?pipeline\b", "kind")
_STEPS = Keyed(r"^(?:steps|services):", "steps", "services")
# The runner starts these privileged, with a daemon of their own, when a step only configures them
# (drone-runner-docker, DRONE_RUNNER_PRIVILEGED_IMAGES).
_PRIVILEGED = pattern(r"(?:docker\.io/)?plugins/(?:docker|acr|ecr|gcr|gar|heroku)\Z")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _is_program(path, text):
        return True
    if _NAME.search(name) or _FOLDER.search(path):
        return not name.lower().startswith(("docker-compose", "compose"))
    if not name.lower().endswith((".yml", ".yaml")):
        return False
    return bool(_KIND.search(text) and _STEPS.search(text))


def _is_program(path: str, text: str) -> bool:
    if _PROGRAM.search(plain_name(path)) or _PROGRAM_IN_FOLDER.search(path):
        return True
    return path.endswith((".jsonnet", ".star")) and bool(_PIPELINE.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    if plain_name(path).lower().endswith((".jsonnet", ".libsonnet", ".star")):
        yield from _program(path, source)
    else:
        yield from yaml_grants(path, source, _document)


def _program(path: str, source: Source) -> Iterator[Grant | Unknown]:
    """Read what a Jsonnet or Starlark file comes to; what it only mentions is unknown."""
    from bot.detect.literal.evaluate import (  # noqa: PLC0415 - start-up
        read_jsonnet,
        read_starlark,
    )

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    is_starlark = plain_name(path).lower().endswith(".star")
    documents = read_starlark(text) if is_starlark else read_jsonnet(text)
    places = Places(path, text)
    understood: set[int] = set()
    for document in documents:
        yield from _document(places, document)
        for scalar in document.scalars():
            understood.update((scalar.line, scalar.last_line, *scalar.via))
    for number in range(1, len(text) + 1):
        line = text.line(number)
        mention = sockets.mentions(line) if number not in understood else None
        if mention and not line.lstrip().startswith(("#", "//", "*", "/*")):
            reason = f"The file mentions {mention}, in a value that could not be worked out."
            yield Unknown(path, number, reason, mention)
            return


def _document(places: Places, document: Node) -> Iterator[Grant]:
    if document.get("pipeline") is not None:
        yield from legacy.pipeline_grants(places, document)
        return
    name = name_of(document) or "default"
    general = environment(places, document.get("environment"))
    hosts = _host_volumes(document)
    for key, kind in (("steps", "step"), ("services", "service")):
        for label, step in steps_of(document.get(key)):
            subject = subject_of(f"pipeline {name}, {kind} {label}", step)
            yield from _mounts(places, subject, step, hosts)
            own = environment(places, step.get("environment"))
            yield from address_grants(places, subject, own, general | own)
            yield from script_grants(places, subject, (step.get("commands"),), general | own)
            yield from _by_plugin(places, subject, step)


def _host_volumes(document: Node) -> dict[str, Node]:
    """Return the paths of a pipeline's host volumes by name."""
    volumes = document.get("volumes")
    found: dict[str, Node] = {}
    for volume in volumes.listed() if volumes is not None else ():
        path = volume.get("host", "path")
        if path is not None and path.kind == "scalar":
            found[name_of(volume)] = path
    return found


def _mounts(
    places: Places, subject: Subject, step: Node, hosts: dict[str, Node]
) -> Iterator[Grant]:
    """Yield the host volumes that a step mounts: from the host's path to the step's mount."""
    restricted = restrictions(places, step)
    volumes = step.get("volumes")
    for mount in volumes.listed() if volumes is not None else ():
        if mount.kind == "scalar":  # as up to 0.8; what comes of it is for the server to say
            yield from volume_grants(places, subject, mount, restricted)
            continue
        path, at = hosts.get(name_of(mount)), mount.get("path")
        target = sockets.mount(path.text, at.text if at is not None else None) if path else None
        if path is None or target is None:
            continue
        here = at if at is not None else mount
        way = (
            *aliases(path, places.path),
            Step(places.path, here.line),
            *aliases(here, places.path),
        )
        number = places.put(Place(places.path, path.line, (), way))
        yield places.mounted(subject, target, number, restricted)


def _by_plugin(places: Places, subject: Subject, step: Node) -> Iterator[Grant]:
    """Yield the daemon that the runner gives certain plugins without being asked."""
    configured = any(step.get(key) for key in ("commands", "entrypoint", "volumes"))
    image = step.get("image")
    if image is None or configured or not _PRIVILEGED.match(subject.image or ""):
        return
    yield platform_grant(places, subject, image, Severity.HIGH)


FORMAT = Format("drone", _matches, _grants)
