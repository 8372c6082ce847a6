"""A workflow or an action file -> what its jobs, containers, services and steps hand over."""

from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from posixpath import normpath

from bot.detect import effort, mounts
from bot.detect.ci.containers import Container, container_grants
from bot.detect.ci.inputs import input_grants
from bot.detect.ci.places import Places, Subject, address_grants, layered, tells
from bot.detect.github.expressions import Scope, environment, matrix_mappings, variants
from bot.detect.github.steps import (
    GIVEN,
    Surroundings,
    exported,
    handed_on,
    step_grants,
    step_inputs,
    step_subject,
)
from bot.detect.grant import Grant, Step
from bot.detect.lines import Text, decode
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value, interpret_argv
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_DEEPEST_CALL = 4
_CALL = 2_000  # units of effort


class Reader:
    """Reads one file and, for the inputs it passes on, the local files that it calls."""

    def __init__(self, places: Places, source: Source) -> None:
        self._places = places
        self._source = source
        self._documents: dict[str, Node | None] = {}

    def grants(self, document: Node) -> Iterator[Grant]:
        """Yield what a workflow or an action file hands over by itself."""
        scope = Scope(self._places, self._places.path, inputs=_defaults(document, self._places))
        yield from self._file(document, scope, "", 0)

    def _file(self, document: Node, scope: Scope, subject: str, depth: int) -> Iterator[Grant]:
        jobs = document.get("jobs")
        if jobs is not None and jobs.kind == "map":
            yield from self._workflow(document, jobs, scope, subject, depth)
        runs = document.get("runs")
        if runs is not None and runs.kind == "map":
            yield from self._action(runs, scope, subject, depth)

    def _workflow(
        self, document: Node, jobs: Node, scope: Scope, subject: str, depth: int
    ) -> Iterator[Grant]:
        own = environment(document.get("env"), scope)
        yield from address_grants(self._places, Subject(subject or "workflow"), own, own)
        shell = _default_shell(document)
        for name, (key, job) in jobs.entries().items():
            if job.kind != "map":
                continue
            seen: set[tuple[object, ...]] = set()
            for matrix in variants(job.get("strategy"), scope):
                inside = replace(scope, env=layered(own, scope.env), matrix=matrix)
                called = subject or f"job {name}"
                for grant in self._job(job, key, inside, called, shell, depth):
                    identity = (grant.line, grant.subject, grant.image, grant.resource, grant.how)
                    if identity not in seen:
                        seen.add(identity)
                        yield grant

    def _job(
        self, job: Node, key: Node, scope: Scope, subject: str, shell: str, depth: int
    ) -> Iterator[Grant]:
        own = environment(job.get("env"), scope)
        env = layered(own, scope.env)
        whole = Subject(subject, extent=(key.line, job.last_line), node=job)
        yield from address_grants(self._places, whole, own, env)
        scope = replace(scope, env=env)
        platform = _platform(job)
        path = self._places.path
        if ".gitea/" in f"/{path}" and job.get("runs-on") is not None:
            line = self._places.here(job.key("runs-on") or key, scope.path, scope.after)
            yield replace(self._places.mounted(whole, GIVEN, line), implicit=True)
        container = job.get("container")
        if container is not None:
            own_subject = Subject(f"{subject}, container")
            for one in (container, *matrix_mappings(job.get("strategy"), container)):
                yield from self._container(one, scope, own_subject, platform == "linux")
        services = job.get("services")
        if services is not None and services.kind == "map":
            for name, (_, service) in services.entries().items():
                own_subject = Subject(f"{subject}, service {name}")
                yield from self._container(service, scope, own_subject, given=False)
        around = Surroundings(scope, subject, _default_shell(job) or shell, platform)
        yield from self._steps(job.get("steps"), around, depth)
        uses = job.get("uses")
        if uses is not None and uses.kind == "scalar":
            yield from self._call(uses, step_inputs(job, scope), scope, subject, depth)

    def _container(
        self,
        node: Node,
        scope: Scope,
        subject: Subject,
        given: bool,  # noqa: FBT001
    ) -> Iterator[Grant]:
        image = node if node.kind == "scalar" else node.get("image")
        if image is None or image.kind != "scalar":
            return
        named = scope.read(image).text.strip()
        if not named:
            return
        subject = replace(subject, image=mounts.repository(named), node=node)
        if given:
            line = self._places.here(image, scope.path, scope.after)
            yield replace(self._places.mounted(subject, GIVEN, line), implicit=True)
        if node.kind != "map":
            return
        volumes, options = node.get("volumes"), node.get("options")
        container = Container(
            tuple(scope.read(one) for one in volumes.listed() if one.kind == "scalar")
            if volumes is not None
            else (),
            scope.read(options) if options is not None and options.kind == "scalar" else None,
            environment(node.get("env"), scope),
        )
        yield from container_grants(self._places, subject, container)
        if "dind" in named:
            return  # its daemon is its own
        words = [
            scope.read(one).text
            for name in ("entrypoint", "command")
            if (one := node.get(name)) is not None and one.kind == "scalar"
        ]
        command = node.get("command") or node.get("entrypoint")
        if words and command is not None:
            line = self._places.here(command, scope.path, scope.after)
            script = Script.flat(" ".join(words).replace("\n", " "), line)
            yield from self._places.ran(subject, script, {})

    def _steps(self, steps: Node | None, around: Surroundings, depth: int) -> Iterator[Grant]:
        if steps is None:
            return
        written: dict[str, Value] = {}  # to $GITHUB_ENV
        outputs: dict[str, Value] = {}  # to $GITHUB_OUTPUT
        known = ChainMap(written, dict(around.scope.env))
        scope = replace(around.scope, env=known, outputs=outputs)
        around = replace(around, scope=scope)
        for number, step in enumerate(steps.listed(), 1):
            if step.kind != "map":
                continue
            yield from step_grants(step, number, around)
            uses = step.get("uses")
            if uses is not None and uses.kind == "scalar" and uses.text.startswith("./"):
                own = environment(step.get("env"), around.scope)
                scope = replace(around.scope, env=layered(own, around.scope.env))
                subject = step_subject(around.subject, step, number)
                yield from self._call(uses, step_inputs(step, scope), scope, subject, depth)
            written |= exported(step, around.scope)
            outputs |= handed_on(step, around.scope)

    def _action(self, runs: Node, scope: Scope, subject: str, depth: int) -> Iterator[Grant]:
        using = runs.get("using")
        if using is not None and using.text.strip().lower() == "docker":
            yield from self._docker_action(runs, scope, subject)
        yield from self._steps(runs.get("steps"), Surroundings(scope, subject), depth)

    def _docker_action(self, runs: Node, scope: Scope, subject: str) -> Iterator[Grant]:
        image = runs.get("image")
        named = scope.read(image).text.strip() if image is not None and not image.items else ""
        repository = mounts.repository(named) if named.startswith("docker://") else None
        own = Subject(subject or "action", repository, node=runs)
        line = self._places.here(image or runs, scope.path, scope.after)
        yield replace(self._places.mounted(own, GIVEN, line), implicit=True)
        env = environment(runs.get("env"), scope)
        yield from address_grants(self._places, own, env, env)
        words = [
            (script.text.strip(), script.lines[0])
            for name in ("entrypoint", "args")
            if (node := runs.get(name)) is not None
            for one in node.listed()
            if one.kind == "scalar" and (script := scope.read(one)).lines
        ]
        for reach in interpret_argv(words, env):
            yield self._places.grant(own, reach)

    def _call(
        self, uses: Node, inputs: Mapping[str, Script], scope: Scope, subject: str, depth: int
    ) -> Iterator[Grant]:
        """Yield what a local action or workflow does with inputs that name a daemon.

        What the called file hands over by itself is a grant of that file, and not told again here.
        """
        telling = {name: value for name, value in inputs.items() if tells(value.text)}
        if depth >= _DEEPEST_CALL:
            return
        found = ((path, self._document(path)) for path in called_files(uses.text))
        path, document = next(((p, one) for p, one in found if one is not None), ("", None))
        if document is None or _opaque(document):
            yield from input_grants(self._places, Subject(subject), inputs, scope.env)
            return
        if not telling:
            return
        effort.spend(_CALL)
        after = (Step(scope.path, uses.line), *scope.after)
        given = _defaults(document, self._places, path, after) | telling
        inside = Scope(self._places, path, after, scope.env, inputs=given)
        for grant in self._file(document, inside, subject, depth + 1):
            yield from self._at_caller(grant, telling, scope.path, subject)

    def _at_caller(
        self, grant: Grant, telling: Mapping[str, Script], caller: str, subject: str
    ) -> Iterator[Grant]:
        lines = {self._places.at(number).line for one in telling.values() for number in one.lines}
        found = [step.line for step in grant.steps if step.path == caller and step.line in lines]
        if found and caller != self._places.path:
            yield grant
        elif found:
            text = self._places.texts[caller].line(found[0])
            yield replace(grant, subject=subject, line=found[0], text=text, extent=(0, 0))

    def _document(self, path: str) -> Node | None:
        if path not in self._documents:
            data = self._source.read(path)
            content = decode(data) if data is not None else None
            tree = read_yaml(Text(content)) if content is not None else None
            self._documents[path] = tree.documents[0] if tree and tree.documents else None
        return self._documents[path]


def called_files(uses: str) -> tuple[str, ...]:
    """Return the files of the same repository that `uses: ./…` may name."""
    name = uses.strip()
    if not name.startswith("./"):
        return ()
    path = normpath(name.removeprefix("./"))
    if path.startswith(".."):
        return ()
    if path.endswith((".yml", ".yaml")):
        return (path,)
    folder = "" if path == "." else f"{path}/"
    return (f"{folder}action.yml", f"{folder}action.yaml")


def _defaults(
    document: Node, places: Places, path: str | None = None, after: tuple[Step, ...] = ()
) -> dict[str, Script]:
    """Return the defaults of a file's inputs."""
    found: dict[str, Script] = {}
    for way in (
        ("inputs",),
        ("on", "workflow_call", "inputs"),
        ("on", "workflow_dispatch", "inputs"),
    ):
        inputs = document.get(*way)
        if inputs is None or inputs.kind != "map":
            continue
        for name, (_, value) in inputs.entries().items():
            default = value.get("default")
            if default is not None and default.kind == "scalar" and not default.null:
                found[name] = places.script(default, path, after)
    return found


def _opaque(document: Node) -> bool:
    """Tell whether a file is an action whose code is no workflow: JavaScript, an image."""
    runs = document.get("runs")
    return runs is not None and runs.get("steps") is None


def _default_shell(node: Node) -> str:
    shell = node.get("defaults", "run", "shell")
    return shell.text if shell is not None and shell.kind == "scalar" else ""


def _platform(job: Node) -> str:
    """Return the platform that `runs-on` names, "linux" where it does not say."""
    runs_on = job.get("runs-on")
    labels = " ".join(one.text.lower() for one in runs_on.scalars()) if runs_on else ""
    for platform in ("windows", "macos"):
        if platform in labels:
            return platform
    return "linux"
