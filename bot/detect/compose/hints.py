"""Whether a Compose file could hand anything over at all, told from its text before it is parsed.

Every spelling of what `sockets.py` knows holds one of these hints; a text without them is parsed
only where it refers to another file.
"""

import re

from bot.detect.compose.project import Loader, Plan

_HINT = re.compile(
    # names of sockets, pipes and switches; escapes that could spell any of them
    r"sock|pipe|docker_engine|of-docker|from-docker|\\[xuU]|\\\r?\n"
    # directories that hold one, whole or put together
    r"|\brun\b|/var\b|volume1|\.docker\b|orbstack|colima|\.rd\b|\.lima\b|runtime_dir|/proc/|\.\./\.\."
    r"|[\s\"'\[,=:{-]/[/.]*(?:[:\"'\s,}\]]|\Z)|/\.\."
    # addresses and the variables and options that hold one
    r"|_host\b|containerd_address|_endpoint\b|2375|tcp:|ssh:|unix:|docker-machine|-h[ ,\"'=]|--host"
    # commands that open the socket to others
    r"|usermod|useradd|gpasswd|adduser|addgroup|dockerd",
    re.IGNORECASE,
)
_REFERS = re.compile(r"\b(?:include|env_file)\b|\bfile[\"']?[ \t]*:")


def may_reach(content: str, plan: Plan, loader: Loader) -> bool:
    """Tell whether a file with this text, merged as planned, could hand anything over."""
    if _HINT.search(content) or _REFERS.search(content):
        return True
    texts = [loader.content(path) or "" for path in plan.paths if len(plan.paths) > 1]
    if any(_HINT.search(text) or _REFERS.search(text) for text in texts):
        return True
    if "$" not in content and not any("$" in text for text in texts):
        return False
    return any(_HINT.search(variable.text) for variable in plan.variables.values())
