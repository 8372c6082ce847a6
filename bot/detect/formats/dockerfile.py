"""Dockerfiles and Containerfiles: what an image is set up to reach.

Files: `Dockerfile*`, `*.Dockerfile`, `Containerfile*`. An image gives nothing by itself, so most
grants here are declared ones (`high`): the image expects a socket, and whoever runs it hands it
over. Source: Dockerfile reference; `podman container runlabel` for LABEL RUN.

    FROM alpine
    ENV DOCKER_HOST=unix:///var/run/docker.sock
"""

import re
from collections.abc import Iterator

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_NAME = pattern(
    r"(?:(?:docker|container)file\d*(?:[._-].+)?|.+[._-](?:docker|container)file|.+\.dapper)\Z",
    re.IGNORECASE,
)
_NOT = pattern(
    r"\.(?:md|rst|adoc|txt|html|py|go|js|ts|tsx|rb|java|rs|lua|vim|png|svg|json|ya?ml|sh|lock|sum"
    r"|dockerignore|snap|ipynb|tmlanguage|cson|ejs|diff|patch|expected|golden)\Z",
    re.IGNORECASE,
)


def _matches(path: str, _text: str) -> bool:
    name = plain_name(path)
    return bool(_NAME.match(name)) and not _NOT.search(name)


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the stages of a Dockerfile declare or run."""
    from bot.detect.image import declared  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is not None:
        yield from declared(path, Text(content))


FORMAT = Format("dockerfile", _matches, grants)
