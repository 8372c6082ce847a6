"""JSON patches (RFC 6902) of Kubernetes objects: `[{op, path, value}]`."""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Places, Subject, address_grants
from bot.detect.grant import Grant
from bot.detect.patterns import pattern
from bot.detect.pods import Containers, pod_grants
from bot.detect.pods.values import text_of
from bot.detect.positioned import Node

_WRITES = frozenset({"add", "replace"})
_HOST_PATH = pattern(r"/volumes/[^/]+/hostPath/path\Z|/hostPath/path\Z")
_VOLUME = pattern(r"/volumes(?:/[^/]+)?\Z")
_CONTAINER = pattern(r"/(?:containers|initContainers)/[^/]+\Z")
_VARIABLE = pattern(r"/env(?:/[^/]+)?\Z")


def is_patch(document: Node) -> bool:
    """Tell whether a document is a list of operations."""
    items = document.items if document.kind == "list" else ()
    return bool(items) and all(
        item.kind == "map" and item.value("op") is not None and item.value("path") is not None
        for item in items
    )


def patch_grants(places: Places, document: Node, owner: str) -> Iterator[Grant]:
    """Yield what the operations of one patch hand over.

    The mount of a volume that a patch adds is often in the object itself, so a volume counts.
    """
    containers = Containers(places)
    for operation in document.members():
        where, value = text_of(operation.get("path")), operation.get("value")
        if value is None or text_of(operation.get("op")) not in _WRITES:
            continue
        subject = Subject(owner, None, value.digest(), (operation.line, operation.last_line))
        if _HOST_PATH.search(where) and value.kind == "scalar":
            target = sockets.host_path(value.text)
            if target is not None:
                yield places.mounted(subject, target, places.here(value))
        elif where.endswith("/hostPath"):
            path = value.get("path")
            target = sockets.host_path(path.text) if path is not None else None
            if path is not None and target is not None:
                yield places.mounted(subject, target, places.here(path))
        elif _VOLUME.search(where):
            for volume in value.listed():
                named = f"{owner}, volume {text_of(volume.get('name'))}"
                digest = volume.digest(frozenset({"name"}))
                who = Subject(named, None, digest, subject.extent)
                yield from containers.volume(who, volume)
        elif _CONTAINER.search(where):
            yield from containers.grants(
                f"{owner}, container {text_of(value.get('name'))}", value, {}
            )
        elif _VARIABLE.search(where):
            env = containers.environment(value)
            yield from address_grants(places, subject, env, env)
        else:
            yield from pod_grants(places, owner, value)
