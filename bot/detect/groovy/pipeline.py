"""What the steps of a Jenkins pipeline hand over.

Sources: Jenkins' "Pipeline Syntax" and "Using Docker with Pipeline", the documentation of the
Docker Pipeline plugin (`docker.image(…).inside`, `withServer`) and of the Kubernetes plugin
(`podTemplate`, `hostPathVolume`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from bot.detect import effort, mounts, sockets
from bot.detect.ci.places import Subject
from bot.detect.grant import Grant, How, Severity
from bot.detect.groovy.readings import Readings
from bot.detect.groovy.tree import (
    Assignment,
    Block,
    Call,
    Literal,
    Mapping,
    Member,
)
from bot.detect.groovy.values import plain, text_of
from bot.detect.groovy.walk import (
    Around,
    assigned_list,
    name_of,
    settings,
    walk,
)
from bot.detect.lines import Text
from bot.detect.pods import embedded, pod_grants
from bot.detect.shell import Reach, docker_options, interpret, interpret_argv
from bot.detect.sockets import Target

_SHELLS = {
    "sh": "sh", "bash": "sh", "shell": "sh", "sshCommand": "sh", "execute": "sh",
    "bat": "cmd", "batchFile": "cmd", "powershell": "powershell", "pwsh": "powershell",
    "powerShell": "powershell",
}  # fmt: skip
_STARTERS = frozenset({"inside", "run", "withRun", "withDockerContainer", "withDocker"})
_AGENTS = frozenset(
    {"docker", "dockerfile", "dockerContainer", "withDockerContainer", "dockerNode",
     "dockerTemplate"}
)  # fmt: skip
_VARIABLES = (", environment", ", withEnv", "nvVar")  # subjects that only name a daemon
_MOST_GRANTS = 2_000
_MOST_PODS = 200
_TRIPLE = ("'''", '"""')
_POD = re.compile(r"^[ \t-]*(?:containers|volumes|hostPath|initContainers)[ \t]*:", re.MULTILINE)
_ENDPOINT = re.compile(r"(?:unix|tcp|npipe|ssh)://\S+\Z")
_DOCKER = re.compile(r"docker|podman", re.IGNORECASE)
_OPTIONS = re.compile(
    r"(?:\A|\s)-(?:v|-volume|-mount|e|-env|H|-host|-use-api-socket)(?:[\s=/$]|\Z)"
)
_COMMAND = re.compile(
    r"\b(?:docker|podman|nerdctl)\s+[a-z-]|\bdockerd\s+-|\bsocat\s|--unix-socket\b|\bchmod\s"
)


class Pipeline(Readings):
    """One Groovy text."""

    def __init__(self, path: str, text: Text) -> None:
        super().__init__(path, text)
        self._pods_left = _MOST_PODS

    def grants(self) -> Iterator[Grant]:
        """Yield what it hands over, the same of one line once."""
        left: list[tuple[Literal, Around]] = []
        known: set[tuple[int, str, str, str | None]] = set()
        local: list[Grant] = []
        mounted: set[str] = set()
        for count, grant in enumerate(chain(self._known(left), self._rests(left))):
            self._read_lines.update(step.line for step in grant.steps)
            key = (grant.line, grant.resource, grant.subject, grant.image)
            if grant.subject.endswith(_VARIABLES) and "://" not in grant.resource:
                local.append(grant)
            elif key not in known:
                known.add(key)
                mounted.add(grant.resource)
                yield grant
            if count >= _MOST_GRANTS:
                effort.skip()
                self.read_to = min(self.read_to, self.text.starts[grant.line - 1])
                break
        # A variable that names the usual socket says nothing new where that is mounted anyway.
        yield from (grant for grant in local if grant.resource not in mounted)

    def _rests(self, left: list[tuple[Literal, Around]]) -> Iterator[Grant]:
        for literal, around in left:
            yield from self._rest(literal, around)

    def _known(self, left: list[tuple[Literal, Around]]) -> Iterator[Grant]:
        """Yield what the known steps hand over; the other strings are put into `left`."""
        for one, around in walk(self._everything, self.values):
            if isinstance(one, Literal):
                if _holds_pod(one) and self._pods_left:
                    self._pods_left -= 1
                    yield from self._pod(one, around)
                elif not around.talk:
                    left.append((one, around))
            elif isinstance(one, Call):
                yield from self._call(one, around)
            elif isinstance(one, Mapping):
                yield from self._host_path(one.entries, one, around)
                yield from self._environment_entry(one.entries, around, "envVar")
            elif isinstance(one, Assignment):
                yield from self._assignment(one, around)
            elif isinstance(one, Block):
                yield from self._environment(one, around)

    def _pod(self, literal: Literal, around: Around) -> Iterator[Grant]:
        """Read the definition of a pod that is written as a string."""
        width = 3 if self.text.content.startswith(_TRIPLE, literal.start) else 1
        start, end = literal.start + width, literal.end - width
        for document in embedded(self.text, start, end):
            yield from pod_grants(self.places, around.where, document)

    def _call(self, call: Call, around: Around) -> Iterator[Grant]:
        name = name_of(call)
        if name in _SHELLS:
            yield from self._shell(call, around, name)
        if name in _AGENTS:
            yield from self._agent(call, around, name)
        elif name in _STARTERS and isinstance(call.callee, Member):
            yield from self._started(call, around, name)
        elif name == "containerTemplate":
            yield from self._container_template(call, around)
        if name in {"withServer", "withDockerServer"}:
            yield from self._server(call, around, name)
        if name == "withEnv" and call.arguments:
            env = assigned_list(call.arguments[0].value, self.values)
            yield from self._addresses(env, around, "withEnv")
        if name.lower().endswith("envvar"):
            yield from self._environment_entry(call.arguments, around, name)
        yield from self._host_path(call.arguments, call, around)
        yield from self._volumes(call, around, name)

    def _shell(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        given = settings(call)
        first = next((one.value for one in call.arguments if not one.name), None)
        script = given.get("script") or given.get("command") or first
        if name == "execute" and isinstance(call.callee, Member):
            script = call.callee.of
        subject = self._subject(around, "sh" if name == "execute" else name)
        if words := self.values.listed(script):
            argv = [(text_of(said), said[0][1]) for one in words if (said := self._read(one))]
            yield from self._grants(subject, interpret_argv(argv, around.env))
            return
        said = self._read(script)
        if said:
            dialect = _SHELLS[name]
            shell = self.values.script(said)
            if dialect == "powershell":
                reaches = interpret(shell, around.env, dialect="powershell")
            elif dialect == "cmd":
                reaches = interpret(shell, around.env, dialect="cmd")
            else:
                reaches = interpret(shell, around.env)
            yield from self._grants(subject, reaches)

    def _agent(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        """Read `docker { image 'x'; args '-v …' }` and its relatives."""
        given = settings(call)
        first = next((one.value for one in call.arguments if not one.name), None)
        image = self._image(given.get("image") or first)
        in_agent = around.blocks[-1:] == ("agent",)
        subject = self._subject(around, "agent" if in_agent else name, image)
        explicit = False
        for key in ("args", "dockerArgs", "runArgs", "additionalBuildArgs"):
            said = self._read(given.get(key))
            if said:
                options = docker_options(self.values.script(said), image, around.env)
                for grant in self._grants(subject, options, call):
                    explicit = True
                    yield grant
        host = self._read(given.get("dockerHost"))
        if host:
            yield from self._address(text_of(host), host[0][1], subject)
        if in_agent and not explicit:
            yield self._inherited(subject, call)

    def _started(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        """Read `docker.image('x').inside('-v …') { }` and its relatives."""
        receiver = call.callee.of if isinstance(call.callee, Member) else None
        image = self._image(receiver)
        positional = [one.value for one in call.arguments if not one.name]
        said = self._read(positional[0]) if positional else None
        if said is None and image is None:
            return
        subject = self._subject(around, name, image)
        explicit = False
        if said and _OPTIONS.search(text_of(said)):
            options = docker_options(self.values.script(said), image, around.env)
            for grant in self._grants(subject, options, call):
                explicit = True
                yield grant
        if name == "inside" and not explicit:
            yield self._inherited(subject, call)

    def _inherited(self, subject: Subject, call: Call) -> Grant:
        """Return what the container takes over from an agent that runs in a container itself.

        The Docker Pipeline plugin passes `--volumes-from` of such an agent.
        """
        number = self.values.place(call.start)
        target = Target("docker", How.PLATFORM, Severity.CRITICAL)
        return replace(self.places.mounted(subject, target, number), implicit=True)

    def _container_template(self, call: Call, around: Around) -> Iterator[Grant]:
        given = settings(call)
        command, arguments = self._read(given.get("command")), self._read(given.get("args"))
        name = text_of(self.values.said(given.get("name"))) or "containerTemplate"
        subject = self._subject(around, f"container {name}", self._image(given.get("image")))
        words = (*(command or ()), *(((" ", arguments[0][1]), *arguments) if arguments else ()))
        if words:
            yield from self._grants(subject, interpret(self.values.script(words), around.env))

    def _rest(self, literal: Literal, around: Around) -> Iterator[Grant]:
        """Read a string that no known step takes: options or a command kept for another step."""
        telling = any(
            self._names_daemon(piece.text) and self.values.line(piece.start) not in self._read_lines
            for piece in literal.pieces
        )
        said = self.values.said(literal) if telling else None
        if not said:
            return
        whole = text_of(said)
        subject = self._subject(around, name_of(around.call) if around.call else "variable")
        script = self.values.script(said)
        found: tuple[Reach, ...] = ()
        if _COMMAND.search(whole):
            found = interpret(script, around.env)
        elif _OPTIONS.search(whole):
            found = docker_options(script, None, around.env)
        elif (reached := mounts.short(whole)) is not None:
            yield self.places.mounted(subject, reached, said[0][1])
        elif _ENDPOINT.match(whole) and around.call and _DOCKER.search(name_of(around.call)):
            yield from self._address(whole, said[0][1], subject)
        yield from self._grants(subject, found)

    @staticmethod
    def _names_daemon(text: str) -> bool:
        return bool(
            sockets.mentions(text)
            or _OPTIONS.search(text)
            or _COMMAND.search(text)
            or _ENDPOINT.match(text)
        )


def _holds_pod(literal: Literal) -> bool:
    """Tell whether a string of several lines is the definition of a pod, or a part of one."""
    return len(literal.pieces) > 2 and bool(_POD.search(plain(literal)))
