"""The configuration of the runners of Gitea and Forgejo, by itself or inside other YAML.

Source: the runners' example configurations (`container.options`, `container.docker_host`,
`container.valid_volumes`, `runner.envs`). What it says holds for every job the runner picks up;
`valid_volumes` only allows, and gives nothing.

    container:
      options: -v /var/run/docker.sock:/var/run/docker.sock
"""

from collections.abc import Iterator
from dataclasses import replace

from bot.detect import sockets
from bot.detect.ci.containers import Container, container_grants
from bot.detect.ci.places import Environment, Places, Subject, address_grants, value_of
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Severity, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.positioned import Node
from bot.detect.sockets import Target
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_LIKE = Keyed(
    r"^[ \t]*(?:valid_volumes|workdir_parent|docker_host|force_pull):",
    "valid_volumes", "workdir_parent", "docker_host", "force_pull",
)  # fmt: skip
_CONTAINER = Keyed(r"^[ \t]*container:", "container")
_KEYS = frozenset({"valid_volumes", "workdir_parent", "docker_host", "force_pull", "force_rebuild"})
_SUBJECT = "every job of the runner"


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    return name.endswith((".yml", ".yaml")) and bool(_LIKE.search(text) and _CONTAINER.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    for document in read_yaml(text).documents:
        yield from _document(places, document)
        for scalar in document.scalars():
            if scalar.style == "|" and _matches("config.yaml", scalar.text):
                yield from _embedded(places, scalar)


def _embedded(places: Places, scalar: Node) -> Iterator[Grant]:
    """Yield what a configuration hands over that is a text of another file."""
    script, lines = scalar.script()
    # As many empty lines before it as keep every line's number.
    inner = Text("\n" * (lines[0] - 1) + script)
    for document in read_yaml(inner).documents:
        yield from _document(places, document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    for mapping in document.maps():
        container = mapping.get("container")
        if container is None or container.kind != "map" or not _KEYS & container.entries().keys():
            continue
        runner = mapping.get("runner")
        env = _environment(places, runner.get("envs") if runner is not None else None)
        subject = Subject(_SUBJECT, node=container)
        yield from address_grants(places, subject, env, env)
        options = container.get("options")
        if options is not None and options.kind == "scalar":
            yield from container_grants(places, subject, Container((), places.script(options)))
        yield from _daemon(places, subject, container)


def _daemon(places: Places, subject: Subject, container: Node) -> Iterator[Grant]:
    """Yield what `docker_host` gives: "" mounts the socket that is found, "-" does not."""
    host = container.get("docker_host")
    if host is None or host.kind != "scalar":
        return
    line, text = places.here(host), host.text.strip()
    if not text:
        given = Target("docker", How.PLATFORM, Severity.CRITICAL)
        yield replace(places.mounted(subject, given, line), implicit=True)
    elif text == "automount":
        switched = Target("docker", How.SWITCH, Severity.CRITICAL)
        yield places.mounted(subject, switched, line)
    elif (mounted := sockets.host_path(text.removeprefix("unix://"))) is not None:
        yield places.mounted(subject, mounted, line)
    elif (reached := sockets.address(text)) is not None:
        yield places.mounted(subject, reached, line)


def _environment(places: Places, node: Node | None) -> Environment:
    return {
        name: value_of(places.script(value), value)
        for name, (_, value) in (node.entries().items() if node is not None else ())
        if value.kind == "scalar"
    }


FORMAT = Format("act_runner", _matches, _grants, endings=(".yaml", ".yml"))
