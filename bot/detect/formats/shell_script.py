"""Shell, PowerShell and batch scripts.

Files: by extension, by name (`.bashrc`, `entrypoint`), or by a `#!` line that names a shell.

    docker run -v /var/run/docker.sock:/var/run/docker.sock portainer/agent
"""

import re
from collections.abc import Iterator
from typing import Literal

from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import script_grants
from bot.detect.shell import Script
from bot.detect.source import Source

_SHELL = pattern(
    r"\.(?:sh|bash|zsh|ksh|ash|dash|fish|bats|envrc|command)\Z"
    r"|\A\.?(?:bash_?(?:rc|profile|aliases|functions|login)|zsh(?:rc|env)|zprofile|profile)\Z"
    r"|\A\.(?:envrc|aliases|functions|exports)\Z|\Arc\.local\Z",
    re.IGNORECASE,
)
_POWERSHELL = pattern(r"\.psm?1\Z", re.IGNORECASE)
_BATCH = pattern(r"\.(?:bat|cmd)\Z", re.IGNORECASE)
# Also behind another program, `#!/usr/bin/with-contenv bash`; OpenRC's services are shell.
_SHEBANG = pattern(
    r"\ufeff?#![^\n]*?[\s/](?:(?:ba|z|k|a|da)?sh|openrc-run|runscript|bats)(?![\w./-])"
)
_NOT = pattern(r"\.(?:md|rst|ya?ml|json|toml|xml|html|txt|py|rb|go|js|ts)\Z", re.IGNORECASE)


def _dialect(path: str, text: str) -> Literal["sh", "powershell", "cmd"] | None:
    name = plain_name(path)
    if _POWERSHELL.search(name):
        return "powershell"
    if _BATCH.search(name):
        return "cmd"
    if _SHELL.search(name) or (_SHEBANG.match(text) and not _NOT.search(name)):
        return "sh"
    return None


def _matches(path: str, text: str) -> bool:
    return _dialect(path, text) is not None


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the commands of a script reach or hand over."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    dialect = _dialect(path, content)
    if dialect is not None:
        script = Script.at(content, 1)
        yield from script_grants(path, Text(content), "", script, dialect=dialect)


FORMAT = Format("shell_script", _matches, grants)
