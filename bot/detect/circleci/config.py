"""A CircleCI configuration -> what its jobs, commands, executors and workflows hand over.

Source: CircleCI documentation, "Configuration reference", "Reusable config reference", and the
reference of version 1 (`circle.yml`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.detect import effort, mounts
from bot.detect.ci.inputs import input_grants
from bot.detect.ci.places import (
    Environment,
    Places,
    Subject,
    Variables,
    address_grants,
    layered,
    substituted,
    tells,
    value_of,
    worth_reading,
)
from bot.detect.grant import Grant, Step
from bot.detect.positioned import Node
from bot.detect.shell import Script, interpret_argv

_PARAMETER = re.compile(r"<<\s*(?:parameters|pipeline\.parameters)\.(?P<name>[\w.-]+)\s*>>")
_OLD_PHASES = ("machine", "checkout", "dependencies", "database", "compile", "test", "deployment")
_DEEPEST = 6
_STEP = 10  # units of effort
_NOT_ORBS = frozenset(
    {"checkout", "setup_remote_docker", "save_cache", "restore_cache", "store_artifacts",
     "store_test_results", "persist_to_workspace", "attach_workspace", "add_ssh_keys",
     "when", "unless", "run", "deploy", "steps"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds for a list of steps."""

    subject: str
    env: Variables
    shell: str = ""
    parameters: Mapping[str, Script] | None = None
    after: tuple[Step, ...] = ()


class Reader:
    """Reads one document: jobs, and what they call as far as their parameters matter."""

    def __init__(self, places: Places, document: Node) -> None:
        self._places = places
        self._document = document
        self._commands = self._named("commands")
        self._executors = self._named("executors")

    def _named(self, kind: str) -> dict[str, Node]:
        """Return the top-level definitions of a kind, and those of inline orbs by full name."""
        found: dict[str, Node] = {}
        own = self._document.get(kind)
        if own is not None:
            found |= {name: value for name, (_, value) in own.entries().items()}
        orbs = self._document.get("orbs")
        for orb, (_, node) in orbs.entries().items() if orbs is not None else ():
            inline = node.get(kind)
            for name, (_, value) in inline.entries().items() if inline is not None else ():
                found[f"{orb}/{name}"] = value
        return found

    def grants(self) -> Iterator[Grant]:
        """Yield what the configuration hands over."""
        defaults = self._parameters(self._document)
        for name, job in self._named("jobs").items():
            yield from self._job(f"job {name}", job, defaults)
        for name, command in self._commands.items():
            parameters = {**defaults, **self._parameters(command)}
            around = _Around(f"command {name}", {}, parameters=parameters)
            yield from self._steps(command.get("steps"), around, 0)
        for name, executor in self._executors.items():
            yield from self._executor(f"executor {name}", executor, {}, defaults)
        yield from self._workflows(defaults)
        yield from self._version_1()

    def _job(self, subject: str, job: Node, defaults: Mapping[str, Script]) -> Iterator[Grant]:
        parameters = {**defaults, **self._parameters(job)}
        env: Environment = {}
        named = job.get("executor")
        if named is not None:
            name = named.text or (inner.text if (inner := named.get("name")) is not None else "")
            executor = self._executors.get(name)
            if executor is not None:
                env |= self._environment(executor, parameters)
        own = self._environment(job, parameters)
        env |= own
        whole = Subject(subject, extent=(job.line, job.last_line))
        yield from address_grants(self._places, whole, own, env)
        yield from self._executor(subject, job, env, parameters, own=False)
        docker = job.get("docker")
        for image in docker.listed()[:1] if docker is not None else ():
            env = self._environment(image, parameters) | env
        shell = job.get("shell")
        around = _Around(subject, env, shell.text if shell is not None else "", parameters)
        yield from self._steps(job.get("steps"), around, 0)

    def _executor(
        self,
        subject: str,
        node: Node,
        env: Variables,
        parameters: Mapping[str, Script],
        *,
        own: bool = True,
    ) -> Iterator[Grant]:
        if own:
            given = self._environment(node, parameters)
            yield from address_grants(self._places, Subject(subject), given, given)
        docker = node.get("docker")
        for index, one in enumerate(docker.listed() if docker is not None else ()):
            image = one.get("image")
            if image is None or image.kind != "scalar":
                continue
            named = mounts.repository(self._read(image, parameters, ()).text)
            shown = subject if index == 0 else f"{subject}, container {named}"
            container = Subject(shown, named, node=one)
            given = self._environment(one, parameters)
            yield from address_grants(self._places, container, given, layered(given, env))
            if "dind" in image.text:
                continue  # its daemon is its own
            words = [
                (script.text, script.lines[0])
                for key in ("entrypoint", "command")
                if (command := one.get(key)) is not None
                for word in command.listed()
                if word.kind == "scalar" and (script := self._read(word, parameters, ())).lines
            ]
            for reach in interpret_argv(words, given):
                yield self._places.grant(container, reach)

    def _steps(self, steps: Node | None, around: _Around, depth: int) -> Iterator[Grant]:
        for number, step in enumerate(steps.listed() if steps is not None else (), 1):
            effort.spend(_STEP)
            if step.kind != "map":
                continue
            for name, (key, value) in step.entries().items():
                if name in {"run", "deploy"}:
                    yield from self._run(value, number, around)
                elif name in {"when", "unless"} and depth < _DEEPEST:
                    yield from self._steps(value.get("steps"), around, depth + 1)
                elif name not in _NOT_ORBS:
                    yield from self._command(name, key, value, number, around, depth)

    def _run(self, run: Node, number: int, around: _Around) -> Iterator[Grant]:
        command = run if run.kind == "scalar" else run.get("command")
        title = run.get("name")
        shown = f'step "{title.text.strip()}"' if title is not None else f"step {number}"
        subject = Subject(f"{around.subject}, {shown}", extent=(run.line, run.last_line))
        own = self._environment(run, around.parameters or {}, around.after)
        env = layered(own, around.env)
        yield from address_grants(self._places, subject, own, env)
        if command is None or command.kind != "scalar":
            return
        shell = run.get("shell")
        name = (shell.text if shell is not None else around.shell).lower()
        if name.startswith(("python", "node", "ruby")):
            return
        windows = "powershell" in name or "pwsh" in name
        if "<<" in command.text or worth_reading(command.text, env):
            script = self._read(command, around.parameters or {}, around.after)
            yield from self._places.ran(subject, script, env, "powershell" if windows else "sh")

    def _command(
        self, name: str, key: Node, value: Node, number: int, around: _Around, depth: int
    ) -> Iterator[Grant]:
        """Yield what a step that calls a command hands over by its parameters.

        What the command does whatever its parameters are is told once, where it is defined.
        """
        given = self._arguments(value, around)
        subject = Subject(f"{around.subject}, step {number}", extent=(key.line, value.last_line))
        command = self._commands.get(name)
        telling = {one: text for one, text in given.items() if tells(text.text)}
        if command is None:
            yield from input_grants(self._places, subject, given, around.env)
            for one in ("steps", "pre-steps", "post-steps"):
                yield from self._steps(value.get(one), around, depth + 1)
            return
        for one, (_, argument) in value.entries().items():
            if argument.kind == "list" and one.endswith("steps") and depth < _DEEPEST:
                yield from self._steps(argument, around, depth + 1)
        if not telling or depth >= _DEEPEST:
            return
        parameters = {**self._parameters(command), **telling}
        after = (Step(self._places.path, key.line), *around.after)
        inside = _Around(subject.name, around.env, around.shell, parameters, after)
        yield from self._by_arguments(
            self._steps(command.get("steps"), inside, depth + 1), telling, subject.name
        )

    def _by_arguments(
        self, grants: Iterator[Grant], telling: Mapping[str, Script], subject: str
    ) -> Iterator[Grant]:
        lines = {self._places.at(line).line for one in telling.values() for line in one.lines}
        for grant in grants:
            line = next((step.line for step in grant.steps if step.line in lines), None)
            if line is not None:
                text = self._places.texts[self._places.path].line(line)
                yield replace(grant, subject=subject, line=line, text=text, extent=(0, 0))

    def _workflows(self, defaults: Mapping[str, Script]) -> Iterator[Grant]:
        """Yield what the jobs of workflows are handed by their parameters and extra steps."""
        workflows = self._document.get("workflows")
        jobs = self._named("jobs")
        for _, workflow in workflows.entries().values() if workflows is not None else ():
            listed = workflow.get("jobs")
            for item in listed.listed() if listed is not None else ():
                for name, (key, value) in item.entries().items():
                    around = _Around(f"job {name}", {}, parameters=defaults)
                    for one in ("pre-steps", "post-steps"):
                        yield from self._steps(value.get(one), around, 1)
                    given = self._arguments(value, around)
                    telling = {one: text for one, text in given.items() if tells(text.text)}
                    job = jobs.get(name)
                    if job is None:
                        yield from input_grants(self._places, Subject(f"job {name}"), given, {})
                    elif telling:
                        parameters = {**self._parameters(job), **telling}
                        after = (Step(self._places.path, key.line),)
                        inside = _Around(f"job {name}", {}, "", parameters, after)
                        yield from self._by_arguments(
                            self._steps(job.get("steps"), inside, 1), telling, f"job {name}"
                        )

    def _version_1(self) -> Iterator[Grant]:
        """Yield what the phases of a circle.yml (version 1) hand over."""
        machine = self._document.get("machine")
        env = self._environment(machine, {}) if machine is not None else {}
        yield from address_grants(self._places, Subject("machine"), env, env)
        for phase in _OLD_PHASES:
            node = self._document.get(phase)
            for name, (_, commands) in node.entries().items() if node is not None else ():
                if name in {"pre", "override", "post"}:
                    yield from self._old_commands(commands, f"{phase}, {name}", env)
                elif phase == "deployment":
                    yield from self._old_commands(
                        commands.get("commands"), f"deployment {name}", env
                    )

    def _old_commands(self, node: Node | None, subject: str, env: Variables) -> Iterator[Grant]:
        for command in node.listed() if node is not None else ():
            # A command with modifiers is a mapping whose key is the command.
            scalars = [command] if command.kind == "scalar" else [key for key, _ in command.pairs]
            for scalar in scalars:
                if scalar.kind == "scalar":
                    yield from self._places.ran(Subject(subject), self._places.script(scalar), env)

    def _arguments(self, node: Node, around: _Around) -> dict[str, Script]:
        return {
            name: self._read(value, around.parameters or {}, around.after)
            for name, (_, value) in node.entries().items()
            if value.kind == "scalar"
        }

    def _parameters(self, node: Node) -> dict[str, Script]:
        """Return the defaults of a definition's parameters."""
        parameters = node.get("parameters")
        found: dict[str, Script] = {}
        for name, (_, value) in parameters.entries().items() if parameters is not None else ():
            default = value.get("default")
            if default is not None and default.kind == "scalar":
                found[name] = self._places.script(default)
        return found

    def _environment(
        self, node: Node, parameters: Mapping[str, Script], after: tuple[Step, ...] = ()
    ) -> Environment:
        """Return `environment`: a mapping, or a list of mappings or of NAME=value."""
        given = node.get("environment")
        found: Environment = {}
        for one in given.listed() if given is not None else ():
            if one.kind == "scalar":
                name, equals, _ = one.text.partition("=")
                if equals:
                    value = value_of(self._read(one, parameters, after), one)
                    found[name.strip()] = replace(value, text=value.text.partition("=")[2])
                continue
            for name, (_, scalar) in one.entries().items():
                if scalar.kind == "scalar":
                    found[name] = value_of(self._read(scalar, parameters, after), scalar)
        return found

    def _read(
        self, node: Node, parameters: Mapping[str, Script], after: tuple[Step, ...]
    ) -> Script:
        script = self._places.script(node, after=after)
        if "<<" not in script.text:
            return script

        def pieces(text: str) -> Iterator[tuple[int, int, Script]]:
            for match in _PARAMETER.finditer(text):
                if (value := parameters.get(match["name"])) is not None:
                    yield match.start(), match.end(), value

        return substituted(script, pieces, self._places)
