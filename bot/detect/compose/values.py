"""Values of a Compose project: nodes with their file, variables put in, merged by Compose's rules.

Source: Compose specification, "Merge", "Extend" and "Include", and the reference implementation's
tables of what is merged by what (`override/merge.go`, `override/uncity.go`). Nothing is built
before it is asked for, so that aliases cost nothing where they nest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from bot.detect.compose.interpolation import Said, Variables, interpolate
from bot.detect.grant import Step
from bot.detect.mounts import split_short

if TYPE_CHECKING:
    from bot.detect.lines import Text
    from bot.detect.positioned import Kind, Node

# What the later text replaces, and what a target tells apart.
_REPLACED = frozenset({"command", "entrypoint", "test"})
_BY_TARGET = {"volumes": "", "devices": "", "secrets": "/run/secrets/", "configs": "/"}
_LAYERED = frozenset({"environment", "env_file", "tmpfs"})
_LONGEST_WAY = 40


@dataclass(frozen=True, slots=True)
class File:
    """A file that takes part in a project."""

    path: str
    folder: str  # what the relative paths in it are relative to
    text: Text
    variables: Variables


@dataclass(slots=True, eq=False)
class Value:
    """One value: a node of a file, or what several come to together. Never changed once built."""

    node: Node  # of several, the last one
    file: File
    key: Node | None = None
    after: tuple[Step, ...] = ()  # what brought it here from its file: `extends`, `include`
    parts: dict[str, Value] | tuple[Value, ...] | None = None  # where several were merged
    _said: Said | None = field(default=None, repr=False)
    _fields: dict[str, Value] | None = field(default=None, repr=False)

    @property
    def kind(self) -> Kind:
        """Whether it is a scalar, a list or a map."""
        if self.parts is None:
            return self.node.kind
        return "map" if isinstance(self.parts, dict) else "list"

    @property
    def said(self) -> Said:
        """A scalar's text with its variables put in."""
        if self._said is None:
            self._said = interpolate(self.node.text, self.file.variables)
        return self._said

    @property
    def text(self) -> str:
        """A scalar's text with its variables put in; "" for the others."""
        if self.kind != "scalar":
            return ""
        return self.said.text if "$" in self.node.text else self.node.text

    @property
    def true(self) -> bool:
        """Whether it is a scalar that means yes."""
        if self.kind != "scalar":
            return False
        return self.node.true or self.text.strip().lower() in {"true", "yes", "on", "1"}

    @property
    def taken_away(self) -> bool:
        """Whether it is a `!reset`: nothing, and nothing of what it is merged over."""
        return self.node.tag == "!reset"

    @property
    def line(self) -> int:
        """The line on which its text starts."""
        node = self.node
        if node.kind == "scalar" and not node.text and self.key is not None and not node.via:
            return self.key.line
        return node.line + (1 if node.style in {"|", ">"} else 0)

    @property
    def own(self) -> Step:
        """The place where it is written."""
        return Step(self.file.path, self.line)

    def steps(self, about: str | None = None) -> tuple[Step, ...]:
        """Return the way from where its text comes from to where it is used.

        `about` leaves out the variables that have no part in this piece of the text.
        """
        said = self.said.variables
        told = (v for v in said if about is None or (v.text and v.text in about))
        before = (step for variable in told for step in variable.steps)
        aliases = (Step(self.file.path, line) for line in reversed(self.node.via))
        return tuple(dict.fromkeys((*before, self.own, *aliases, *self.after)))

    def led(self, after: tuple[Step, ...]) -> Value:
        """Return the same value, brought further by `after`."""
        way = (*self.after, *after)
        if len(way) > _LONGEST_WAY:
            way = (*way[: _LONGEST_WAY // 2], *way[-_LONGEST_WAY // 2 :])
        return Value(self.node, self.file, self.key, way, _led(self.parts, after))

    def fields(self) -> dict[str, Value]:
        """Return a map's values by name, merge keys resolved; {} for the others."""
        if isinstance(self.parts, dict):
            return self.parts
        if self._fields is None:
            entries = self.node.entries() if self.parts is None else {}
            self._fields = {
                name: Value(value, self.file, key, self.after)
                for name, (key, value) in entries.items()
            }
        return self._fields

    def get(self, *names: str) -> Value | None:
        """Return the value at a chain of keys, or None, also where `!reset` stands."""
        found = self
        for name in names:
            below = (found._fields or found.fields()).get(name)
            if below is None or below.node.tag == "!reset":
                return None
            found = below
        return found

    def items(self) -> tuple[Value, ...]:
        """Return a list's values; () for the others."""
        if isinstance(self.parts, tuple):
            return self.parts
        nodes = self.node.members() if self.parts is None else ()
        return tuple(Value(node, self.file, None, self.after) for node in nodes)

    def listed(self) -> tuple[Value, ...]:
        """Return a list's values, or the scalar or map itself as the only one."""
        if self.kind == "list":
            return self.items()
        return () if self.parts is None and self.node.null else (self,)

    def flat(self) -> tuple[Value, ...]:
        """Return what several files list under one key, one after the other."""
        if isinstance(self.parts, tuple):
            return tuple(item for part in self.parts for item in part.listed())
        return self.listed()

    def size(self) -> int:
        """Return how many values its lists hold: what it costs to merge it."""
        below = self.fields().values() if self.kind == "map" else ()
        lists = [self, *below] if self.kind == "list" else below
        return sum(len(v.parts or v.node.items) for v in lists if v.kind == "list")

    def digest(self) -> str:
        """Return a digest of the meaning: no place, no style, no order of keys."""
        if self.parts is None:
            return self.node.digest()
        if isinstance(self.parts, dict):
            return hashed("m", *sorted(f"{k}={v.digest()}" for k, v in self.parts.items()))
        return hashed("l", *(value.digest() for value in self.parts))


def _led(
    parts: dict[str, Value] | tuple[Value, ...] | None, after: tuple[Step, ...]
) -> dict[str, Value] | tuple[Value, ...] | None:
    if parts is None:
        return None
    if isinstance(parts, dict):
        return {name: value.led(after) for name, value in parts.items()}
    return tuple(value.led(after) for value in parts)


def hashed(*parts: str) -> str:
    """Return a short digest of texts."""
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def merged(base: Value, over: Value, name: str = "", depth: int = 8) -> Value:
    """Return what `base` comes to with `over` merged into it; `name` is the key they stand at.

    Maps are merged by key, lists joined, scalars replaced; `!reset` takes away, `!override`
    replaces.
    """
    if over.node.tag == "!override" or name in _REPLACED or depth <= 0:
        return over
    if name in _LAYERED:
        return _of(over, (*_layers(base), *_layers(over)))
    if base.kind == over.kind == "map":
        return _of(over, _merged_maps(base.fields(), over.fields(), depth))
    if base.kind == over.kind == "list":
        return _of(over, (*base.items(), *over.items()))
    return base if over.kind == "scalar" and over.node.null else over


def _of(last: Value, parts: dict[str, Value] | tuple[Value, ...]) -> Value:
    return Value(last.node, last.file, last.key, last.after, parts)


def _layers(value: Value) -> tuple[Value, ...]:
    if isinstance(value.parts, tuple):
        return value.parts
    return (value,)


def _merged_maps(base: dict[str, Value], over: dict[str, Value], depth: int) -> dict[str, Value]:
    found = dict(base)
    for name, value in over.items():
        known = found.get(name)
        if known is None or known.taken_away or value.taken_away:
            found[name] = value
        else:
            found[name] = merged(known, value, name, depth - 1)
    return found


def without(value: Value, name: str) -> Value:
    """Return a map without one of its keys."""
    return _of(value, {n: v for n, v in value.fields().items() if n != name})


def mounted(service: Value, name: str) -> tuple[Value, ...]:
    """Return a service's `volumes`, `secrets` or `configs`: of each target the last one."""
    value = service.get(name)
    if value is None:
        return ()
    kept: dict[str, Value] = {}
    for item in value.listed():
        if not item.taken_away:
            kept[target_of(item, _BY_TARGET[name])] = item
    return tuple(kept.values())


def target_of(item: Value, below: str = "") -> str:
    """Return where in the container a mount, secret or config appears."""
    if item.kind != "map":
        fields = split_short(item.text)
        return below + (fields[1] if len(fields) > 1 and not below else item.text)
    target = item.get("target") or item.get("destination") or item.get("dst")
    if target is not None:
        return target.text
    source = item.get("source")
    return f"{below}{source.text}" if source is not None and below else f"\0{item.own}"
