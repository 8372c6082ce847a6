"""Nomad: jobs, and the configuration of clients that lend their own folders.

Files: `*.nomad`, `*.nomad.hcl`, other HCL with a `job` or a `host_volume`. Source: Nomad
documentation, "Job Specification", "Drivers: Docker", "client Block".

    job "web" {
      group "g" {
        task "t" {
          driver = "docker"
          config { volumes = ["/var/run/docker.sock:/var/run/docker.sock"] }
        }
      }
    }
"""

import re
from collections.abc import Iterator

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.source import Source

_NAME = re.compile(r"\.(?:nomad|hcl)\Z", re.IGNORECASE)
_JOB = re.compile(r"^[^\S\n]*job\s+(?:\"[^\"\n]*\"|[\w-]+)\s*\{", re.MULTILINE)
_CLIENT = re.compile(r"^[^\S\n]*host_volume\s+\"", re.MULTILINE)
_TELLING = re.compile(r"sock|/run|docker|podman|containerd|\"/|_HOST|:2375", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    if not _NAME.search(plain_name(path)):
        return False
    return bool(_JOB.search(text) or _CLIENT.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.nomad import job_grants  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is not None and _TELLING.search(content):
        yield from job_grants(path, Text(content))


FORMAT = Format("nomad", _matches, _grants)
