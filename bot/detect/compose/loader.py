"""Reads the files of Compose projects out of one commit and puts them together.

Source: Compose specification, "Include", "Extend", "Merge". Only files of the commit are read; how
many, and how much of them is put together, is bounded.
"""

from collections import ChainMap
from collections.abc import Iterator
from functools import cached_property
from posixpath import dirname, join

from bot.detect import effort
from bot.detect.compose.dotenv import read_dotenv
from bot.detect.compose.interpolation import Variable, Variables
from bot.detect.compose.project import (
    BASES,
    OVERRIDES,
    Model,
    Plan,
    Span,
    beside,
    named_files,
    over,
)
from bot.detect.compose.shape import sections
from bot.detect.compose.values import File, Value, merged, without
from bot.detect.grant import Step
from bot.detect.lines import LARGEST, Text, decode
from bot.detect.positioned import Node, Tree
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_DEEPEST = 24  # of `include`
_MOST_FILES = 64
_MOST_INCLUDES = 256
_MOST_ITEMS = 300_000  # that services take over by `extends`


class Loader:
    """Reads the files of projects out of one commit, each once."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._contents: dict[str, str | None] = {}
        self._trees: dict[str, Tree | None] = {}
        self._variables: dict[str, dict[str, Variable]] = {}
        self._left = _MOST_FILES
        self._items = _MOST_ITEMS
        self._brought = _MOST_INCLUDES

    def exists(self, path: str) -> bool:
        """Tell whether the commit has a file."""
        return path in self._trees or self._source.read(path) is not None

    def content(self, path: str) -> str | None:
        """Return a file's text, or None where there is none that could be read."""
        if path not in self._contents:
            data = self._source.read(path)
            if data is not None and len(data) > LARGEST:
                data = None
            self._contents[path] = None if data is None else decode(data)
        return self._contents[path]

    def tree(self, path: str) -> Tree | None:
        """Return a file's documents, or None where there is no such file."""
        if path not in self._trees:
            if self._left <= 0:
                effort.skip()
            content = self.content(path) if self._left > 0 else None
            self._left -= 1
            self._trees[path] = read_yaml(Text(content)) if content is not None else None
        return self._trees[path]

    def variables(self, path: str, outer: Variables | None = None) -> dict[str, Variable]:
        """Return what a file of settings sets."""
        if path not in self._variables:
            content = self.content(path) if len(self._variables) < _MOST_FILES else None
            self._variables[path] = read_dotenv(path, content, outer or {}) if content else {}
        return self._variables[path]

    def plan(self, path: str) -> Plan:
        """Return what `docker compose` merges when it is started where the file `path` is."""
        folder, _, name = path.rpartition("/")
        variables = self.variables(_in(folder, ".env"))
        if name not in BASES and name not in OVERRIDES:
            return Plan((path,), folder, variables)
        listed = named_files(folder, variables)
        if path in listed:
            return self.named(folder, listed, variables)
        usual = self.usual(folder)
        return Plan(usual if path in usual else (path,), folder, variables)

    def named(self, folder: str, listed: tuple[str, ...], variables: Variables) -> Plan:
        """Return the plan of a COMPOSE_FILE in a folder: the first file says what is relative."""
        first = dirname(listed[0])
        own = self.variables(join(first, ".env")) if first != folder else {}
        steps = variables["COMPOSE_FILE"].steps
        return Plan(listed, first, ChainMap(dict(variables), own), steps)

    def usual(self, folder: str) -> tuple[str, ...]:
        """Return what is merged where nothing is named: a base file and its override."""
        base = next(filter(self.exists, (_in(folder, name) for name in BASES)), None)
        if base is None:
            return ()
        over = next(filter(self.exists, (_in(folder, name) for name in OVERRIDES)), None)
        return (base,) if over is None else (base, over)

    def model(self, plan: Plan) -> Model:
        """Return what the files of a plan come to."""
        model = Model()
        for path in plan.paths:
            part = self._part(path, plan.folder, plan.variables, ())
            if part is not None:
                model.take(part.model())
        return model

    def _part(
        self, path: str, folder: str, variables: Variables, trail: tuple[str, ...]
    ) -> "_Part | None":
        tree = self.tree(path) if path not in trail and len(trail) < _DEEPEST else None
        if tree is None:
            return None
        file = File(path, folder, tree.text, variables)
        return _Part(self, file, tree.documents, (*trail, path))

    def included(
        self, file: File, entry: Value, trail: tuple[str, ...]
    ) -> Iterator[tuple[Model, Value]]:
        """Yield what one entry of `include` brings, file by file, with the text that names it."""
        whole = entry.get("path") if entry.kind == "map" else entry
        values = whole.listed() if whole is not None else ()
        named = [(value, beside(file.folder, value.text)) for value in values]
        first = next((path for _, path in named if path is not None), None)
        if first is None:
            return
        asked = entry.get("project_directory")
        folder = (beside(file.folder, asked.text) if asked is not None else None) or dirname(first)
        given = entry.get("env_file")
        files = given.listed() if given is not None else ()
        paths = [beside(file.folder, value.text) for value in files]
        own: list[dict[str, Variable]] = [
            self.variables(path) for path in paths or [join(folder, ".env")] if path is not None
        ]
        variables = ChainMap(dict(file.variables), *reversed(own))
        for value, path in named:
            self._brought -= 1
            if self._brought < 0:
                effort.skip()
            if path is None or self._brought < 0:
                continue
            part = self._part(path, folder, variables, trail)
            if part is not None:
                yield part.model(), value

    def extended(self, file: File, path: str) -> "_Part | None":
        """Return a file that holds what a service of `file` extends."""
        return self._part(path, dirname(path), file.variables, ())

    def merged(self, base: Value | None, service: Value) -> Value:
        """Return a service with what it extends under it."""
        wanted = service.get("extends")
        if wanted is None:
            return service
        bare = without(service, "extends")
        if base is None:
            return bare
        self._items -= base.size()
        if self._items < 0:
            effort.skip()
            return bare
        return merged(base.led(_extending(wanted)), bare)


class _Part:
    """One file: its own sections with what it includes, and its services with what they extend."""

    def __init__(
        self, loader: Loader, file: File, documents: tuple[Node, ...], trail: tuple[str, ...]
    ) -> None:
        self._loader = loader
        self._file = file
        self._documents = documents
        self._trail = trail
        self._others: dict[str, _Part | None] = {}
        self.done: dict[str, Value] = {}  # services of `raw` with what they extend

    def model(self) -> Model:
        """Return what the file comes to. Each of its documents is merged over those before."""
        model = Model()
        for document in self._documents:
            model.take(self._document(document))
        return model

    def _document(self, document: Node) -> Model:
        model = Model()
        top = Value(document, self._file)
        include = top.get("include")
        for entry in include.listed() if include is not None else ():
            for brought, named in self._loader.included(self._file, entry, self._trail):
                model.take(_through(brought, named))
        own = sections(top)
        own_services = own.pop("services")
        for section, values in own.items():
            for name, value in values.items():
                over(model.sections[section], name, value)
        known = dict(model.services)
        for name, service in own_services.items():
            over(known, name, service)
            model.spans[name] = (*model.spans.get(name, ()), _span(service))
        done: dict[str, Value] = {}
        for name in own_services:
            model.services[name] = self._extend(name, known, done)
        return model

    def _extend(self, name: str, known: dict[str, Value], done: dict[str, Value]) -> Value:
        """Return a service with what it extends merged under it.

        A chain ends where a service extends nothing, or one that is in the chain already.
        """
        chain: list[tuple[Value, str, dict[str, Value]]] = []
        part, base = self, None
        seen: set[tuple[str, str]] = set()
        while name not in done:
            service = known.get(name)
            if service is None or (part.path, name) in seen:
                break
            seen.add((part.path, name))
            chain.append((service, name, done))
            wanted = service.get("extends")
            ref = wanted if wanted is None or wanted.kind == "scalar" else wanted.get("service")
            if wanted is None or ref is None:
                break
            other = wanted.get("file")
            if other is not None:
                path = beside(other.file.folder, other.text)
                further = part.other(path) if path is not None else None
                if further is None:
                    break
                part, known, done = further, further.raw, further.done
            name = ref.text
        else:
            base = done[name]
        for service, called, memo in reversed(chain):
            base = self._loader.merged(base, service)
            memo[called] = base
        return base if base is not None else known[name]

    def other(self, path: str) -> "_Part | None":
        """Return the file whose services those of this one extend."""
        if path == self.path:
            return self
        if path not in self._others:
            self._others[path] = self._loader.extended(self._file, path)
        return self._others[path]

    @property
    def path(self) -> str:
        """The path of the file."""
        return self._file.path

    @cached_property
    def raw(self) -> dict[str, Value]:
        """The services as they are written, for those of other files that extend them."""
        found: dict[str, Value] = {}
        for document in self._documents:
            for name, value in sections(Value(document, self._file))["services"].items():
                over(found, name, value)
        return found


def _in(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _extending(wanted: Value) -> tuple[Step, ...]:
    """Return the lines that say `extends`, the one that names the base last."""
    here = wanted.file.path
    lines = [wanted.key.line] if wanted.key is not None and not wanted.node.via else []
    named = (wanted,) if wanted.kind == "scalar" else (wanted.get("service"), wanted.get("file"))
    lines += [value.line for value in named if value is not None]
    aliases = tuple(Step(here, line) for line in reversed(wanted.node.via))
    return tuple(dict.fromkeys((*(Step(here, line) for line in lines), *aliases, *wanted.after)))


def _through(brought: Model, named: Value) -> Model:
    """Return what a file brings when it is included at the text `named`."""
    after = named.steps()
    here = named.own
    return Model(
        {
            section: {name: value.led(after) for name, value in values.items()}
            for section, values in brought.sections.items()
        },
        {name: (Span(here.path, here.line, here.line),) for name in brought.spans},
    )


def _span(service: Value) -> Span:
    key, node = service.key, service.node
    first = key.line if key is not None else node.line
    last = first if node.via else max(first, node.last_line)
    return Span(service.file.path, first, last)
