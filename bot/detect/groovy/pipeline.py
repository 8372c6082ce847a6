"""What the steps of a Jenkins pipeline hand over.

Sources: Jenkins' "Pipeline Syntax" and "Using Docker with Pipeline", the documentation of the
Docker Pipeline plugin (`docker.image(…).inside`, `withServer`) and of the Kubernetes plugin
(`podTemplate`, `hostPathVolume`).
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

from bot.detect import mounts, sockets
from bot.detect.ci.places import Places, Subject, address_grants
from bot.detect.grant import Grant, How, Severity
from bot.detect.groovy.reader import read
from bot.detect.groovy.tree import (
    Argument,
    Assignment,
    Block,
    Call,
    Expression,
    Literal,
    Mapping,
    Member,
    dotted,
)
from bot.detect.groovy.values import Said, Values, bare, plain, text_of
from bot.detect.groovy.walk import (
    Around,
    assigned_list,
    environment_of,
    name_of,
    settings,
    variable,
    walk,
)
from bot.detect.lines import Text
from bot.detect.pods import embedded, pod_grants
from bot.detect.shell import Reach, Value, docker_options, interpret, interpret_argv
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
_MOST_GRANTS = 2_000
_MOST_PODS = 200
_TRIPLE = ("'''", '"""')
_POD = re.compile(r"^[ \t-]*(?:containers|volumes|hostPath|initContainers)[ \t]*:", re.MULTILINE)
_ENDPOINT = re.compile(r"(?:unix|tcp|npipe|ssh)://\S+\Z")
_DOCKER = re.compile(r"docker|podman", re.IGNORECASE)
_HOST_PATH = re.compile(r"host_?path|filesystem_?bind", re.IGNORECASE)
_VOLUMES = re.compile(r"\A(?:docker)?(?:volumes?|mounts?|binds?)(?:String)?\Z", re.IGNORECASE)
_OPTIONS = re.compile(
    r"(?:\A|\s)-(?:v|-volume|-mount|e|-env|H|-host|-use-api-socket)(?:[\s=/$]|\Z)"
)
_COMMAND = re.compile(
    r"\b(?:docker|podman|nerdctl)\s+[a-z-]|\bdockerd\s+-|\bsocat\s|--unix-socket\b|\bchmod\s"
)


class Pipeline:
    """One Groovy text."""

    def __init__(self, path: str, text: Text) -> None:
        self.path = path
        self.text = text
        self.places = Places(path, text)
        self._everything, self.read_to = read(text.content)
        self.values = Values(self.places, text, self._everything)
        self._read_lines: set[int] = set()
        self._pods_left = _MOST_PODS

    def grants(self) -> Iterator[Grant]:
        """Yield what it hands over, the same of one line once."""
        left: list[tuple[Literal, Around]] = []
        known: set[tuple[int, str, str, str | None]] = set()
        for count, grant in enumerate(chain(self._known(left), self._rests(left))):
            self._read_lines.update(step.line for step in grant.steps)
            key = (grant.line, grant.resource, grant.subject, grant.image)
            if key not in known:
                known.add(key)
                yield grant
            if count >= _MOST_GRANTS:
                self.read_to = min(self.read_to, self.text.starts[grant.line - 1])
                return

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
        yield from self._environment_step(call, around, name)
        yield from self._host_path(call.arguments, call, around)
        yield from self._volumes(call, around, name)

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

    def _container_template(self, call: Call, around: Around) -> Iterator[Grant]:
        given = settings(call)
        command, arguments = self._read(given.get("command")), self._read(given.get("args"))
        name = text_of(self.values.said(given.get("name"))) or "containerTemplate"
        subject = self._subject(around, f"container {name}", self._image(given.get("image")))
        words = (*(command or ()), *(((" ", arguments[0][1]), *arguments) if arguments else ()))
        if words:
            yield from self._grants(subject, interpret(self.values.script(words), around.env))

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
        name = bare(one.target)
        if one.target.startswith("env.") and (value := variable(one, self.values)):
            yield from self._addresses({name: value}, around, "environment")

    def _environment_step(self, call: Call, around: Around, name: str) -> Iterator[Grant]:
        """Read `envVar(key: 'DOCKER_HOST', value: …)` and `.withEnvVar('DOCKER_HOST', …)`."""
        if not name.lower().endswith("envvar"):
            return
        given = settings(call)
        positional = [one.value for one in call.arguments if not one.name]
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
            pod = "podTemplate" if "podTemplate" in around.blocks or around.call else "pod"
            subject = self._subject(around, pod)
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
