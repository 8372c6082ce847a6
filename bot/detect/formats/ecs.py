"""Task definitions of Amazon ECS, job definitions of AWS Batch, CloudFormation templates of both.

Files: JSON and YAML with `containerDefinitions`, or with resources of AWS. Source: Amazon ECS API
reference; AWS CloudFormation, "Template reference", intrinsic functions Ref, Sub and Join.

    {"containerDefinitions": [{"name": "agent", "mountPoints": [{"sourceVolume": "sock"}]}],
     "volumes": [{"name": "sock", "host": {"sourcePath": "/var/run/docker.sock"}}]}
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_json, read_yaml

_NAME = pattern(r"\.(?:ya?ml|json|template)\Z", re.IGNORECASE)
_SHAPE = pattern(
    r"[Cc]ontainerDefinitions[\"']?\s*:|[Cc]ontainerProperties[\"']?\s*:"
    r"|\bAWSTemplateFormatVersion\b|\bType[\"']?\s*:\s*[\"']?AWS::"
)
_WORDS = ("ontainerDefinitions", "ontainerProperties", "AWSTemplateFormatVersion", "AWS::")
_OBJECT = Keyed(r"^(?:kind|services)[ \t]*:", "kind", "services")
_TELLING = pattern(r"[Ss]ource[Pp]ath|docker|podman|containerd|_HOST|device", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    if not _NAME.search(path) and not _NAME.search(plain_name(path)):
        return False
    if not any(word in text for word in _WORDS):
        return False
    return bool(_SHAPE.search(text)) and not _OBJECT.search(text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    from bot.detect.cloudformation import template_grants  # noqa: PLC0415 - start-up

    text = Text(content)
    tree = read_json(text) if content.lstrip()[:1] == "{" else read_yaml(text)
    places = Places(path, text)
    grants = (template_grants(places, document) for document in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


FORMAT = Format("ecs", _matches, _grants)
