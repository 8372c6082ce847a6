"""Resources of the Kubernetes, kubectl and Helm providers, read as the objects they make.

Source: hashicorp/terraform-provider-kubernetes (blocks are the API's fields in snake case),
kubernetes_manifest, kubectl_manifest, helm_release.
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import sockets
from bot.detect.ci.places import Subject
from bot.detect.grant import Grant
from bot.detect.handed import Handed
from bot.detect.kube.objects import object_grants
from bot.detect.kube.values import setting, value_grants
from bot.detect.pods import Containers, block, pod_grants
from bot.detect.positioned import Node

# Blocks that are repeated, and the lists that they make up.
_LISTS = {
    "container": "containers",
    "init_container": "initContainers",
    "volume": "volumes",
    "volume_mount": "volumeMounts",
    "env": "env",
}
_SNAKE = re.compile(r"_([a-z])")
_DEEPEST = 60


def objects(handed: Handed, address: str, body: Node) -> Iterator[Grant]:
    """Yield what a resource hands over that is an object written in blocks."""
    converted = _converted(body, 0)
    yield from pod_grants(handed.places, address, converted, handed.resolve)
    source = converted.get("spec", "persistentVolumeSource")
    if source is not None:
        who = Subject(address, None, source.digest(), (body.line, body.last_line))
        yield from Containers(handed.places, handed.resolve).volume(who, source)
        local = source.get("local", "path")
        target = sockets.host_path(handed.text(local))
        if local is not None and target is not None:
            at = handed.at(local)
            yield handed.grant(who, target, at, handed.scope.text(at))


def manifests(handed: Handed, body: Node) -> Iterator[Grant]:
    """Yield what a manifest hands over: an object of HCL, or YAML as text."""
    for key in ("manifest", "yaml_body", "yaml_body_parsed"):
        value = body.get(key)
        for at in handed.scope.flat(handed.at(value)) if value is not None else ():
            if at.node.kind == "map":
                yield from object_grants(handed.places, at.node, handed.resolve)
            for text in _texts(at.node):
                for document in block(text):
                    yield from object_grants(handed.places, document, handed.resolve)
        if value is not None and value.tag == "!yamldecode":
            for text in value.items:
                for document in block(text):
                    yield from object_grants(handed.places, document, handed.resolve)


def _texts(node: Node) -> Iterator[Node]:
    if node.kind == "scalar" and node.style == "|":
        yield node


def release(handed: Handed, address: str, body: Node) -> Iterator[Grant]:
    """Yield what a helm_release hands over by its values and its single settings."""
    values = body.get("values")
    for at in handed.scope.flat(handed.at(values)) if values is not None else ():
        if at.path != handed.path:
            continue
        documents = (at.node,) if at.node.kind == "map" else _documents(at.node)
        for document in documents:
            yield from value_grants(handed.places, document, address)
    for key in ("set", "set_list", "set_sensitive"):
        listed = body.get(key)
        for one in listed.listed() if listed is not None else ():
            name, value = one.get("name"), one.get("value")
            if name is None or value is None:
                continue
            given = handed.scope.text(handed.at(value))
            target = setting(tuple(handed.text(name).split(".")), given.text)
            if target is not None:
                who = Subject(address, None, body.digest(), (body.line, body.last_line))
                yield handed.grant(who, target, handed.at(value), given)


def _documents(node: Node) -> Iterator[Node]:
    for text in _texts(node):
        yield from block(text)


def _converted(node: Node, depth: int) -> Node:
    """Return blocks as the API's fields: keys in camel case, repeated blocks as lists."""
    if depth > _DEEPEST or node.kind == "scalar":
        return node
    if node.kind == "list":
        return replace(node, items=tuple(_converted(item, depth + 1) for item in node.items))
    pairs: list[tuple[Node, Node]] = []
    for key, value in node.pairs:
        if key.text == "dynamic" and value.kind == "map":
            pairs.extend(_dynamic(value, depth))
            continue
        below = _converted(value, depth + 1)
        name = _LISTS.get(key.text)
        if name is not None and below.kind == "map":
            below = _list(below)
        pairs.append((replace(key, text=name or _camel(key.text)), below))
    return replace(node, pairs=tuple(_joined(pairs)))


def _dynamic(node: Node, depth: int) -> Iterator[tuple[Node, Node]]:
    """Yield the blocks that `dynamic "volume" { content { … } }` makes."""
    for key, value in node.pairs:
        for one in value.listed():
            content = one.get("content")
            if content is not None:
                name = _LISTS.get(key.text) or _camel(key.text)
                below = _converted(content, depth + 1)
                listed = _list(below) if key.text in _LISTS else below
                yield replace(key, text=name), listed


def _joined(pairs: list[tuple[Node, Node]]) -> Iterator[tuple[Node, Node]]:
    """Put lists of one name together: written blocks and dynamic ones."""
    known: dict[str, tuple[Node, Node]] = {}
    for key, value in pairs:
        before = known.get(key.text)
        if before is not None and before[1].kind == value.kind == "list":
            items = (*before[1].items, *value.items)
            known[key.text] = (before[0], replace(before[1], items=items))
        else:
            known[key.text] = (key, value)
    yield from known.values()


def _list(node: Node) -> Node:
    return Node("list", "", (node,), (), node.start, node.end, node.document)


def _camel(name: str) -> str:
    return _SNAKE.sub(lambda found: found[1].upper(), name)
