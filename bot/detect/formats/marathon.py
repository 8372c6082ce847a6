"""Marathon applications and Mesos tasks: JSON with a container and the host's volumes.

Source: Marathon REST API, "container": volumes (hostPath, containerPath, mode), docker parameters,
which are options of `docker run`.

    {"id": "/agent", "container": {"docker": {"image": "agent"}, "volumes": [
      {"hostPath": "/var/run/docker.sock", "containerPath": "/var/run/docker.sock"}]}}
"""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import environment, image_of, script_grants, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import docker_options
from bot.detect.source import Source

_SHAPE = pattern(r"\"container\"\s*:\s*\{")
_DOCKER = pattern(r"\"docker\"\s*:\s*\{|\"type\"\s*:\s*\"(?:DOCKER|MESOS)\"")


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith(".json"):
        return False
    return bool(_SHAPE.search(text) and _DOCKER.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _applications)


def _applications(places: Places, document: Node) -> Iterator[Grant]:
    for application in document.maps():
        container = application.get("container")
        if container is not None and container.kind == "map":
            yield from _application(places, application, container)


def _application(places: Places, application: Node, container: Node) -> Iterator[Grant]:
    name = application.get("id")
    docker = container.get("docker")
    who = Subject(
        f"app {name.text}" if name is not None else "app",
        image_of(docker.get("image") if docker is not None else None),
        node=application,
        naming=frozenset({"id"}),
    )
    volumes = container.get("volumes")
    for volume in volumes.listed() if volumes is not None else ():
        source, at = volume.get("hostPath"), volume.get("containerPath")
        target = sockets.mount(source.text, at.text if at else None) if source is not None else None
        if source is not None and target is not None:
            yield places.mounted(who, target, places.here(source))
    parameters = docker.get("parameters") if docker is not None else None
    for parameter in parameters.listed() if parameters is not None else ():
        key, value = parameter.get("key"), parameter.get("value")
        if key is not None and value is not None:
            words = ((f"--{key.text}", places.here(key)), (value.text, places.here(value)))
            for reach in docker_options(words, who.image):
                yield places.grant(who, reach)
    env = environment(places, application.get("env"))
    yield from script_grants(places, who, (application.get("cmd"),), env)


FORMAT = Format("marathon", _matches, _grants, endings=(".json",))
