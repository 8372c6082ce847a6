"""Terraform and OpenTofu: containers, pods, tasks, charts and scripts among the resources.

Files: `*.tf`, `*.tofu`, `*.tf.json`, `*.tfvars`; values come from the files beside. Source:
Terraform language and the providers' documentation, see `bot/detect/terraform/`.

    resource "docker_container" "agent" {
      volumes {
        host_path      = "/var/run/docker.sock"
        container_path = "/var/run/docker.sock"
      }
    }
"""

import re
from collections.abc import Iterable, Iterator
from posixpath import dirname

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_NAME = pattern(r"\.(?:(?:tf|tofu)(?:\.json)?|tfvars)\Z", re.IGNORECASE)
_TELLING = pattern(
    r"host_path|hostPath|sourcePath|docker|podman|containerd|crio|nerdctl|\.sock|_HOST|:2375"
    r"|_manifest|helm_release",
    re.IGNORECASE,
)
# Files that a module's values usually stand in; others cannot be known from one file's text.
_USUAL = (
    "variables.tf", "vars.tf", "locals.tf", "main.tf", "terraform.tfvars", "defaults.tf",
    "inputs.tf",
)  # fmt: skip


def _matches(path: str, _text: str) -> bool:
    return bool(_NAME.search(plain_name(path)))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.terraform.module import Module  # noqa: PLC0415 - start-up
    from bot.detect.terraform.resources import resource_grants, variable_grants  # noqa: PLC0415

    content = decode(source.read(path) or b"")
    if content is not None and _TELLING.search(content):
        values = plain_name(path).lower().endswith(".tfvars")
        module = Module(path, Text(content), source)
        yield from variable_grants(module) if values else resource_grants(module)


def _references(path: str, text: str) -> Iterable[str]:
    if "var." not in text and "local." not in text:
        return ()
    folder = dirname(path)
    return tuple(f"{folder}/{name}" if folder else name for name in _USUAL)


FORMAT = Format(
    "terraform", _matches, _grants, _references, endings=(".json", ".tf", ".tfvars", ".tofu")
)
