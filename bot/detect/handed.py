"""What the keys of a container hand over where its values may stand elsewhere: in variables.

For Terraform, Nomad, Packer and Ansible, whose modules take what `docker run` takes under names of
their own. A `Lookup` follows variables; the grants keep the way.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from bot.detect import mounts, sockets
from bot.detect.ci.places import Environment, Place, Places, Subject, address_grants
from bot.detect.ci.steps import argv_grants
from bot.detect.grant import Grant, Step
from bot.detect.pods.values import Given
from bot.detect.positioned import Node
from bot.detect.shell import Value
from bot.detect.sockets import Target

Restrictions = Sequence[tuple[str, int]]

_MOST = 8
_OFF = frozenset({"", "0", "false", "root", "host", "null", "0:0", "no"})


@dataclass(frozen=True, slots=True)
class At:
    """A value, the file it stands in, and what refers to it there from the subject."""

    node: Node
    path: str
    after: tuple[Step, ...] = ()

    @property
    def step(self) -> Step:
        """Where the value itself stands."""
        return Step(self.path, self.node.line)

    def get(self, *names: str) -> "At | None":
        """Return the value at a chain of keys, or None."""
        below = self.node.get(*names)
        return At(below, self.path, self.after) if below is not None else None


class Lookup(Protocol):
    """Follows the variables of one file."""

    def flat(self, at: At) -> Iterator[At]:
        """Yield the scalars and mappings that a value comes to, lists opened."""

    def text(self, at: At | None) -> Given:
        """Return the text of a scalar with what is known put in."""


class Handed:
    """Builds the grants of one file."""

    def __init__(self, path: str, places: Places, scope: Lookup) -> None:
        self.path = path
        self.places = places
        self.scope = scope

    def at(self, node: Node) -> At:
        """Return a node of this file."""
        return At(node, self.path)

    def text(self, node: Node | None) -> str:
        """Return the text of a scalar of this file, "" where there is none."""
        return self.scope.text(self.at(node)).text.strip() if node is not None else ""

    def resolve(self, node: Node) -> Given:
        """Return what a scalar of this file comes to, with what else it may be."""
        flat = (at for at in self.scope.flat(self.at(node)) if at.node.kind == "scalar")
        values = [self.scope.text(at) for at in islice(flat, _MOST)]
        first, *others = values or [Given(node.text)]
        return Given(first.text, first.before, tuple(others))

    def grant(
        self, who: Subject, target: Target, at: At, given: Given, restricted: Restrictions = ()
    ) -> Grant:
        """Return the grant of one value."""
        number = self.places.put(Place(at.path, at.node.line, given.before, at.after))
        return self.places.mounted(who, target, number, restricted)

    def short(self, who: Subject, node: Node | None, restricted: Restrictions) -> Iterator[Grant]:
        """Yield what a list of mounts hands over: "source:target", `type=…,source=…`, mappings."""
        for at in self.scope.flat(self.at(node)) if node is not None else ():
            if at.node.kind == "map":
                yield from self.long(who, at, restricted)
                continue
            given = self.scope.text(at)
            options = given.text.startswith("type=")
            for text in (given.text,) if options else given.text.split(","):
                target = mounts.mount_option(text) if options else mounts.short(text)
                if target is not None:
                    yield self.grant(who, target, at, given, restricted)

    def long(self, who: Subject, at: At, restricted: Restrictions) -> Iterator[Grant]:
        """Yield what one mount hands over that is written with keys."""
        kind = at.get("type")
        if kind is not None and self.scope.text(kind).text in {"volume", "tmpfs", "image"}:
            yield from self.device(who, at, restricted)
            return
        source = at.get("source") or at.get("host_path") or at.get("src")
        if source is None:
            return
        inside = at.get("target") or at.get("container_path") or at.get("destination")
        inside = inside or at.get("dest") or at.get("dst")
        for one in self.scope.flat(source):
            given = self.scope.text(one)
            target = sockets.mount(given.text, self.scope.text(inside).text or None)
            if target is not None:
                yield self.grant(who, target, one, given, restricted)

    def device(self, who: Subject, at: At, restricted: Restrictions) -> Iterator[Grant]:
        """Yield what a volume's driver options mount: `device` of the local driver."""
        for below in at.node.maps():
            device = below.value("device")
            if device is not None and device.kind == "scalar":
                here = At(device, at.path, at.after)
                given = self.scope.text(here)
                target = sockets.host_path(given.text)
                if target is not None:
                    yield self.grant(who, target, here, given, restricted)

    def environment(self, nodes: Iterable[Node | None]) -> Environment:
        """Return the variables given as a mapping or as a list of "NAME=value"."""
        found: Environment = {}
        for node in nodes:
            for at in self.scope.flat(self.at(node)) if node is not None else ():
                if at.node.kind == "map":
                    for name, (_, value) in at.node.entries().items():
                        below = At(value, at.path, at.after)
                        found[name] = self.value(below, self.scope.text(below))
                else:
                    given = self.scope.text(at)
                    name, equals, text = given.text.partition("=")
                    if equals:
                        found[name.strip()] = self.value(at, Given(text, given.before))
        return found

    def value(self, at: At, given: Given) -> Value:
        """Return a value as the variable of a script."""
        place = Place(at.path, at.node.line, given.before, at.after)
        return Value(given.text, self.places.put(place))

    def addresses(self, who: Subject, env: Environment) -> Iterator[Grant]:
        """Yield the daemons that variables name."""
        yield from address_grants(self.places, who, env, env)

    def command(
        self, who: Subject, parts: Iterable[Node | None], env: Environment
    ) -> Iterator[Grant]:
        """Yield what a command reaches whose words stand in one or several attributes."""
        words: list[Node | Value | str] = []
        for part in parts:
            for at in self.scope.flat(self.at(part)) if part is not None else ():
                if at.node.kind == "scalar":
                    given = self.scope.text(at)
                    same = given.text == at.node.text and at.path == self.path and not at.after
                    words.append(at.node if same else self.value(at, given))
        if words:
            yield from argv_grants(self.places, who, words, env)

    def restricted(self, node: Node, controls: Mapping[str, str]) -> Restrictions:
        """Return the restrictions among a block's attributes, as written, with their places.

        `controls` says for each what makes it one: "set", "true", "none", or "list" for its items.
        """
        found: list[tuple[str, int]] = []
        for name, (key, value) in node.entries().items():
            kind = controls.get(name, "")
            items = value.listed() if kind == "list" else (value,)
            for item in items:
                text = self.scope.text(self.at(item)).text
                counts = {
                    "set": text.lower() not in _OFF or value.kind != "scalar",
                    "true": text.lower() in {"true", "yes"},
                    "none": text == "none",
                    "list": bool(text) and not text.endswith(("unconfined", "disable")),
                }.get(kind, False)
                if counts:
                    line = key.line if kind != "list" else item.line
                    written = self.places.texts[self.path].line(line).strip()
                    found.append((written, self.places.put(Place(self.path, line))))
        return tuple(dict.fromkeys(found))
