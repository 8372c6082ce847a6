"""Nix: containers that NixOS, arion or home-manager start, units, scripts, where clients connect.

Files: `*.nix`. Source: NixOS options (`virtualisation.oci-containers.containers.<name>.volumes`
and `extraOptions`, `services.gitlab-runner.services.<name>.dockerVolumes`,
`containers.<name>.bindMounts`, `virtualisation.docker.listenOptions`, `systemd.services`), arion's
`services.<name>.service`, nixpkgs' trivial builders (`writeShellScript`, `writeText`), files with
their text (`environment.etc.<path>.text`, `home.file.<path>.text`). Nothing is evaluated.

    virtualisation.oci-containers.containers.agent = {
      image = "acme/agent";
      volumes = [ "/var/run/docker.sock:/var/run/docker.sock" ];
    };
"""

import re
from collections.abc import Iterator

from bot.detect.format import Format
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_TELLING = pattern(
    r"\.sock\b|docker_host|container_host|:?2375\b|listenOptions|hostPath|bindMounts"
    r"|[\"'\s](?:/var)?/run/?[:\"]|[\"'\s]/:/|[\"']/:|unix://|tcp://|ssh://",
    re.IGNORECASE,
)


def _matches(path: str, text: str) -> bool:
    return path.lower().endswith(".nix") and _TELLING.search(text) is not None


def _grants(path: str, source: Source) -> Iterator[Grant]:
    from bot.detect.nix.meaning import nix_grants  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is not None:
        yield from nix_grants(path, Text(content))


FORMAT = Format("nix", _matches, _grants, endings=(".nix",))
