"""Nomad: jobs, and the configuration of clients that lend their own folders.

Files: `*.nomad`, `*.nomad.hcl`, other HCL with a `job` or a `host_volume`, templates of packs with
the defaults of their `variables.hcl`. Source: Nomad documentation, "Job Specification", "Drivers:
Docker", "client Block"; nomad-pack documentation, "Writing Packs".

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
from collections.abc import Iterable, Iterator

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_PACK = pattern(r"(?:^|/)templates/(?:.*/)?[^/]+\.(?:nomad|hcl|tpl)(?:\.tpl)?\Z")
_PART = pattern(r"^[^\S\n]*(?:job|group|task)\s+(?:\"|\[\[|\w)", re.MULTILINE)
_NAME = pattern(r"\.(?:nomad|hcl)\Z", re.IGNORECASE)
_JOB = pattern(r"^[^\S\n]*job\s+(?:\"[^\"\n]*\"|[\w-]+)\s*\{", re.MULTILINE)
_CLIENT = pattern(r"^[^\S\n]*host_volume\s+\"", re.MULTILINE)
_TELLING = pattern(r"sock|/run|docker|podman|containerd|\"/|_HOST|:2375", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    if _packed(path, text):
        return True
    if not _NAME.search(plain_name(path)):
        return False
    return bool(_JOB.search(text) or _CLIENT.search(text))


def _packed(path: str, text: str) -> bool:
    return _PACK.search(path) is not None and "[[" in text and _PART.search(text) is not None


def _variables(path: str) -> str:
    """Return the path of the file in which a pack keeps its variables."""
    folder = path[: f"/{path}".rfind("/templates/")]
    return f"{folder.rstrip('/')}/variables.hcl".lstrip("/")


def _references(path: str, text: str) -> Iterable[str]:
    return (_variables(path),) if _packed(path, text) else ()


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.nomad import job_grants  # noqa: PLC0415 - start-up
    from bot.detect.nomad_pack import unpacked  # noqa: PLC0415

    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    if not _packed(path, content):
        yield from job_grants(path, Text(content))
        return
    beside = _variables(path)
    given = decode(source.read(beside) or b"")
    variables = {beside: Text(given)} if given else {}
    yield from job_grants(path, Text(content), Text(unpacked(content)), variables)


FORMAT = Format("nomad", _matches, _grants, _references)
