"""The values of a Helm chart -> what they make its templates hand over.

What a value does, a template decides that may be elsewhere. Conventions tell: a volume with a
hostPath, a key that holds a socket's path (`dockerSocketPath`, `criSocketPath`, `sockets`), a
switch named after the socket, a mount in the short form, an environment. Source: the charts of
Datadog, Falco, Jenkins and others, see their values.yaml.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bot.detect import effort, mounts, sockets
from bot.detect.ci.places import Places, Subject, address_grants
from bot.detect.ci.steps import environment
from bot.detect.grant import Grant, How, Severity
from bot.detect.pods import Containers, block
from bot.detect.pods.values import text_of
from bot.detect.positioned import Node
from bot.detect.sockets import Target

_LONGEST = 4_096
# Where a value is what the container or a client sees, not what the host gives.
_INSIDE = re.compile(
    r"(?:mount_?path|container_?path|target|destination|endpoint|address|url|uri|args|command|help"
    r"|description|title|default_?label|label|note|message|schema|usage|pattern|regex)s?\Z",
    re.IGNORECASE,
)
_HOST = re.compile(r"host_?path\Z", re.IGNORECASE)
_SWITCH = re.compile(r"docker_?sock(?:et)?(?:_?(?:mount|enabled?))?\Z", re.IGNORECASE)
_ENABLES = frozenset({"enabled", "enable", "mount", "create"})
_CONTAINERS = re.compile(r"containers?\Z|sidecars?\Z", re.IGNORECASE)
_SCRIPT = re.compile(r"script\Z|\.sh\Z", re.IGNORECASE)
_SHEBANG = re.compile(r"#!.*\b(?:ba|da|a|z|k)?sh\b")
_ENVIRONMENT = re.compile(r"env(?:s|ironment|vars?|variables)?\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _At:
    """Where a node stands: the keys that lead there, without the numbers of list items."""

    keys: tuple[str, ...] = ()

    def below(self, key: str) -> "_At":
        return _At((*self.keys, key))

    @property
    def last(self) -> str:
        return self.keys[-1] if self.keys else ""

    @property
    def name(self) -> str:
        return f"value {'.'.join(self.keys)}" if self.keys else "values"


def value_grants(places: Places, values: Node, owner: str = "") -> Iterator[Grant]:
    """Yield what values hand over. `owner` opens each subject, as in "HelmRelease web"."""
    yield from _Values(places, values, owner).grants()


class _Values:
    def __init__(self, places: Places, values: Node, owner: str) -> None:
        self._places = places
        self._root = values
        self._owner = owner
        self._containers = Containers(places)
        self._mounts: dict[str, Node] = {}
        self._volumes: dict[str, Node] = {}
        for node in values.maps():
            name = text_of(node.value("name"))
            if node.value("mountPath") is not None:
                self._mounts.setdefault(name, node)
            elif node.value("hostPath") is not None:
                self._volumes.setdefault(name, node)

    def grants(self) -> Iterator[Grant]:
        """Yield what the values hand over, in the order in which they stand."""
        stack: list[tuple[Node, _At]] = [(self._root, _At())]
        seen: set[int] = set()
        while stack:
            node, at = stack.pop()
            effort.spend(1)
            if node.kind == "scalar" and node.style == "|":
                stack.extend((inner, at) for inner in self._text(node))
                yield from self._script(node, at)
                continue
            if node.kind == "scalar":
                yield from self._scalar(node, at)
                continue
            key = id(node.items or node.pairs)
            if key in seen:
                continue
            seen.add(key)
            if node.kind == "list":
                yield from self._list(node, at)
                stack.extend((item, at) for item in reversed(node.members()))
                continue
            host = node.value("hostPath")
            if host is not None and host.kind == "map":
                yield from self._volume(node, at)
            elif _CONTAINERS.search(at.last) and node.value("image") is not None:
                yield from self._container(node, at)
            else:
                if _ENVIRONMENT.search(at.last):
                    yield from self._variables(node, at)
                for name, (_, value) in reversed(node.entries().items()):
                    stack.append((value, at.below(name)))

    def _subject(self, at: _At, node: Node, detail: str = "") -> Subject:
        name = ", ".join(part for part in (self._owner, at.name, detail) if part)
        # What leads to a value may be called otherwise: the same key still says the same.
        last = 2 if at.last.lower() in _ENABLES else 1
        said = f"{'.'.join(at.keys[-last:])}={node.digest()}"
        definition = sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return Subject(name, None, definition, (node.line, node.last_line))

    def _volume(self, node: Node, at: _At) -> Iterator[Grant]:
        name = text_of(node.get("name"))
        who = self._subject(at, node, f"volume {name}" if name else "")
        yield from self._containers.volume(who, node, self._mounts.get(name))

    def _container(self, node: Node, at: _At) -> Iterator[Grant]:
        name = text_of(node.get("name"))
        who = self._subject(at, node, f"container {name}" if name else "")
        # Volumes are told by themselves; here only what the container runs and is told.
        own = {name: volume for name, volume in self._volumes.items() if volume is not node}
        for grant in self._containers.grants(who.name, node, own):
            if grant.how not in {How.MOUNT, How.DIRECTORY}:
                yield grant

    def _list(self, node: Node, at: _At) -> Iterator[Grant]:
        if _ENVIRONMENT.search(at.last):
            who = self._subject(at, node)
            env = self._containers.environment(node)
            yield from address_grants(self._places, who, env, env)

    def _variables(self, node: Node, at: _At) -> Iterator[Grant]:
        who = self._subject(at, node)
        env = environment(self._places, node)
        yield from address_grants(self._places, who, env, env)

    def _text(self, node: Node) -> Iterator[Node]:
        """Yield the values that a text holds for a template to insert."""
        if "hostPath" in node.text:
            yield from block(node)

    def _script(self, node: Node, at: _At) -> Iterator[Grant]:
        if _SHEBANG.match(node.text) or _SCRIPT.search(at.last):
            yield from self._containers.script(self._subject(at, node), node, {})

    def _scalar(self, node: Node, at: _At) -> Iterator[Grant]:
        target = self._said(node, at)
        if target is not None:
            yield self._places.mounted(self._subject(at, node), target, self._places.here(node))

    def _said(self, node: Node, at: _At) -> Target | None:
        if node.true and _switch(at.keys):
            return Target("docker", How.SWITCH, Severity.CRITICAL)
        return setting(at.keys, node.text)


def setting(keys: Sequence[str], text: str) -> Target | None:
    """Return what a single value at a chain of keys makes a chart hand over, or None."""
    text = text.strip()
    if not text or not keys or len(text) > _LONGEST:
        return None
    if text == "true" and _switch(keys):
        return Target("docker", How.SWITCH, Severity.CRITICAL)
    if any(_INSIDE.search(key) for key in keys[-2:]):
        return None
    if _HOST.search(keys[-1]) or "hostPath" in keys[-2:-1]:
        return sockets.host_path(text)
    if "://" in text or " " in text:
        return None
    target = mounts.short(text) if ":" in text else None
    target = target or sockets.host_path(text)
    single = target is not None and target.how is How.MOUNT
    return target if single or (":" in text and target is not None) else None


def _switch(keys: Sequence[str]) -> bool:
    if keys and keys[-1].lower() in _ENABLES:
        return len(keys) > 1 and bool(_SWITCH.search(keys[-2]))
    return bool(keys) and bool(_SWITCH.search(keys[-1]))
