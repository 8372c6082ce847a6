"""Terraform and OpenTofu: containers, pods, tasks, charts and scripts among the resources.

Files: `*.tf`, `*.tofu`, `*.tf.json`; values come from the files beside. Source: Terraform language
and the providers' documentation, see `bot/detect/terraform/`.

    resource "docker_container" "agent" {
      volumes {
        host_path      = "/var/run/docker.sock"
        container_path = "/var/run/docker.sock"
      }
    }
"""

import re
from collections.abc import Iterable, Iterator

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.source import Source
from bot.detect.terraform.module import Module, references
from bot.detect.terraform.resources import resource_grants

_NAME = re.compile(r"\.(?:tf|tofu)(?:\.json)?\Z", re.IGNORECASE)
_TELLING = re.compile(
    r"host_path|hostPath|sourcePath|docker|podman|containerd|crio|nerdctl|\.sock|_HOST|:2375"
    r"|_manifest|helm_release",
    re.IGNORECASE,
)


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.search(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    content = decode(source.read(path) or b"")
    if content is not None and _TELLING.search(content):
        yield from resource_grants(Module(path, Text(content), source))


def _references(path: str, text: str) -> Iterable[str]:
    return references(path) if "var." in text or "local." in text else ()


FORMAT = Format("terraform", _matches, _grants, _references)
