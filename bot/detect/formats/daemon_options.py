"""The file of options that an init script or a unit starts the daemon with.

Files: `etc/default/docker`, `etc/sysconfig/docker`, and copies of them (`docker`, `docker.default`,
templates). Source: dockerd reference, "Daemon socket option"; Debian's `/etc/default/docker`,
Fedora's `/etc/sysconfig/docker`.

    DOCKER_OPTS="-H tcp://0.0.0.0:2375 -H unix:///var/run/docker.sock"
"""

import re
from collections.abc import Iterator

from bot.detect.format import Format, nameless, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.listens import opened
from bot.detect.source import Source

_PATH = re.compile(r"(?:^|/)(?:default|sysconfig)/docker[^/]*\Z", re.IGNORECASE)
_NAME = re.compile(r"docker(?:[._-](?:conf|default|defaults|sysconfig|opts|env))?\Z", re.IGNORECASE)
_ASSIGNED = re.compile(
    r"^[ \t]*(?:export[ \t]+)?(?:DOCKERD?_(?:OPTS|OPTIONS|ARGS|FLAGS)|OPTIONS|other_args)=",
    re.MULTILINE,
)


def _matches(path: str, text: str) -> bool:
    if "tcp://" not in text and "-H" not in text and "--host" not in text:
        return False
    named = _PATH.search(path) or _NAME.match(plain_name(path)) or nameless(path)
    return bool(named and _ASSIGNED.search(text))


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield each address that the daemon is told to listen on without verifying its clients."""
    content = decode(source.read(path) or b"")
    if content is None or "tlsverify" in content:
        return
    text = Text(content)
    for number in range(1, len(text) + 1):
        line = text.line(number)
        for _, target in opened(line.partition("#")[0]):
            yield Grant(path, number, line, "the Docker daemon", None, target.resource, target.how)


FORMAT = Format("daemon_options", _matches, grants)
