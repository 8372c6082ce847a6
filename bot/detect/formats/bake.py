"""Docker Bake: targets whose builds ask for a daemon's socket or are told where a daemon listens.

Files: `docker-bake.hcl`, `docker-bake.json`, `docker-bake.override.*`, `*.bake.hcl` and other HCL
with bake's targets. A build step sees no socket of the host, so what is told here is declared
(`high`). An entitlement or `network = "host"` reaches no daemon. Source: Bake file reference.

    target "app" {
      ssh  = ["engine=/var/run/docker.sock"]
      args = { DOCKER_HOST = "tcp://build:2375" }
    }
"""

import re
from collections.abc import Iterable, Iterator
from posixpath import basename, dirname, join

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_NAME = pattern(r"(?:.*[._-])?bake(?:[._-].*)?\.(?:hcl|json)\Z", re.IGNORECASE)
_HCL = pattern(r"\.hcl\Z", re.IGNORECASE)
_TARGET = pattern(r"^[^\S\n]*target\s+\"?[\w.-]+\"?\s*\{", re.MULTILINE)
_KEY = pattern(r"\"(?:target|group)\"\s*:")
_TELLING = pattern(r"sock|_HOST|2375|tcp:|unix:|ssh:|pipe|inherits|docker_", re.IGNORECASE)
# What a build reads unless it is told otherwise (docker/buildx, `bake`).
_BESIDE = (
    "docker-bake.json", "docker-bake.hcl", "docker-bake.override.json", "docker-bake.override.hcl",
)  # fmt: skip


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _HCL.search(name):
        return _TARGET.search(text) is not None
    return bool(_NAME.match(name)) and _KEY.search(text) is not None


def _grants(path: str, source: Source) -> Iterator[Grant]:
    from bot.detect.bake import target_grants  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    others: dict[str, Text] = {}
    for other in _references(path, content):
        text = decode(source.read(other) or b"")
        if text:
            others[other] = Text(text)
    yield from target_grants(path, Text(content), others)


def _references(path: str, _text: str) -> Iterable[str]:
    if basename(path) not in _BESIDE:
        return ()
    return tuple(join(dirname(path), name) for name in _BESIDE if name != basename(path))


FORMAT = Format("bake", _matches, _grants, _references, endings=(".hcl", ".json"))
