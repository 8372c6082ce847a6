"""The configuration of a GitLab Runner: config.toml, by itself or inside Helm values.

Source: GitLab documentation, "Advanced configuration" ([runners.docker]) and "Kubernetes
executor" (volumes). What it mounts, every job gets that the runner picks up.

    [[runners]]
      name = "builder"
      [runners.docker]
        volumes = ["/var/run/docker.sock:/var/run/docker.sock"]
"""

import re
from collections.abc import Iterator

from bot.detect import mounts, sockets
from bot.detect.ci.places import Places, Subject, address_grants, value_of
from bot.detect.engine import unread
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Severity, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Value
from bot.detect.sockets import Target
from bot.detect.source import Source

_RUNNERS = pattern(r"^[ \t]*\[\[?runners\b", re.MULTILINE)
_DOCUMENTATION = (".md", ".rst", ".adoc", ".txt", ".html")
_SCRIPTS = ("pre_clone_script", "pre_get_sources_script", "post_clone_script",
            "post_get_sources_script", "pre_build_script", "post_build_script")  # fmt: skip
# Restrictions of [runners.docker] on the job's container.
_CONTROLS = ("user", "cap_drop", "security_opt", "userns_mode", "memory", "memory_swap", "cpus",
             "cpuset_cpus", "isolation")  # fmt: skip


def _matches(path: str, text: str) -> bool:
    if "[runners" not in text:
        return False
    return not plain_name(path).lower().endswith(_DOCUMENTATION) and bool(_RUNNERS.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.toml import read_toml  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    runners = read_toml(text).get("runners")
    found: list[Grant] = []
    for number, runner in enumerate(runners.listed() if runners is not None else (), 1):
        if runner.kind == "map":
            found.extend(_runner(places, runner, number))
    yield from found
    why = _broken(path, content)
    if why is not None and (unknown := unread(path, text, why, found)) is not None:
        yield unknown


def _broken(path: str, content: str) -> str | None:
    """Return why a file that claims to be TOML and mentions a daemon is none."""
    if not plain_name(path).lower().endswith(".toml") or sockets.mentions(content) is None:
        return None
    import tomllib  # noqa: PLC0415 - start-up

    try:
        tomllib.loads(content.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return str(error)
    return None


def _runner(places: Places, runner: Node, number: int) -> Iterator[Grant]:
    name = runner.get("name")
    shown = f'runner "{name.text}"' if name is not None and name.text else f"runner {number}"
    digest = runner.digest(frozenset({"name", "id", "token", "url"}))
    extent = (runner.line, runner.last_line)
    subject = Subject(shown, definition=digest, extent=extent)
    env = _environment(places, runner.get("environment"))
    yield from address_grants(places, subject, env, env)
    for key in _SCRIPTS:
        script = runner.get(key)
        if script is not None and script.kind == "scalar":
            yield from places.reached(subject, script, places.script, env)
    docker = runner.get("docker")
    if docker is not None and docker.kind == "map":
        image = docker.get("image")
        repository = mounts.repository(image.text) if image is not None else None
        yield from _docker(places, Subject(shown, repository, digest, extent), docker)
    kubernetes = runner.get("kubernetes")
    if kubernetes is not None and kubernetes.kind == "map":
        image = kubernetes.get("image")
        repository = mounts.repository(image.text) if image is not None else None
        yield from _kubernetes(places, Subject(shown, repository, digest, extent), kubernetes)


def _docker(places: Places, subject: Subject, docker: Node) -> Iterator[Grant]:
    undermines = [
        (places.texts[places.path].line(node.line).strip(), places.here(node))
        for name in _CONTROLS
        if (node := docker.get(name)) is not None and node.text not in {"root", "0"}
    ]
    volumes = docker.get("volumes")
    for item in volumes.listed() if volumes is not None else ():
        target = mounts.short(item.text) if item.kind == "scalar" else None
        if target is not None:
            yield places.mounted(subject, target, places.here(item), undermines)
    inherited = docker.get("volumes_from")
    for item in inherited.listed() if inherited is not None else ():
        if sockets.mentions(item.text):
            target = Target("docker", How.INHERITED, Severity.CRITICAL)
            yield places.mounted(subject, target, places.here(item), undermines)
    host, tls = docker.get("host"), docker.get("tls_verify")
    if host is not None and not (tls is not None and tls.true):
        target = sockets.address(host.text)
        # The runner's own way to its own machine's daemon is what an executor is.
        if target is not None and "://" in target.resource:
            yield places.mounted(subject, target, places.here(host))


def _kubernetes(places: Places, subject: Subject, kubernetes: Node) -> Iterator[Grant]:
    volumes = kubernetes.get("volumes", "host_path")
    for volume in volumes.listed() if volumes is not None else ():
        path, at = volume.get("host_path"), volume.get("mount_path")
        source = path if path is not None else at
        if source is None or source.kind != "scalar":
            continue
        target = sockets.mount(source.text, at.text if at is not None else None)
        if target is not None:
            yield places.mounted(subject, target, places.here(source))


def _environment(places: Places, node: Node | None) -> dict[str, Value]:
    found: dict[str, Value] = {}
    for item in node.listed() if node is not None else ():
        name, equals, value = item.text.partition("=")
        if item.kind == "scalar" and equals:
            given = value_of(places.script(item), item)
            found[name.strip()] = Value(value, given.line)
    return found


FORMAT = Format("gitlab_runner", _matches, _grants)
