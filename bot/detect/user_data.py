r"""What a machine of AWS runs when it starts, put together by functions of CloudFormation.

Source: AWS CloudFormation, intrinsic functions Base64, Join, Sub, If; Amazon EC2, "Run commands at
launch": a script, or a cloud-config.

    "UserData": {"Fn::Base64": {"Fn::Join": ["", ["#!/bin/sh\n", "docker run …\n"]]}}
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Place, Places, Subject
from bot.detect.cloud_init import cloud_config_grants
from bot.detect.grant import Grant
from bot.detect.lines import Text
from bot.detect.positioned import Node
from bot.detect.shell import Script
from bot.detect.shell.model import SHEBANG
from bot.detect.yaml_tree import read_yaml

_CLOUD_CONFIG = re.compile(r"\s*#cloud-config\b")
_FUNCTION = re.compile(r"(?:Fn::|!)?(?P<name>\w+)\Z")
_DEEPEST = 20

Pieces = list[tuple[str, int]]  # text, and the line of the file where it stands


def user_data_grants(places: Places, owner: str, properties: Node) -> Iterator[Grant]:
    """Yield what the start of a machine hands over, where functions put its text together."""
    who = Subject(owner, extent=(properties.line, properties.last_line))
    for below in properties.maps():
        given = below.get("UserData")
        if given is None or (given.kind == "scalar" and given.style == "|"):
            continue  # a block is read as it stands
        lines = list(_lines(_pieces(given)))
        text = "\n".join(line for line, _ in lines)
        if SHEBANG.match(text):
            numbers = tuple(places.put(Place(places.path, number)) for _, number in lines)
            yield from places.ran(who, Script(text, numbers), {})
        elif _CLOUD_CONFIG.match(text):
            for document in _in_their_places(lines):
                yield from cloud_config_grants(places, owner, document)


def _pieces(node: Node, depth: int = 0) -> Pieces:
    """Return the text that a value comes to. What only AWS knows is a variable of the shell's."""
    if depth > _DEEPEST:
        return []
    if node.kind == "scalar":
        if node.tag == "!Ref":
            return [(f"${{{node.text}}}", node.line)]
        text, numbers = node.script() if node.style == "|" else (node.text, (node.line,))
        if len(numbers) == 1:
            return [(text, node.line)]
        ended = [f"{line}\n" for line in text.split("\n")]
        return list(zip((*ended[:-1], ended[-1][:-1]), numbers, strict=False))
    name, inner = node.tag, node
    if node.kind == "map" and len(node.pairs) == 1:
        name, inner = node.pairs[0][0].text, node.pairs[0][1]
    function = _FUNCTION.match(name or "")
    kind = function["name"] if function else ""
    items = inner.items if inner.kind == "list" else ()
    if kind == "Join" and len(items) == 2 and items[1].kind == "list":
        found: Pieces = []
        for item in items[1].items:
            if found and items[0].text:
                found.append((items[0].text, item.line))
            found.extend(_pieces(item, depth + 1))
        return found
    if kind == "Sub" and items:
        return _pieces(items[0], depth + 1)
    if kind == "If" and len(items) > 1:
        return _pieces(items[1], depth + 1)
    if kind in {"Base64", "Sub"} and inner is not node:
        return _pieces(inner, depth + 1)
    return [("${unknown}", node.line)]


def _lines(pieces: Pieces) -> Iterator[tuple[str, int]]:
    """Yield each line with its place: of the piece that names a socket, else of the first one."""
    line, number, telling = "", 0, False
    for text, at in pieces:
        for index, part in enumerate(text.split("\n")):
            if index:
                yield line, number or at
                line, number, telling = "", 0, False
            line += part
            if part and (not number or (not telling and sockets.mentions(part))):
                number, telling = at, bool(sockets.mentions(part))
    if line:
        yield line, number


def _in_their_places(lines: list[tuple[str, int]]) -> Iterator[Node]:
    """Yield the YAML documents of lines, each of which stands on a line of its own of the file."""
    padded: list[str] = []
    for line, number in lines:
        if number <= len(padded):
            return
        padded.extend([""] * (number - len(padded) - 1))
        padded.append(line)
    yield from read_yaml(Text("\n".join(padded))).documents
