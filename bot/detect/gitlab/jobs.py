"""The jobs of a GitLab CI configuration -> what each of them hands over."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.ci.places import (
    Dialect,
    Environment,
    Places,
    Subject,
    Variables,
    address_grants,
    expanded,
    joined,
    layered,
    relevant,
    tells,
)
from bot.detect.gitlab.config import KEYWORDS, Config, Entry, Job
from bot.detect.grant import Grant
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value, interpret, interpret_argv

_PIPELINE = "pipeline"
_WINDOWS = pattern(r"(?<![a-z])win(?:dows|\d|\b)", re.IGNORECASE)
_POWERSHELL = pattern(
    r"\\\\\.\\pipe\\|\$env:\w|\$ErrorActionPreference"
    r"|\b(?:Get|Set|New|Write|Invoke|Remove|Test|Start)-[A-Z]\w+"
)
_INHERITED = ("before_script", "after_script", "services", "image")  # also allowed at the top


class Pipeline:
    """Reads the jobs of one file in the light of everything it includes."""

    def __init__(self, places: Places, config: Config) -> None:
        self._places = places
        self._config = config
        self._globals = expanded(self._environment(config.top("variables")), {}, places)
        self._default = config.top("default")
        for name in _INHERITED:
            if (entry := config.keyword(name)) is not None:
                self._default.keys.setdefault(name, entry)

    def grants(self) -> Iterator[Grant]:
        """Yield what the file hands over: the pipeline's own, then job by job.

        A job of an included file counts here as far as a line of this file has a part in it.
        """
        yield from _here(self._pipeline())
        for name, key, node in self._config.names():
            if name in KEYWORDS or node.kind != "map":
                continue
            line = key.line if key is not None else 0
            extent = (line, node.last_line) if key is not None else (0, 0)
            yield from _here(self._job(f"job {name}", self._config.job(name), extent))

    def _pipeline(self) -> Iterator[Grant]:
        subject = Subject(_PIPELINE)
        yield from address_grants(self._places, subject, self._globals, self._globals)
        workflow = self._config.top("workflow")
        yield from self._rules(workflow, subject, self._globals)
        default = self._default
        for names in (("before_script",), ("after_script",), ("hooks",)):
            script = self._script(default, names)
            yield from self._places.ran(subject, script, self._globals)
        yield from self._services(default, _PIPELINE)

    def _job(self, name: str, job: Job, extent: tuple[int, int]) -> Iterator[Grant]:
        own = self._environment(job)
        own = expanded(own, self._globals, self._places)
        env = layered(own, self._globals)
        subject = Subject(name, self._image(job, env), extent=extent)
        yield from address_grants(self._places, subject, own, env)
        yield from self._rules(job, subject, env)
        telling: Environment = {}
        for more in self._matrix(job):
            yield from address_grants(self._places, subject, more, layered(more, env))
            telling |= {key: value for key, value in more.items() if tells(value.text)}
        env = layered(telling, env)
        inherited = self._script(self._default, ("before_script",))
        first = self._script(job, ("hooks", "before_script"))
        given = set(inherited.lines) if "before_script" not in job.keys else set()
        before = [inherited] if given else []
        whole = joined((*before, first, self._script(job, ("script", "run"))))
        nameless = replace(subject, image=None)
        tagged = _names_windows(job.keys.get("tags"))
        for script in (whole, self._script(job, ("after_script",))):
            seen: set[tuple[int, str]] = set()
            for dialect in _dialects(script.text, windows=tagged):
                for reach in interpret(script, relevant(script.text, env), dialect=dialect):
                    place = (reach.line, reach.resource)
                    if reach.line not in given and place not in seen:
                        seen.add(place)
                        yield self._places.grant(nameless, reach)
        yield from self._services(job, name)

    def _environment(self, job: Job) -> Environment:
        found: Environment = {}
        for name, entry in job.variables.items():
            value = self._config.value(entry)
            if value is not None:
                found[name] = value
        return found

    def _image(self, job: Job, env: Variables) -> str | None:
        entry = job.keys.get("image") or self._default.keys.get("image")
        if entry is None:
            return None
        node = entry.node if entry.node.kind == "scalar" else entry.node.get("name")
        if node is None or node.kind != "scalar":
            return None
        text = expanded({"": Value(node.text, 0)}, env, self._places)[""].text
        return mounts.repository(text) or None

    def _script(self, job: Job, names: Iterable[str]) -> Script:
        """Return the commands under some keys of a job as one script."""
        found: list[Entry] = []
        for name in names:
            entry = job.keys.get(name)
            for below in _commands(name, entry) if entry is not None else ():
                found.extend(self._config.scalars(below))
        return joined(self._config.read(one) for one in found)

    def _rules(self, job: Job, subject: Subject, env: Variables) -> Iterator[Grant]:
        entry = job.keys.get("rules")
        for rule in entry.node.listed() if entry is not None else ():
            variables = rule.get("variables")
            if entry is None or variables is None or variables.kind != "map":
                continue
            more: Environment = {}
            for name, (_, node) in variables.entries().items():
                value = self._config.value(replace(entry, node=node))
                if value is not None:
                    more[name] = value
            yield from address_grants(self._places, subject, more, layered(more, env))

    def _matrix(self, job: Job) -> Iterator[Environment]:
        entry = job.keys.get("parallel")
        matrix = entry.node.get("matrix") if entry is not None else None
        if entry is None or matrix is None:
            return
        for item in matrix.listed():
            for name, (_, node) in item.entries().items():
                for one in node.listed():
                    value = self._config.value(replace(entry, node=one))
                    if value is not None and (tells(value.text) or sockets.daemon_variable(name)):
                        yield {name: value}

    def _services(self, job: Job, name: str) -> Iterator[Grant]:
        entry = job.keys.get("services")
        for service in entry.node.listed() if entry is not None else ():
            image = service.get("name")
            if entry is None or image is None or image.kind != "scalar":
                continue
            alias = service.get("alias") or image
            subject = Subject(
                f"{name}, service {alias.text}",
                mounts.repository(image.text),
                service.digest(frozenset({"alias"})),
            )
            yield from self._service(service, entry, subject)

    def _service(self, service: Node, entry: Entry, subject: Subject) -> Iterator[Grant]:
        variables = service.get("variables")
        if variables is not None and variables.kind == "map":
            env: Environment = {}
            for name, (_, node) in variables.entries().items():
                value = self._config.value(replace(entry, node=node))
                if value is not None:
                    env[name] = value
            yield from address_grants(self._places, subject, env, layered(env, self._globals))
        image = service.get("name")
        if image is not None and "dind" in image.text:
            return  # its daemon is its own
        words = [
            (script.text, script.lines[0])
            for key in ("entrypoint", "command")
            if (given := service.get(key)) is not None
            for one in given.listed()
            if one.kind == "scalar"
            and (script := self._config.read(replace(entry, node=one))).lines
        ]
        for reach in interpret_argv(words):
            yield self._places.grant(subject, reach)


def _commands(name: str, entry: Entry) -> Iterator[Entry]:
    """Yield the lists of commands under a key: `hooks` and `run` keep theirs a level down."""
    node = entry.node
    if name == "hooks" and node.kind == "map":
        for below in (node.get("pre_get_sources_script"),):
            if below is not None:
                yield replace(entry, node=below)
    elif name == "run":
        for step in node.listed():
            script = step.get("script")
            if script is not None:
                yield replace(entry, node=script)
    else:
        yield entry


def _names_windows(tags: Entry | None) -> bool:
    found = (_WINDOWS.search(one.text) for one in tags.node.scalars()) if tags else ()
    return any(found)


def _dialects(script: str, *, windows: bool) -> tuple[Dialect, ...]:
    """Return how a script is to be read: which shell a runner has, its file does not say."""
    if windows:
        return ("powershell",)
    return ("sh", "powershell") if _POWERSHELL.search(script) else ("sh",)


def _here(grants: Iterable[Grant]) -> Iterator[Grant]:
    return (grant for grant in grants if grant.line > 0)
