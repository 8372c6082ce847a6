"""Steps that a CI system runs in containers of their own, written in YAML with keys as in compose.

Drone, Woodpecker, Codefresh, Buildkite's docker plugin and their like: an image, volumes in the
short form, an environment, commands.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal

from bot.detect import effort, mounts, sockets
from bot.detect.ci.places import Environment, Places, Subject, joined, value_of
from bot.detect.engine import told
from bot.detect.format import plain_name
from bot.detect.grant import Grant, How, Severity, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Value, interpret, interpret_argv
from bot.detect.sockets import Target
from bot.detect.source import Source
from bot.detect.yaml_tree import read_json, read_yaml

_DEEPEST = 12
_STEP = 12  # units of effort

Restrictions = tuple[tuple[str, int], ...]  # as written, and the number of the line

_ROOT = frozenset({"", "0", "root", "0:0", "root:root"})
_LIMITS = (
    "read_only", "tmpfs", "mem_limit", "memory", "memswap_limit", "cpus", "cpu_quota", "cpuset",
    "cpu_set", "cpu_shares", "pids_limit", "isolation", "userns", "userns_mode",
)  # fmt: skip
_OFF = frozenset({"false", "no", "off", "0", "null", "~", ""})


class Nesting:
    """How deep a list of steps stands."""

    def __init__(self, depth: int = 0, *, deepest: int = _DEEPEST) -> None:
        self._depth = depth
        self._deepest = deepest

    def allows(self) -> bool:
        """Tell whether one more step may be read here, and count it."""
        if self._depth > self._deepest:
            effort.skip()
            return False
        effort.spend(_STEP)
        return True

    def deeper(self) -> "Nesting":
        """Return what holds for the steps inside a step."""
        return Nesting(self._depth + 1, deepest=self._deepest)


def yaml_grants(
    path: str,
    source: Source,
    of_document: Callable[[Places, Node], Iterator[Grant]],
) -> Iterator[Grant | Unknown]:
    """Yield what each document of a YAML or JSON file hands over, and what could not be read."""
    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    tree = read_json(text) if plain_name(path).lower().endswith(".json") else read_yaml(text)
    places = Places(path, text)
    every = (grant for one in tree.documents for grant in of_document(places, one))
    yield from told(path, tree, every)


def environment(places: Places, *nodes: Node | None) -> Environment:
    """Return variables given as a mapping, as "NAME=value" texts or as {name, value} mappings.

    Later ones win. A value that is no text (`from_secret: …`) is not known.
    """
    found: Environment = {}
    for node in nodes:
        if node is None:
            continue
        if node.kind == "map":
            for name, (_, value) in node.entries().items():
                if value.kind == "scalar" and not value.null:
                    found[name] = value_of(places.script(value), value)
        for item in node.members():
            found |= _variable(places, item)
    return found


def _variable(places: Places, item: Node) -> Environment:
    if item.kind == "scalar":
        name, equals, text = item.text.partition("=")
        return {name.strip(): Value(text, places.here(item))} if equals else {}
    name_node, value = item.get("name") or item.get("key"), item.get("value")
    if name_node is not None and value is not None and value.kind == "scalar":
        return {name_node.text: value_of(places.script(value), value)}
    pairs = item.entries()
    if len(pairs) == 1:
        return environment(places, item)
    return {}


def volume_grants(
    places: Places, subject: Subject, volumes: Node | None, restricted: Restrictions = ()
) -> Iterator[Grant]:
    """Yield what volumes hand over: "source:target[:options]" or {source, target} each."""
    for item in volumes.listed() if volumes is not None else ():
        if item.kind == "scalar":
            for text, number in _lines(places, item):
                target = mounts.short(text) if "," not in text else mounts.mount_option(text)
                if target is not None:
                    yield places.mounted(subject, target, number, restricted)
            continue
        source = item.get("source") or item.get("src") or item.get("host")
        at = item.get("target") or item.get("destination") or item.get("container")
        if source is not None and source.kind == "scalar":
            target = sockets.mount(source.text, at.text if at is not None else None)
            if target is not None:
                yield places.mounted(subject, target, places.here(source), restricted)


def _lines(places: Places, item: Node) -> Iterator[tuple[str, int]]:
    script = places.script(item)
    if item.style not in {"|", ">"}:
        yield item.text, script.lines[0]
        return
    yield from zip(script.text.split("\n"), script.lines, strict=False)


def script_grants(
    places: Places,
    subject: Subject,
    commands: Iterable[Node | None],
    env: Environment | None = None,
    *,
    dialect: Literal["sh", "powershell", "cmd"] = "sh",
    escaped: bool = False,
) -> Iterator[Grant]:
    """Yield what commands hand over that one shell runs after each other.

    `escaped` where the CI system takes `$$` for a `$` that is the shell's.
    """
    scripts = [
        places.script(item)
        for node in commands
        if node is not None
        for item in node.listed()
        if item.kind == "scalar"
    ]
    if scripts:
        script = joined(scripts)
        if escaped:
            script = replace(script, text=script.text.replace("$$", "$"))
        for reach in interpret(script, env, dialect=dialect):
            yield places.grant(subject, reach)


def argv_grants(
    places: Places,
    subject: Subject,
    argv: Iterable[Node | Value | str],
    env: Environment | None = None,
    *,
    escaped: bool = False,
) -> Iterator[Grant]:
    """Yield what one command in exec form hands over.

    The text that a shell is given with `-c` is read as a script, so that its lines are known. A
    word that is a mere text (the command an image starts with) stands where the first other does.
    """
    words = [word for word in argv if not isinstance(word, Node) or word.kind == "scalar"]
    script = script_of([word if isinstance(word, str) else word.text for word in words])
    if script is not None and isinstance(node := words[script], Node):
        yield from script_grants(places, subject, (node,), env, escaped=escaped)
        return
    numbered = [
        (word, 0)
        if isinstance(word, str)
        else (word.text, places.here(word) if isinstance(word, Node) else word.line)
        for word in words
    ]
    first = next((number for _, number in numbered if number), 0)
    if first:
        for reach in interpret_argv([(text, at or first) for text, at in numbered], env):
            yield places.grant(subject, reach)


_COMMAND_FLAG = pattern(r"-[a-z]*c[a-z]*\Z")
_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "busybox"})


def script_of(words: list[str]) -> int | None:
    """Return which word of `["sh", "-ec", "…"]` is a script, None where none is."""
    if not words or words[0].rsplit("/", 1)[-1] not in _SHELLS:
        return None
    for index, word in enumerate(words[1:-1], 1):
        if _COMMAND_FLAG.match(word):
            return index + 1
    return None


def restrictions(places: Places, node: Node) -> Restrictions:
    """Return the restrictions on a container that reaching the daemon makes worthless."""
    found: list[tuple[str, int]] = []
    for name, (key, value) in node.entries().items():
        if value.kind == "scalar":
            text = value.text.strip()
            non_root = name == "user" and text.lower() not in _ROOT
            limited = name in _LIMITS and text.lower() not in _OFF and text != "host"
            if non_root or limited or (name == "network_mode" and text == "none"):
                found.append((f"{name}: {text}", places.here(value)))
        elif name in {"cap_drop", "cap-drop"} or name == "tmpfs":
            found.append((f"{name}: {_inline(value)}", places.here(key)))
        elif name in {"security_opt", "security-opts"}:
            found.extend(
                (f"{name}: {item.text}", places.here(item))
                for item in value.listed()
                if item.kind == "scalar" and not _loosens(item.text)
            )
    return tuple(found)


def _loosens(option: str) -> bool:
    return option.endswith(("unconfined", "disable", ":false", "=false"))


def _inline(node: Node) -> str:
    return "[" + ", ".join(item.text for item in node.listed() if item.kind == "scalar") + "]"


def platform_grant(places: Places, subject: Subject, node: Node, severity: Severity) -> Grant:
    """Return the daemon that a platform gives a container with no line that says so."""
    target = Target("docker", How.PLATFORM, severity)
    return replace(places.mounted(subject, target, places.here(node)), implicit=True)


def image_of(node: Node | None) -> str | None:
    """Return an image's repository from its text or from {name: …}, None where there is none."""
    if node is not None and node.kind == "map":
        node = node.get("name") or node.get("image")
    if node is None or node.kind != "scalar" or not node.text.strip():
        return None
    return mounts.repository(node.text)


def steps_of(node: Node | None) -> Iterator[tuple[str, Node]]:
    """Yield the steps of a list or of a mapping by name, each with what a person calls it."""
    if node is None:
        return
    if node.kind == "map":
        for name, (_, step) in node.entries().items():
            if step.kind == "map":
                yield name, step
        return
    for number, step in enumerate(node.members(), 1):
        if step.kind == "map":
            yield name_of(step) or str(number), step


def name_of(step: Node, *keys: str) -> str:
    """Return the text at the first of `keys` that a step has (`name` if none are given), or ""."""
    for key in keys or ("name",):
        found = step.get(key)
        if found is not None and found.kind == "scalar" and found.text.strip():
            return found.text.strip()
    return ""


def subject_of(name: str, node: Node, skip: Iterable[str] = ("name",)) -> Subject:
    """Return a step as a subject: its image, a digest without its name, its lines."""
    return Subject(
        name,
        image_of(node.get("image")),
        node.digest(frozenset(skip)),
        (node.line, node.last_line),
    )
