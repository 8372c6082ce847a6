"""Resources of the Docker provider: containers, services, volumes.

Source: kreuzwerker/terraform-provider-docker, documentation of docker_container, docker_service,
docker_volume and docker_image.
"""

import re
from collections.abc import Iterator, Mapping

from bot.detect.ci.places import Subject
from bot.detect.grant import Grant
from bot.detect.handed import At, Handed
from bot.detect.hcl import blocks
from bot.detect.mounts import repository
from bot.detect.positioned import Node

_REFERENCE = re.compile(r"docker_(?P<kind>image|volume)\.(?P<name>[\w-]+)")
_CONTROLS = {
    "user": "set", "read_only": "true", "security_opts": "list", "tmpfs": "set", "memory": "set",
    "cpu_set": "set", "cpus": "set", "network_mode": "none", "userns_mode": "set",
    "privileges": "", "pids_limit": "set", "no_new_privileges": "true",
}  # fmt: skip
Resources = Mapping[str, Mapping[str, Node]]  # by type and name


class Docker:
    """Reads the resources of one file; `resources` are those it may refer to."""

    def __init__(self, handed: Handed, resources: Resources) -> None:
        self._handed = handed
        self._resources = resources

    def container(self, address: str, body: Node) -> Iterator[Grant]:
        """Yield what a docker_container is handed."""
        yield from self._container(address, body, body)

    def service(self, address: str, body: Node) -> Iterator[Grant]:
        """Yield what a docker_service is handed."""
        for spec in blocks(body, "task_spec", "container_spec"):
            yield from self._container(address, spec, body)

    def _container(self, address: str, spec: Node, body: Node) -> Iterator[Grant]:
        handed = self._handed
        image = self._image(spec.get("image"))
        who = Subject(
            address,
            repository(image) if image else None,
            body.digest(frozenset({"name"})),
            (body.line, body.last_line),
        )
        restricted = [*handed.restricted(spec, _CONTROLS)]
        for capabilities in blocks(spec, "capabilities"):
            restricted += handed.restricted(capabilities, {"drop": "list"})
        for key in ("volumes", "mounts"):
            for volume in blocks(spec, key):
                at = handed.at(volume)
                yield from handed.long(who, at, restricted)
                named = self._volume(volume)
                if named is not None:
                    yield from handed.device(who, At(named, handed.path), restricted)
            for element in self._elements(spec, key):
                yield from handed.long(who, element, restricted)
        env = handed.environment((spec.get("env"),))
        yield from handed.addresses(who, env)
        parts = (spec.get("entrypoint"), spec.get("command"), spec.get("args"))
        yield from handed.command(who, parts, env)
        for check in blocks(spec, "healthcheck"):
            yield from handed.command(who, (check.get("test"),), env)

    def _elements(self, spec: Node, key: str) -> Iterator[At]:
        """Yield the mappings that `dynamic` blocks are made for each of."""
        holders = spec.get("dynamic", key)
        for holder in holders.listed() if holders is not None else ():
            each, content = holder.get("for_each"), holder.get("content")
            called = holder.get("iterator")
            iterator = called.text if called is not None else key
            for at in self._handed.scope.flat(self._handed.at(each)) if each is not None else ():
                inner = [value for _, value in at.node.entries().values() if value.kind == "map"]
                for node in (at.node, *inner):
                    yield At(_filled(content, node, iterator), at.path, at.after)

    def _image(self, node: Node | None) -> str:
        """Return an image's name, also where it is that of a docker_image."""
        text = self._handed.text(node)
        found = _REFERENCE.search(text)
        if found is None or found["kind"] != "image":
            return text
        image = self._resources.get("docker_image", {}).get(found["name"])
        return self._handed.text(image.get("name")) if image is not None else text

    def _volume(self, block: Node) -> Node | None:
        """Return the docker_volume that a mount names, by reference or by its own name."""
        text = self._handed.text(block.get("volume_name") or block.get("source"))
        volumes = self._resources.get("docker_volume", {})
        if found := _REFERENCE.search(text):
            return volumes.get(found["name"])
        for volume in volumes.values() if text else ():
            if self._handed.text(volume.get("name")) == text:
                return volume
        return None


def _filled(content: Node | None, element: Node, iterator: str) -> Node:
    """Return the block that an element makes, as far as `content` says which keys it takes."""
    taken = []
    for key, value in content.pairs if content is not None else ():
        holder, _, name = value.text.partition(".value.") if value.tag == "!ref" else ("", "", "")
        given = element.get(name) if holder == iterator and name else None
        if given is not None:
            taken.append((key, given))
    pairs = (*element.pairs, *taken)
    return Node("map", "", (), pairs, element.start, element.end, element.document, via=element.via)
