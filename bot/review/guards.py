"""Whether a new switch of a chart only stands around what its templates mounted all along.

{{- if .Values.dockerSockMount }}    new, and `dockerSockMount: true` in values.yaml
hostPath: {path: /var/run/docker.sock}
{{- end }}
"""

from collections.abc import Iterable
from posixpath import dirname

from bot.detect.grant import Grant, How
from bot.detect.lines import decode
from bot.detect.source import Source

_MOUNTED = frozenset({How.MOUNT, How.DIRECTORY})


def is_guard(switch: Grant, same: Iterable[Grant], base: Source, head: Source) -> bool:
    """Tell whether a template of the head asks for `switch` first, and that of the base did not.

    `same` are grants that both commits have. A template that asked for a switch before may have
    been off until now, so it tells nothing.
    """
    if switch.how is not How.SWITCH or not switch.subject.startswith("value "):
        return False
    asked = f".{'.'.join(switch.subject.removeprefix('value ').split('.')[-2:])}"
    folder = f"{dirname(switch.path)}/templates/".lstrip("/")
    return any(
        grant.path.startswith(folder)
        and grant.resource == switch.resource
        and grant.how in _MOUNTED
        and asked in _text(head, grant.path)
        and asked not in _text(base, grant.path)
        for grant in same
    )


def _text(source: Source, path: str) -> str:
    return decode(source.read(path) or b"") or ""
