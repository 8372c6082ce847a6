"""Whether a Compose file could hand anything over at all, told from its text before it is parsed.

Every spelling of what `sockets.py` knows holds one of these hints; a text without them is parsed
only where it refers to another file.
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.compose.interpolation import Variables
from bot.detect.compose.loader import Loader
from bot.detect.compose.project import Plan
from bot.detect.compose.values import Value
from bot.detect.lines import Text
from bot.detect.positioned import Node

# All in lower case: a piece of text that the hint holds, and the hint where that is not enough.
# Names of sockets, pipes and switches; addresses, and the variables and options that hold them;
# commands that open a socket to others; ways to spell any of it otherwise.
_HINTS: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    *((word, None) for word in (
        "sock", "docker_engine", "of-docker", "from-docker", "docker-machine", "volume1",
        "orbstack", "colima", "runtime_dir", "subpath", "%t", "/host_mnt", "/private",
        "containerd_address", "2375", "tcp:", "ssh:", "unix:", "--host", "-v/",
        "\\x", "\\u", "\\\n", "\\\r\n",
    )),
    ("/proc", re.compile(r"/proc(?![\w-])")),
    ("pipe", re.compile(r"pipe[\\/]")),
    (".rd", re.compile(r"\.rd\b")),
    (".lima", re.compile(r"\.lima\b")),
    (".docker", re.compile(r"\.docker/[/.]*+(?:run|desktop|[^\w-])")),
    ("docker", re.compile(r"docker(?:d\b|[\w.-]{0,80}?(?:endpoint|host|socket))")),
    ("_host", re.compile(r"(?:container|podman|buildkit|runner|\})_host")),
    ("_endpoint", re.compile(r"(?:swarm|runtime|service|vm|\})_endpoint")),
    ("-h", re.compile(r"-h[ ,\"'=]")),
    # Directories, down to the root: nothing that is called otherwise follows.
    ("/var", re.compile(r"/var[/.]*+(?![\w-])")),
    ("/run", re.compile(
        r"/run(?:[/.]*+(?![\w-])"
        r"|[/.]+(?:user|podman|containerd|crio|buildkit|k3s|k0s|docker|host-|dagger))"
    )),
    ("/..", re.compile(r"/\.\.[/.]*+(?![\w-])")),
    ("/", re.compile(r"/(?<=[\s\"'\[,=:{-]/)[/.]*+(?:[:\"'\s,}\]$]|\Z)")),
)  # fmt: skip


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


class Quiet:
    """Tells values by their text alone, each piece of text once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, bool], bool] = {}
        self._telling: dict[int, bool] = {}  # of each file's variables

    def is_quiet(self, value: Value) -> bool:
        """Tell whether a value, with what aliases bring into it, can name no daemon."""
        if value.parts is not None:
            return False
        file = value.file
        if id(file.variables) not in self._telling:
            self._telling[id(file.variables)] = telling(file.variables)
        return all(
            self._piece(node, file.text, telling=self._telling[id(file.variables)])
            for node in _written(value.node)
        )

    def _piece(self, node: Node, text: Text, *, telling: bool) -> bool:
        key = (id(text), node.start, node.end, telling)
        if key not in self._known:
            piece = text.content[max(0, node.start - 1) : node.end + 1]
            self._known[key] = not (
                hinted(piece)
                or _refers(piece)
                or "volumes_from" in piece
                or (telling and "$" in piece)
            )
        return self._known[key]


def _written(node: Node) -> Iterator[Node]:
    """Yield a node and every aliased one below it: the pieces of text that it is made of."""
    yield node
    seen: set[int] = set()
    stack = [node]
    while stack:
        last = stack.pop()
        content: tuple[object, ...] = last.items or last.pairs
        if id(content) in seen:
            continue
        seen.add(id(content))
        for child in (*last.items, *chain.from_iterable(last.pairs)):
            if child.via:
                yield child
            if child.kind != "scalar":
                stack.append(child)


def hinted(text: str) -> bool:
    """Tell whether a text may name a daemon, or what holds its socket."""
    low = text.lower()
    return any(
        word in low and (pattern is None or pattern.search(low) is not None)
        for word, pattern in _HINTS
    )


def _refers(text: str) -> bool:
    return "include" in text or "env_file" in text or ("extends" in text and "file" in text)
