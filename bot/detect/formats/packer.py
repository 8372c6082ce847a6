"""Packer: images built in containers, and the scripts that build them.

Files: `*.pkr.hcl`, `*.pkr.json`, JSON with `builders`. Source: Packer documentation, "Docker"
builder (volumes, run_command), "Shell" and "Shell (Local)" provisioners.

    source "docker" "base" {
      image   = "debian"
      volumes = { "/var/run/docker.sock" = "/var/run/docker.sock" }
    }
"""

import re
from collections.abc import Iterator

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_NAME = pattern(r"\.pkr\.(?:hcl|json)\Z", re.IGNORECASE)
_JSON = pattern(r"\"builders\"\s*:")
_TELLING = pattern(r"sock|/run|docker|podman|containerd|_HOST|:2375", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    return bool(_NAME.search(name)) or (name.endswith(".json") and bool(_JSON.search(text)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.packer import template_grants  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is not None and _TELLING.search(content):
        yield from template_grants(path, Text(content))


FORMAT = Format("packer", _matches, _grants, endings=(".hcl", ".json"))
