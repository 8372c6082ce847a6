"""Whether a Compose file could hand anything over at all, told from its text before it is parsed.

Every spelling of what `sockets.py` knows holds one of these hints; a text without them is parsed
only where it refers to another file.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from itertools import chain

from bot.detect.compose.interpolation import Variables, interpolate
from bot.detect.compose.loader import Loader
from bot.detect.compose.project import Plan
from bot.detect.compose.values import Value
from bot.detect.positioned import Node

# All in lower case: a piece of text that the hint holds, and the hint where that is not enough.
# Names of sockets, pipes and switches; addresses, and the variables and options that hold them;
# commands that open a socket to others; ways to spell any of it otherwise.
_HINTS: tuple[tuple[str, re.Pattern[str] | None], ...] = (
    *((word, None) for word in (
        "sock", "docker_engine", "of-docker", "from-docker", "docker-machine", "volume1",
        "orbstack", "colima", "runtime_dir", "subpath", "%t",
        "containerd_address", "2375", "tcp:", "ssh:", "unix:", "--host", "-v/",
        "\\x", "\\\n", "\\\r\n", "\\/", "/\\",
    )),
    ("\\", re.compile(r"\\[a-z0_]/")),  # a blank or a line end before a path
    ("\\u", re.compile(r"\\u(?!0001)")),  # emoji stand for nothing else
    ("/private", re.compile(r"/private[/.]*+(?![\w-])")),
    ("/host_mnt", re.compile(r"/host_mnt[/.]*+(?![\w-])")),
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
    # What only climbs is relative to the project.
    ("/..", re.compile(r"(?<![\s\"'\[,=-]\.\.)(?<!/\.\.)/\.\.[/.]*+(?![\w-])")),
    # No path follows the colon of `scheme://`.
    ("/", re.compile(r"/(?<=[\s\"'\[,=:{+-]/)(?!(?<=[\w}]:/)/)[/.]*+(?:[:\"'\s,}\]$]|\Z)")),
)  # fmt: skip

_JOINED = re.compile(r"[\w.-]\$|\}[\w.$-]")  # a variable with more of its word
_INCLUDE = re.compile(r"(?<![\w./-])include(?![ \t]*[\w./-])")  # perhaps a key


def may_reach(content: str, plan: Plan, loader: Loader) -> bool:
    """Tell whether a file with this text, merged as planned, could hand anything over."""
    texts = [content]
    if len(plan.paths) > 1:
        texts += [loader.content(path) or "" for path in plan.paths]
    if any(hinted(text) or _refers(text) for text in texts):
        return True
    if not any("$" in text for text in texts):
        return False
    return telling(plan.variables) or any(_telling_joined(text, plan.variables) for text in texts)


def telling(variables: Variables) -> bool:
    """Tell whether one of the variables may name a daemon."""
    return any(hinted(f"={variable.text}") for variable in variables.values())


def _telling_joined(text: str, variables: Variables) -> bool:
    """Tell whether a text may name a daemon once variables, or their defaults, are put in.

    Pieces that tell nothing can do so together: `${A}un` is `/run` where A is `/r`.
    """
    if not _JOINED.search(text):
        return False
    return any(
        hinted(interpolate(line, variables).text)
        for line in text.split("\n")
        if _JOINED.search(line)
    )


class Quiet:
    """Tells values by their text alone; each file is searched once."""

    def __init__(self) -> None:
        self._marks: dict[int, list[int]] = {}  # of each file's text: where something stands
        self._telling: dict[int, bool] = {}  # of each file's variables

    def is_quiet(self, value: Value) -> bool:
        """Tell whether a value, with what aliases bring into it, can name no daemon."""
        if value.parts is not None:
            return False
        text, variables = value.file.text, value.file.variables
        if id(text) not in self._marks:
            self._marks[id(text)] = sorted(_marks(text.content))
        if id(variables) not in self._telling:
            self._telling[id(variables)] = telling(variables)
        marks, content = self._marks[id(text)], text.content
        for node in _written(value.node, content):
            following = bisect_left(marks, node.start - 1)
            if following < len(marks) and marks[following] <= node.end:
                return False
            if content.find("$", node.start, node.end) >= 0 and (
                self._telling[id(variables)]
                or _telling_joined(content[node.start : node.end], variables)
            ):
                return False
        return True


def _marks(content: str) -> Iterator[int]:
    """Yield the offset of every hint, and of what refers to something outside a service."""
    low = content.lower()
    if len(low) != len(content):  # a few capital letters have small ones that are longer
        low = "".join(c if len(c.lower()) > 1 else c.lower() for c in content)
    for word, pattern in _HINTS:
        if pattern is None:
            yield from _found(low, word)
        elif word in low:
            yield from (found.start() for found in pattern.finditer(low))
    for word in ("env_file", "volumes_from"):
        yield from _found(content, word)
    if "include" in content:
        yield from (found.start() for found in _INCLUDE.finditer(content))
    if "extends" in content:
        yield from _found(content, "file")


def _found(content: str, word: str) -> Iterator[int]:
    at = content.find(word)
    while at >= 0:
        yield at
        at = content.find(word, at + 1)


def _written(node: Node, content: str) -> Iterator[Node]:
    """Yield a node and every aliased one below it: the pieces of text that it is made of."""
    yield node
    if content.find("*", node.start, node.end) < 0:
        return
    seen: set[int] = set()
    stack = [node]
    while stack:
        last = stack.pop()
        below: tuple[object, ...] = last.items or last.pairs
        if id(below) in seen:
            continue
        seen.add(id(below))
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
    if "env_file" in text or ("extends" in text and "file" in text):
        return True
    return "include" in text and _INCLUDE.search(text) is not None
