"""Whether a new switch of a chart only stands around what its templates mounted all along.

{{- if .Values.dockerSockMount }}    new, and `dockerSockMount: true` in values.yaml
hostPath: {path: /var/run/docker.sock}
{{- end }}
"""

import re
from collections.abc import Iterable
from posixpath import dirname

from bot.detect.grant import Grant, How
from bot.detect.lines import decode
from bot.detect.source import Source

_COMMENT = re.compile(r"\{\{-?\s*/\*.*?\*/\s*-?\}\}", re.DOTALL)
_ACTION = re.compile(r"\{\{-?\s*(?P<word>if|with|range|define|block|end)\b[^{}]*\}\}")
_IF = re.compile(r"\{\{-?\s*if\b")
_MOUNTED = frozenset({How.MOUNT, How.DIRECTORY})


def is_guard(switch: Grant, same: Iterable[Grant], base: Source, head: Source) -> bool:
    """Tell whether a template of the head asks for `switch` first, and that of the base did not.

    `same` are grants that both commits have. A template that asked for a switch before may have
    been off until now, so it tells nothing.
    """
    if switch.how is not How.SWITCH or not switch.subject.startswith("value "):
        return False
    name = ".".join(switch.subject.removeprefix("value ").split(".")[-2:])
    asked = re.compile(rf"\.{re.escape(name)}(?![\w.])")
    folder = f"{dirname(switch.path)}/templates/".lstrip("/")
    return any(
        grant.path.startswith(folder)
        and grant.resource == switch.resource
        and grant.how in _MOUNTED
        and _stands_in(asked, _text(head, grant.path), grant.line)
        and not asked.search(_text(base, grant.path))
        for grant in same
    )


def _stands_in(asked: re.Pattern[str], template: str, line: int) -> bool:
    """Tell whether an `if` that is open at this line asks for the value."""
    above = "\n".join(template.split("\n")[: line - 1])
    opened: list[str] = []
    for action in _ACTION.finditer(_COMMENT.sub("", above)):
        if action["word"] != "end":
            opened.append(action[0])
        elif opened:
            opened.pop()
    return any(_IF.match(one) and asked.search(one) for one in opened)


def _text(source: Source, path: str) -> str:
    return decode(source.read(path) or b"") or ""
