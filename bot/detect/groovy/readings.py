"""What a pipeline's mounts, variables and addresses come to, whichever step names them.

Sources: the documentation of the Docker Pipeline plugin (`docker.image`, `withServer`) and of the
Kubernetes plugin (`hostPathVolume`, `envVar`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.ci.places import Places, Subject, address_grants
from bot.detect.grant import Grant
from bot.detect.groovy.reader import read
from bot.detect.groovy.tree import (
    Argument,
    Assignment,
    Block,
    Call,
    Expression,
    Mapping,
    Member,
    dotted,
)
from bot.detect.groovy.values import Said, Values, text_of
from bot.detect.groovy.walk import (
    Around,
    environment_of,
    name_of,
    settings,
    variable,
)
from bot.detect.lines import Text
from bot.detect.shell import Reach, Value

_HOST_PATH = re.compile(r"host_?path|filesystem_?bind", re.IGNORECASE)
_VOLUMES = re.compile(r"\A(?:docker)?(?:volumes?|mounts?|binds?)(?:String)?\Z", re.IGNORECASE)


class Readings:
    """One Groovy text with its values, and what was read of it so far."""

    def __init__(self, path: str, text: Text) -> None:
        self.path = path
        self.text = text
        self.places = Places(path, text)
        self._everything, self.read_to = read(text.content)
        self.values = Values(self.places, text, self._everything)
        self._read_lines: set[int] = set()

    def _read(self, expression: Expression | None) -> Said | None:
        said = self.values.said(expression)
        for _, number in said or ():
            place = self.places.at(number)
            self._read_lines.update(step.line for step in place.steps())
        return said

    def _subject(self, around: Around, what: str, image: str | None = None) -> Subject:
        return Subject(f"{around.where}, {what}", image)

    def _grants(
        self, subject: Subject, reaches: tuple[Reach, ...], call: Call | None = None
    ) -> Iterator[Grant]:
        for reach in reaches:
            found = self.places.grant(subject, reach)
            if call is not None:
                first, last = self.values.line(call.start), self.values.line(call.end - 1)
                if first <= found.line <= last:
                    found = replace(found, extent=(first, last))
            yield found

    def _image(self, expression: Expression | None) -> str | None:
        """Return the repository of `docker.image('x')`, `docker.build('x')`, a name or a text."""
        for _ in range(16):
            if isinstance(expression, Call):
                if dotted(expression.callee) in {"docker.image", "docker.build"}:
                    first = expression.arguments[:1]
                    expression = first[0].value if first else None
                elif isinstance(expression.callee, Member):
                    expression = expression.callee.of
                else:
                    return None
            else:
                resolved = self.values.resolved(expression)
                if resolved is expression:
                    break
                expression = resolved
        said = self.values.said(expression)
        return mounts.repository(text_of(said)) if said else None

    def _server(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        first = call.arguments[0].value if call.arguments else None
        given = settings(call)
        server = given.get("uri") or self.values.entry(first, "uri") or first
        said = self._read(server)
        if said:
            yield from self._address(text_of(said), said[0][1], self._subject(around, name))

    def _address(self, url: str, number: int, subject: Subject) -> Iterator[Grant]:
        target = sockets.address(url)
        if target is not None:
            yield self.places.mounted(subject, target, number)

    def _environment(self, block: Block, around: Around) -> Iterator[Grant]:
        env = environment_of(block, self.values)
        if env:
            yield from self._addresses(env, around, "environment")

    def _assignment(self, one: Assignment, around: Around) -> Iterator[Grant]:
        owner, _, name = one.target.rpartition(".")
        if owner.rpartition(".")[2] == "env" and (value := variable(one, self.values)):
            yield from self._addresses({name: value}, around, "environment")

    def _environment_entry(
        self, arguments: tuple[Argument, ...], around: Around, name: str
    ) -> Iterator[Grant]:
        """Read `envVar(key: …, value: …)`, `.withEnvVar(…, …)` and `[key: …, value: …]`."""
        given = {one.name: one.value for one in arguments if one.name}
        positional = [one.value for one in arguments if not one.name]
        key = given.get("key") or given.get("name") or (positional[0] if positional else None)
        value = given.get("value") or (positional[1] if len(positional) > 1 else None)
        said = self.values.said(value)
        if said:
            variables = {text_of(self.values.said(key)): Value(text_of(said), said[0][1])}
            yield from self._addresses(variables, around, name)

    def _addresses(self, env: dict[str, Value], around: Around, what: str) -> Iterator[Grant]:
        for value in env.values():
            self._read_lines.add(self.places.at(value.line).line)
        around_env = around.env | env
        yield from address_grants(self.places, self._subject(around, what), env, around_env)

    def _host_path(
        self, arguments: tuple[Argument, ...], whole: Call | Mapping, around: Around
    ) -> Iterator[Grant]:
        """Read `hostPathVolume(hostPath: …, mountPath: …)` and `.withHostPathMount(…, …)`."""
        given = {one.name: one.value for one in arguments if one.name}
        name = name_of(whole) if isinstance(whole, Call) else ""
        source, target = given.get("hostPath"), given.get("mountPath")
        positional = [one.value for one in arguments if not one.name]
        if source is None and _HOST_PATH.search(name) and positional:
            source, target = positional[0], positional[1] if len(positional) > 1 else None
        said = self._read(source)
        if not said:
            return
        reached = sockets.mount(text_of(said), text_of(self.values.said(target)) or None)
        if reached is not None:
            subject = self._subject(around, "pod" if name.startswith("with") else "podTemplate")
            yield self.places.mounted(subject, reached, said[0][1])

    def _volumes(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        """Read `volumes: ['source:target']`, also as one text with a volume a line."""
        given = settings(call)
        image = self._image(given.get("image"))
        for key, value in given.items():
            if not _VOLUMES.match(key):
                continue
            for item in self.values.listed(value) or (value,):
                said = self._read(item)
                for text, number in said or ():
                    reached = mounts.short(text.strip())
                    if reached is not None:
                        subject = self._subject(around, name or "volumes", image)
                        yield self.places.mounted(subject, reached, number)
