"""Whether a Compose file could hand anything over at all, told from its text before it is parsed.

Every spelling of what `sockets.py` knows holds one of these hints; a text without them is parsed
only where it refers to another file.
"""

import re

from bot.detect.compose.interpolation import Variables
from bot.detect.compose.loader import Loader
from bot.detect.compose.project import Plan

# In lower case: names of sockets, pipes, switches and directories, addresses and the variables and
# options that hold them, commands that open a socket to others, ways to spell any of it otherwise.
_WORDS = (
    "sock", "pipe", "docker_engine", "of-docker", "from-docker", "dockerd", "docker-machine",
    "volume1", ".docker", "orbstack", "colima", ".rd", ".lima", "runtime_dir", "/proc/", "/..",
    "_host", "containerd_address", "_endpoint", "2375", "tcp:", "ssh:", "unix:", "--host",
    "\\x", "\\u", "\\\n", "\\\r\n",
)  # fmt: skip
_PATTERNS = (
    re.compile(r"/(?:var|run)\b"),
    re.compile(r"-h[ ,\"'=]"),
    re.compile(r"/(?<=[\s\"'\[,=:{-]/)[/.]*(?:[:\"'\s,}\]$]|\Z)"),  # the root
)
_REFERS = re.compile(r"file[\"']?[ \t]*:")


def may_reach(content: str, plan: Plan, loader: Loader) -> bool:
    """Tell whether a file with this text, merged as planned, could hand anything over."""
    texts = [content]
    if len(plan.paths) > 1:
        texts += [loader.content(path) or "" for path in plan.paths]
    if any(hinted(text) or _refers(text) for text in texts):
        return True
    return any("$" in text for text in texts) and telling(plan.variables)


def telling(variables: Variables) -> bool:
    """Tell whether one of the variables may name a daemon."""
    return any(hinted(f"={variable.text}") for variable in variables.values())


def alone(text: str) -> bool:
    """Tell whether a service of this text takes nothing from elsewhere in its files."""
    return not any(mark in text for mark in ("*", "<<", "volumes_from")) and not _refers(text)


def hinted(text: str) -> bool:
    """Tell whether a text may name a daemon, or what holds its socket."""
    low = text.lower()
    return any(word in low for word in _WORDS) or any(pattern.search(low) for pattern in _PATTERNS)


def _refers(text: str) -> bool:
    return "include" in text or "env_file" in text or bool(_REFERS.search(text))
