"""Whether a Compose file could hand anything over at all, told from its text before it is parsed.

Every spelling of what `sockets.py` knows holds one of these hints; a text without them is parsed
only where it refers to another file.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import chain
from posixpath import dirname

from bot.detect.compose.interpolation import Variables, interpolate
from bot.detect.compose.loader import Loader
from bot.detect.compose.plain import plainly_named
from bot.detect.compose.project import Plan, beside
from bot.detect.compose.values import Value
from bot.detect.patterns import pattern
from bot.detect.positioned import Node

# All in lower case: a piece of text that the hint holds, and the hint where that is not enough.
# Names of sockets, pipes and switches; addresses, and the variables and options that hold them;
# commands that open a socket to others; ways to spell any of it otherwise. Each pattern starts with
# what is plain in it, for which `re` looks fast.
_Hint = tuple[str, re.Pattern[str] | None]
_COMMON: tuple[_Hint, ...] = (
    *((word, None) for word in (
        "sock", "volume1", "orbstack", "runtime_dir", "subpath", "containerd_address", "2375",
        "tcp:", "ssh:", "unix:", "--host", "-v/",
    )),
    ("/private", pattern(r"/private[/.]*+(?![\w-])")),
    ("/host_mnt", pattern(r"/host_mnt[/.]*+(?![\w-])")),
    ("/proc", pattern(r"/proc(?![\w-])")),
    ("pipe", pattern(r"pipe[\\/]")),
    (".rd", pattern(r"\.rd\b")),
    ("_host", pattern(
        r"_host(?:(?<=container_host)|(?<=podman_host)|(?<=buildkit_host)|(?<=runner_host)"
        r"|(?<=\}_host))"
    )),
    ("_endpoint", pattern(
        r"_endpoint(?:(?<=swarm_endpoint)|(?<=runtime_endpoint)|(?<=service_endpoint)"
        r"|(?<=vm_endpoint)|(?<=\}_endpoint))"
    )),
    # Directories, down to the root: nothing that is called otherwise follows.
    ("/var", pattern(r"/var[/.]*+(?![\w-])")),
    ("/run", pattern(
        r"/run(?:[/.]*+(?![\w-])"
        r"|[/.]+(?:user|podman|containerd|crio|buildkit|k3s|k0s|docker|host-|dagger))"
    )),
    # What only climbs is relative to the project.
    ("/..", pattern(
        r"/\.\.(?<![\s\"'\[,=-]\.\./\.\.)(?<!/\.\./\.\.)[/.]*+(?![\w-])"
    )),
    # No path follows the colon of `scheme://`.
    ("/", pattern(r"/(?<=[\s\"'\[,=:{+-]/)(?!(?<=[\w}]:/)/)[/.]*+(?:[:\"'\s,}\]$]|\Z)")),
)  # fmt: skip
# Those that hold a piece of text which is itself easily looked for.
_HOLDING: tuple[tuple[str, tuple[_Hint, ...]], ...] = (
    ("docker", (
        *((word, None) for word in (
            "docker_engine", "of-docker", "from-docker", "docker-machine",
        )),
        (".docker", pattern(r"\.docker/[/.]*+(?:run|desktop|[^\w-])")),
        ("docker", pattern(r"docker(?:d\b|[\w.-]{0,80}?(?:endpoint|host|socket))")),
    )),
    ("lima", (("colima", None), (".lima", pattern(r"\.lima\b")))),
    ("%", (("%t", None),)),
    ("\\", (
        *((word, None) for word in ("\\x", "\\\n", "\\\r\n", "\\/", "/\\")),
        ("\\", pattern(r"\\[a-z0_]/")),  # a blank or a line end before a path
        ("\\u", pattern(r"\\u(?!0001)")),  # emoji stand for nothing else
    )),
)  # fmt: skip
_HINTS = (*_COMMON, *(hint for _, hints in _HOLDING for hint in hints))
_OPTION = pattern(r"-H[ ,\"'=]")  # in small letters it asks for help

# A variable with more of its word, before it or behind.
_LED = pattern(r"\$(?<=[\w.-]\$)")
_FOLLOWED = pattern(r"\}[\w.$-]")
_MOST_NAMED = 32  # files; what names more is parsed
_INCLUDE = pattern(r"(?<![\w./-])include(?![ \t]*[\w./-])")  # perhaps a key


def may_reach(content: str, plan: Plan, loader: Loader) -> bool:
    """Tell whether a file with this text, merged as planned, could hand anything over."""
    texts = [content]
    if len(plan.paths) > 1:
        texts += [loader.content(path) or "" for path in plan.paths]
    waiting = [(text, plan.folder) for text in texts]
    seen: tuple[set[str], set[str]] = (set(), set())
    settings: list[str] = []
    for text, folder in waiting:  # and what they name in turn
        named = None if hinted(text) or _includes(text) else plainly_named(text)
        if named is None or len(waiting) > _MOST_NAMED:
            return True
        for path, other in _read(named.extended, folder, loader, seen[0]):
            waiting.append((other, dirname(path)))
        settings += [other for _, other in _read(named.settings, folder, loader, seen[1])]
    if any(map(hinted, settings)):
        return True
    if not any("$" in text for text, _ in waiting):
        return False
    if settings or telling(plan.variables):
        return True
    return any(_telling_joined(text, plan.variables) for text, _ in waiting)


def _includes(text: str) -> bool:
    return "include" in text and _INCLUDE.search(text) is not None


def _read(
    names: frozenset[str], folder: str, loader: Loader, seen: set[str]
) -> Iterator[tuple[str, str]]:
    """Yield the files of these names that there are and that were not seen, with their texts."""
    for name in names:
        path = beside(folder, name)
        if path is not None and path not in seen:
            seen.add(path)
            content = loader.content(path)
            if content is not None:
                yield path, content


def telling(variables: Variables) -> bool:
    """Tell whether one of the variables may name a daemon."""
    return any(hinted(f"={variable.text}") for variable in variables.values())


def _telling_joined(text: str, variables: Variables) -> bool:
    """Tell whether a text may name a daemon once variables, or their defaults, are put in.

    Pieces that tell nothing can do so together: `${A}un` is `/run` where A is `/r`.
    """
    if not _is_joined(text):
        return False
    lines = [line for line in text.split("\n") if "$" in line and _is_joined(line)]
    return hinted("\n".join(interpolate(line, variables).text for line in lines))


def _is_joined(text: str) -> bool:
    return _LED.search(text) is not None or _FOLLOWED.search(text) is not None


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
    for word, exact in _HINTS:
        if word not in low:
            continue
        if exact is None:
            yield from _found(low, word)
        else:
            yield from (found.start() for found in exact.finditer(low))
    yield from (found.start() for found in _OPTION.finditer(content))
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
    if _any_of(_COMMON, low) or ("-H" in text and _OPTION.search(text)):
        return True
    return any(piece in low and _any_of(hints, low) for piece, hints in _HOLDING)


def _any_of(hints: Iterable[_Hint], low: str) -> bool:
    for word, exact in hints:
        if word in low and (exact is None or exact.search(low) is not None):
            return True
    return False
