"""cloud-init: YAML that starts with `#cloud-config`.

Source: cloud-init documentation, "User-data formats". Also found inside Terraform.

    #cloud-config
    runcmd:
      - docker run -v /var/run/docker.sock:/var/run/docker.sock agent
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places
from bot.detect.ci.steps import yaml_grants
from bot.detect.format import Format
from bot.detect.grant import Grant, Unknown
from bot.detect.positioned import Node
from bot.detect.source import Source

_FIRST = re.compile(r"\s*(?:##? *template: *jinja\s*\n\s*)?#cloud-config\b")
_DOCUMENTATION = (".md", ".rst", ".adoc", ".txt", ".html")


def _matches(path: str, text: str) -> bool:
    return bool(_FIRST.match(text)) and not path.lower().endswith(_DOCUMENTATION)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.cloud_init import cloud_config_grants  # noqa: PLC0415 - start-up

    def of_document(places: Places, document: Node) -> Iterator[Grant]:
        return cloud_config_grants(places, "", document)

    yield from yaml_grants(path, source, of_document)


FORMAT = Format("cloud_init", _matches, _grants)
