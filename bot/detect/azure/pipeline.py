"""An Azure pipeline or template -> what its containers, jobs and steps hand over.

Source: Azure Pipelines YAML schema (`resources.containers`, `jobs.job.container`, `services`,
`target`), and the agent's `mapDockerSocket`: on Linux a job's container gets the agent's socket
where the option is true, and by default on agents before the change of that default.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from posixpath import dirname, normpath

from bot.detect import effort, mounts
from bot.detect.azure.steps import step_grants, step_subject
from bot.detect.azure.values import Scope, as_environment, entries, get, items
from bot.detect.ci.containers import Container, container_grants, lines_of
from bot.detect.ci.places import Environment, Places, Subject, address_grants, layered, tells
from bot.detect.grant import Grant, How, Severity, Step
from bot.detect.lines import Text, decode
from bot.detect.positioned import Node
from bot.detect.shell import Script
from bot.detect.sockets import Target
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_SWITCHED = Target("docker", How.SWITCH, Severity.CRITICAL)
_GIVEN = Target("docker", How.PLATFORM, Severity.CRITICAL)
_DEEPEST = 5
_CALL = 2_000  # units of effort
_WHOLE = "pipeline"
_HOOKS = ("preDeploy", "deploy", "routeTraffic", "postRouteTraffic")


@dataclass(frozen=True, slots=True)
class _Around:
    """What holds at one level of the file."""

    scope: Scope
    subject: str = ""  # "stage x", "job y"
    platform: str = ""  # what `pool` names
    containers: Mapping[str, Node] = field(default_factory=dict)

    def within(self, variables: Environment) -> "_Around":
        """Return the same with further variables."""
        if not variables:
            return self
        scope = self.scope
        lower = {name.lower(): value for name, value in variables.items()}
        env = layered(as_environment(variables), scope.env)
        known = layered(lower, scope.variables)
        return replace(self, scope=replace(scope, variables=known, env=env))


class Reader:
    """Reads one file and, for the parameters it passes on, the templates that it uses."""

    def __init__(self, places: Places, source: Source) -> None:
        self._places = places
        self._source = source
        self._documents: dict[str, Node | None] = {}

    def grants(self, document: Node) -> Iterator[Grant]:
        """Yield what a pipeline or a template hands over by itself."""
        scope = Scope(self._places, self._places.path)
        scope = replace(scope, parameters=_defaults(document, scope))
        yield from self._file(document, _Around(scope), 0)

    def _file(self, document: Node, around: _Around, depth: int) -> Iterator[Grant]:
        around = replace(around, containers=_resources(document))
        for name, container in around.containers.items():
            yield from self._container(container, around, f"container {name}", job=False)
        yield from self._level(document, around, _WHOLE, depth)

    def _level(self, node: Node, around: _Around, subject: str, depth: int) -> Iterator[Grant]:
        """Yield what a pipeline, a stage, a job or the parameters of a template hand over."""
        variables = self._variables(get(node, "variables"), around.scope)
        inside = around.within(variables)
        whole = Subject(subject, extent=(node.line, node.last_line))
        own = as_environment(variables)
        yield from address_grants(self._places, whole, own, inside.scope.env)
        inside = replace(inside, platform=_platform(get(node, "pool")) or around.platform)
        for stage in items(get(node, "stages")):
            yield from self._stage(stage, inside, depth)
        for number, job in enumerate(items(get(node, "jobs")), 1):
            yield from self._job(job, inside, number, depth)
        yield from self._steps(get(node, "steps"), inside, depth)
        if subject == _WHOLE:  # its only job, which needs no key of its own
            yield from self._containers(node, inside, subject)
        extends = get(node, "extends")
        if extends is not None:
            yield from self._template(extends, inside, depth)

    def _containers(self, job: Node, around: _Around, subject: str) -> Iterator[Grant]:
        """Yield what a job's container and its services hand over."""
        container = get(job, "container")
        if container is not None:
            yield from self._used(container, around, f"{subject}, container", job=True)
        for service, (_, node) in entries(get(job, "services")):
            yield from self._used(node, around, f"{subject}, service {service}", job=False)

    def _stage(self, stage: Node, around: _Around, depth: int) -> Iterator[Grant]:
        if stage.get("template") is not None:
            yield from self._template(stage, around, depth)
            return
        name = stage.get("stage") or stage.get("displayName")
        shown = f"stage {name.text.strip()}" if name is not None and name.text else "stage"
        yield from self._level(stage, replace(around, subject=shown), shown, depth)

    def _job(self, job: Node, around: _Around, number: int, depth: int) -> Iterator[Grant]:
        if job.get("template") is not None:
            yield from self._template(job, around, depth)
            return
        named = [job.get(key) for key in ("job", "deployment", "displayName")]
        name = next((one.text.strip() for one in named if one is not None and one.text), "")
        parent = f"{around.subject}, " if around.subject and not name else ""
        shown = f"job {name}" if name else f"{parent}job {number}"
        inside = replace(around, subject=shown)
        matrix = _matrix(job, inside.scope)
        yield from address_grants(self._places, Subject(shown), matrix, matrix)
        inside = inside.within(matrix)
        yield from self._level(job, inside, shown, depth)
        inside = inside.within(self._variables(get(job, "variables"), inside.scope))
        inside = replace(inside, platform=_platform(get(job, "pool")) or around.platform)
        yield from self._containers(job, inside, shown)
        for _, (_, strategy) in entries(get(job, "strategy")):
            for hook in _HOOKS:
                below = strategy.get(hook)
                if below is not None:
                    yield from self._steps(below.get("steps"), inside, depth)
            for _, (_, outcome) in entries(strategy.get("on")):
                yield from self._steps(outcome.get("steps"), inside, depth)

    def _steps(self, steps: Node | None, around: _Around, depth: int) -> Iterator[Grant]:
        for number, step in enumerate(items(steps), 1):
            if step.get("template") is not None:
                yield from self._template(step, around, depth)
                continue
            subject = step_subject(around.subject, step, number)
            yield from step_grants(step, subject, around.scope, around.platform)
            target = step.get("target")
            named = target.get("container") if target is not None else None
            reference = named or target
            if reference is not None and reference.text.strip() not in {"", "host"}:
                yield from self._used(reference, around, f"{subject}, container", job=True)

    def _used(self, node: Node, around: _Around, subject: str, *, job: bool) -> Iterator[Grant]:
        """Yield what a container hands to whoever uses it, by name or where it is defined."""
        if node.kind == "map":
            yield from self._container(node, around, subject, job=job)
            return
        named = around.scope.read(node).text.strip()
        known = around.containers.get(named)
        if known is None:
            if job and named and around.platform != "windows":
                own = Subject(subject, mounts.repository(named))
                grant = self._places.mounted(own, _GIVEN, around.scope.here(node))
                yield replace(grant, implicit=True)
            return
        after = (Step(around.scope.path, node.line), *around.scope.after)
        inside = replace(around, scope=replace(around.scope, after=after))
        yield from self._container(known, inside, subject, job=job)

    def _container(
        self, node: Node, around: _Around, subject: str, *, job: bool
    ) -> Iterator[Grant]:
        scope = around.scope
        image = node.get("image")
        named = scope.read(image).text if image is not None and image.kind == "scalar" else ""
        image_name = mounts.repository(named) or None
        own = Subject(subject, image_name, node=node, naming=frozenset({"container"}))
        switch = node.get("mapDockerSocket")
        # `$(x)` and `${{ x }}` are read, so that a parameter's default counts.
        told = scope.read(switch).text.strip().lower() if switch is not None else ""
        if switch is not None and told in {"true", "yes", "1"}:
            yield self._places.mounted(own, _SWITCHED, scope.here(switch))
        elif told not in {"false", "no", "0"} and job and around.platform != "windows":
            grant = self._places.mounted(own, _GIVEN, scope.here(image or node))
            yield replace(grant, implicit=True)
        volumes, options = node.get("volumes"), node.get("options")
        container = Container(
            tuple(
                line
                for one in (volumes.listed() if volumes is not None else ())
                if one.kind == "scalar"
                for line in lines_of(scope.read(one))
            ),
            scope.read(options) if options is not None and options.kind == "scalar" else None,
            scope.environment(node.get("env")),
        )
        yield from container_grants(self._places, own, container)

    def _variables(self, node: Node | None, scope: Scope) -> Environment:
        """Return what `variables:` defines, with the templates of variables it names."""
        found: Environment = {}
        for item in items(node) if node is not None and node.kind == "list" else ():
            template = item.get("template")
            for path in _files(template, scope.path) if template is not None else ():
                document = self._document(path)
                if document is None or template is None:
                    continue
                after = (Step(scope.path, template.line), *scope.after)
                inside = Scope(self._places, path, after)
                found |= inside.defined(document.get("variables"))
        return found | scope.defined(node)

    def _template(self, node: Node, around: _Around, depth: int) -> Iterator[Grant]:
        """Yield what a template does with parameters that name a daemon.

        Steps and jobs given as parameters stand in this file and are read here. What the template
        hands over whatever it is given is a grant of its own file.
        """
        given = node.get("parameters")
        for name, (_, value) in entries(given):
            if value.kind != "list":
                continue
            lowered = name.lower()
            if "step" in lowered:
                yield from self._steps(value, around, depth)
            elif "job" in lowered:
                for number, job in enumerate(items(value), 1):
                    yield from self._job(job, around, number, depth)
            elif "stage" in lowered:
                for stage in items(value):
                    yield from self._stage(stage, around, depth)
        scope = around.scope
        telling = {
            name: script
            for name, (_, value) in entries(given)
            if value.kind == "scalar" and tells((script := scope.read(value)).text)
        }
        template = node.get("template")
        if not telling or template is None or depth >= _DEEPEST:
            return
        effort.spend(_CALL)
        for path in _files(template, scope.path):
            document = self._document(path)
            if document is None:
                continue
            after = (Step(scope.path, template.line), *scope.after)
            inside = Scope(self._places, path, after, scope.variables, env=scope.env)
            parameters = {**_defaults(document, inside), **telling}
            below = replace(around, scope=replace(inside, parameters=parameters))
            for grant in self._file(document, below, depth + 1):
                yield from self._at_caller(grant, telling, scope.path)

    def _at_caller(
        self, grant: Grant, telling: Mapping[str, Script], caller: str
    ) -> Iterator[Grant]:
        lines = {self._places.at(number).line for one in telling.values() for number in one.lines}
        found = [step.line for step in grant.steps if step.path == caller and step.line in lines]
        if found and caller != self._places.path:
            yield grant
        elif found:
            text = self._places.texts[caller].line(found[0])
            yield replace(grant, line=found[0], text=text, extent=(0, 0))

    def _document(self, path: str) -> Node | None:
        if path not in self._documents:
            data = self._source.read(path)
            content = decode(data) if data is not None else None
            tree = read_yaml(Text(content)) if content is not None else None
            self._documents[path] = tree.documents[0] if tree and tree.documents else None
        return self._documents[path]


def template_files(name: str, path: str) -> tuple[str, ...]:
    """Return the file of the same repository that `template: name` in the file `path` means."""
    file, _, repository = name.strip().partition("@")
    if repository not in {"", "self"} or not file or "$" in file:
        return ()
    absolute = file.startswith("/")
    where = normpath(file.lstrip("/") if absolute else f"{dirname(path)}/{file}".lstrip("/"))
    return () if where.startswith("..") else (where,)


def _files(template: Node, path: str) -> tuple[str, ...]:
    return template_files(template.text, path) if template.kind == "scalar" else ()


def _defaults(document: Node, scope: Scope) -> dict[str, Script]:
    """Return the defaults of `parameters:`, a list of definitions or a mapping of values."""
    found: dict[str, Script] = {}
    parameters = document.get("parameters")
    if parameters is None:
        return found
    for name, (_, value) in parameters.entries().items():
        if value.kind == "scalar" and not value.null:
            found[name] = scope.read(value)
    for item in parameters.listed() if parameters.kind == "list" else ():
        given, default = item.get("name"), item.get("default")
        if given is not None and default is not None and default.kind == "scalar":
            found[given.text] = scope.read(default)
    return found


def _resources(document: Node) -> dict[str, Node]:
    containers = document.get("resources", "containers")
    found: dict[str, Node] = {}
    for item in items(containers):
        name = item.get("container")
        if name is not None and name.text:
            found[name.text.strip()] = item
    return found


def _matrix(job: Node, scope: Scope) -> Environment:
    """Return the variables of the matrix of a job whose values name a daemon."""
    found: Environment = {}
    strategy = get(job, "strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    for _, (_, leg) in entries(matrix):
        for name, value in scope.environment(leg).items():
            if tells(value.text):
                found.setdefault(name, value)
    return found


def _platform(pool: Node | None) -> str:
    image = pool.get("vmImage") if pool is not None and pool.kind == "map" else pool
    text = image.text.lower() if image is not None else ""
    return "windows" if "windows" in text or text.startswith("vs20") else ""
