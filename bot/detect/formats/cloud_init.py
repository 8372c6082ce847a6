"""cloud-init: YAML that starts with `#cloud-config`, and what Heat hands to a machine; Ignition.

Source: cloud-init documentation, "User-data formats"; OpenStack Heat, "OS::Nova::Server"
(`user_data`, also through `str_replace`); Ignition (JSON), Butane and Container Linux Config
(YAML that is translated to it). Also found inside Terraform.

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
from bot.detect.keys import keys
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_FIRST = pattern(r"\s*(?:##? *template: *jinja\s*\n\s*)?#cloud-config\b")
_HEAT = pattern(r"^heat_template_version[ \t]*:", re.MULTILINE)
# What Ignition reads, and what Butane and the tools before it make that of.
_IGNITION = pattern(
    r"^variant[ \t]*:[ \t]*[\"']?(?:fcos|flatcar|openshift|r4e|fiot)\b"
    r"|^[ \t]*\"?systemd\"?[ \t]*:[ \t]*\{?[ \t\r]*\n[ \t]+\"?units\"?[ \t]*:"
    r"|\"ignition\"[ \t\r\n]*:[ \t\r\n]*\{",
    re.MULTILINE,
)
_WORDS = frozenset({"variant", "systemd", "ignition"})
_DOCUMENTATION = (".md", ".rst", ".adoc", ".txt", ".html")


def _matches(path: str, text: str) -> bool:
    if path.lower().endswith(_DOCUMENTATION):
        return False
    if _FIRST.match(text):
        return True
    if "heat_template_version" in text and _HEAT.search(text):
        return True
    return not _WORDS.isdisjoint(keys(text)) and bool(_IGNITION.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect import cloud_init  # noqa: PLC0415 - start-up

    def of_document(places: Places, document: Node) -> Iterator[Grant]:
        if document.get("heat_template_version") is not None:
            yield from cloud_init.heat_grants(places, document)
        else:
            yield from cloud_init.cloud_config_grants(places, "", document)
            yield from cloud_init.ignition_grants(places, document)

    yield from yaml_grants(path, source, of_document)


FORMAT = Format("cloud_init", _matches, _grants)
