"""Woodpecker pipelines: .woodpecker.yml, .woodpecker/*.yml, also with the old `pipeline:` map.

Source: Woodpecker's documentation, "Workflow syntax", "Volumes", "Services".

    steps:
      - name: build
        image: docker
        volumes:
          - /var/run/docker.sock:/var/run/docker.sock
"""

import re
from collections.abc import Iterator

from bot.detect.ci import legacy
from bot.detect.ci.steps import yaml_grants
from bot.detect.format import Format
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
from bot.detect.source import Source

_PATH = pattern(
    r"(?:^|/)\.woodpecker/.*\.ya?ml(?:\.\w+)?\Z|(?:^|/)[^/]*woodpecker[^/]*\.ya?ml(?:\.\w+)?\Z",
    re.IGNORECASE,
)
_COMPOSE = pattern(r"compose[^/]*\.ya?ml", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    if "woodpecker" not in path.casefold():
        return False
    if not _PATH.search(path) or _COMPOSE.search(path.rsplit("/", 1)[-1]):
        return False
    return "steps:" in text or "pipeline:" in text


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, legacy.pipeline_grants)


FORMAT = Format("woodpecker", _matches, _grants)
