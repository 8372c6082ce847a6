"""The daemon's own configuration: `hosts` without TLS opens it to the network.

Files: `daemon.json` (Docker), `*daemon*.json` with its keys. Source: Docker CLI reference,
`dockerd`, "Daemon configuration file".

    {"hosts": ["unix:///var/run/docker.sock", "tcp://0.0.0.0:2375"]}
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, How, Step, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_json

_NAME = pattern(r"(?:.*[._-])?daemon(?:[._-].*)?\.json\Z", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    return bool(_NAME.match(plain_name(path))) and '"hosts"' in text


def grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    """Yield each address that the daemon listens on without verifying its clients."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    tree = read_json(text)
    found: list[Grant] = []
    for document in tree.documents:
        hosts, verified = document.get("hosts"), document.get("tlsverify")
        if hosts is None or (verified is not None and verified.true):
            continue
        for host in hosts.listed():
            reached = sockets.address(host.text)
            if reached is None or not reached.resource.startswith("tcp://"):
                continue
            found.append(
                Grant(
                    path, host.line, text.line(host.line), "the Docker daemon", None,
                    reached.resource, How.LISTEN,
                    steps=(Step(path, host.line),), extent=(document.line, document.last_line),
                )
            )  # fmt: skip
    yield from told(path, tree, found)


FORMAT = Format("daemon_json", _matches, grants, endings=(".json",))
