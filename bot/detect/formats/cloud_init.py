"""cloud-init: YAML that starts with `#cloud-config`, and what Heat hands to a machine.

Source: cloud-init documentation, "User-data formats"; OpenStack Heat, "OS::Nova::Server"
(`user_data`, also through `str_replace`). Also found inside Terraform.

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
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_FIRST = pattern(r"\s*(?:##? *template: *jinja\s*\n\s*)?#cloud-config\b")
_HEAT = pattern(r"^heat_template_version[ \t]*:", re.MULTILINE)
_DOCUMENTATION = (".md", ".rst", ".adoc", ".txt", ".html")


def _matches(path: str, text: str) -> bool:
    if path.lower().endswith(_DOCUMENTATION):
        return False
    if _FIRST.match(text):
        return True
    return "heat_template_version" in text and _HEAT.search(text) is not None


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.cloud_init import cloud_config_grants, heat_grants  # noqa: PLC0415 - start-up

    def of_document(places: Places, document: Node) -> Iterator[Grant]:
        heat = document.get("heat_template_version") is not None
        return heat_grants(places, document) if heat else cloud_config_grants(places, "", document)

    yield from yaml_grants(path, source, of_document)


FORMAT = Format("cloud_init", _matches, _grants)
