"""A GitLab CI file with the local files it includes -> its jobs as they will run.

Source: GitLab documentation, "CI/CD YAML syntax reference" (`extends`, `!reference`, `include`,
`default`) and "Merge details for extends": mappings are merged by key, everything else is
replaced, the last of several parents wins.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from posixpath import normpath

from bot.detect import effort
from bot.detect.ci.places import Places, aliases, substituted, value_of
from bot.detect.grant import Step
from bot.detect.lines import Text, decode
from bot.detect.positioned import Node, Tree
from bot.detect.shell import Script, Value
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

DEEPEST = 11  # levels of `extends` that GitLab follows, and of `!reference`
_MOST_FILES = 150  # as many as GitLab takes
_VALUE = 12  # units of effort for a line of a script
_SETTING, _TAKEN = 30, 2  # for a variable that is read, and for a value that is inherited

_INPUT = re.compile(r"\$\[\[\s*inputs\.(?P<name>[\w-]+)[^\]\n]*\]\]")

# Top-level keys that are no jobs.
KEYWORDS = frozenset(
    {"after_script", "before_script", "cache", "default", "image", "include", "services", "spec",
     "stages", "types", "variables", "workflow"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of a job and how it gets there."""

    node: Node
    path: str
    after: tuple[Step, ...] = ()

    def behind(self, steps: tuple[Step, ...]) -> "Entry":
        """Return the same value, now reached through further steps."""
        return replace(self, after=(*self.after, *steps)) if steps else self


@dataclass(slots=True)
class Job:
    """A job with everything it inherits."""

    keys: dict[str, Entry] = field(default_factory=dict)
    variables: dict[str, Entry] = field(default_factory=dict)

    def take(self, other: "Job", steps: tuple[Step, ...]) -> None:
        """Merge another job over this one."""
        for own, others in ((self.keys, other.keys), (self.variables, other.variables)):
            for name, entry in others.items():
                effort.spend(_TAKEN + len(entry.after))
                own[name] = entry.behind(steps)


class Config:
    """The merged configuration that starts at one file."""

    def __init__(self, places: Places, source: Source) -> None:
        self._places = places
        self._source = source
        self._named: dict[str, list[tuple[str, Node, Node]]] = {}
        self._resolved: dict[tuple[str, int], Job] = {}
        self._cuts = 0  # chains of `extends` that were too long
        self._files: set[str] = set()
        self._inputs: dict[str, dict[str, Script]] = {}

    def load(self, tree: Tree) -> None:
        """Take in the file that was read as `tree`, after what it includes."""
        self._files.add(self._places.path)
        self._take(self._places.path, tree.documents, 0)

    def names(self) -> Iterator[tuple[str, Node | None, Node]]:
        """Yield each top-level name, its key in the file itself (None if elsewhere), its value."""
        for name, parts in self._named.items():
            own = [(key, node) for path, key, node in parts if path == self._places.path]
            if own:
                yield name, own[-1][0], own[-1][1]
            else:
                yield name, None, parts[-1][2]

    def read(self, entry: Entry) -> Script:
        """Return a scalar as a script, the inputs of its file filled in."""
        script = self._places.script(entry.node, entry.path, entry.after)
        if "$[[" not in script.text:
            return script
        inputs = self._inputs.get(entry.path, {})

        def pieces(text: str) -> Iterator[tuple[int, int, Script]]:
            for match in _INPUT.finditer(text):
                if (value := inputs.get(match["name"])) is not None:
                    yield match.start(), match.end(), value

        return substituted(script, pieces, self._places)

    def value(self, entry: Entry) -> Value | None:
        """Return the value of a variable: a scalar, or a mapping that holds it."""
        node = entry.node
        if node.kind == "map":
            inner = node.get("value")
            if inner is None:
                return None
            entry = replace(entry, node=inner)
        elif node.tag == "!reference":
            found = next(self.referenced(entry, 0), None)
            if found is None:
                return None
            entry = found
        if entry.node.kind != "scalar":
            return None
        effort.spend(_SETTING)
        return value_of(self.read(entry), entry.node)

    def keyword(self, name: str) -> Entry | None:
        """Return the value of a top-level keyword; the last file that gives it wins."""
        parts = self._named.get(name)
        return Entry(parts[-1][2], parts[-1][0]) if parts else None

    def top(self, name: str) -> Job:
        """Return what a top-level mapping (`variables`, `default`) holds in all files."""
        job = Job()
        for path, _, node in self._named.get(name, ()):
            for key, (_, value) in node.entries().items():
                self._put(job, key, value, path, variables=name == "variables")
        return job

    def job(self, name: str, depth: int = 0) -> Job:
        """Return a job with everything it inherits through `extends` and repeated definitions."""
        known = self._resolved.get((name, -1)) or self._resolved.get((name, depth))
        if known is not None:
            return known
        job = Job()
        if depth > DEEPEST:
            self._cuts += 1
            return job
        cuts = self._cuts
        self._resolved[name, depth] = job  # what extends itself
        parts = self._named.get(name, ())
        own = next((key.line for path, key, _ in parts if path == self._places.path), None)
        for path, _, node in parts:
            if node.kind != "map":
                job.keys.setdefault("", Entry(node, path))
                continue
            elsewhere = own is not None and path != self._places.path
            steps = (Step(self._places.path, own),) if elsewhere and own else ()
            job.take(self._written(node, path, depth), steps)
        if self._cuts == cuts:
            self._resolved[name, -1] = job  # the same at any depth
        return job

    def _written(self, node: Node, path: str, depth: int) -> Job:
        job = Job()
        extends = node.get("extends")
        for parent in extends.listed() if extends is not None else ():
            if parent.kind == "scalar":
                steps = (*aliases(parent, path), Step(path, parent.line))
                job.take(self.job(parent.text.strip(), depth + 1), steps)
        for key, (_, value) in node.entries().items():
            self._put(job, key, value, path)
        return job

    def _put(self, job: Job, key: str, value: Node, path: str, *, variables: bool = False) -> None:
        if variables:
            job.variables[key] = Entry(value, path)
        elif key == "variables" and value.kind == "map":
            for name, (_, one) in value.entries().items():
                job.variables[name] = Entry(one, path)
        elif key == "variables" and value.tag == "!reference":
            for entry in self.referenced(Entry(value, path), 0):
                for name, (_, one) in entry.node.entries().items():
                    job.variables[name] = Entry(one, entry.path, entry.after)
        else:
            job.keys[key] = Entry(value, path)

    def referenced(self, entry: Entry, depth: int) -> Iterator[Entry]:
        """Yield what a `!reference [job, key, …]` stands for, with the way to it."""
        names = [one.text for one in entry.node.items]
        if len(names) < 2 or depth > DEEPEST:
            return
        step = (*aliases(entry.node, entry.path), Step(entry.path, entry.node.line))
        job = self.job(names[0], 1)
        top = self._named.get(names[0], ()) if names[0] in KEYWORDS else ()
        found: Entry | None = None
        rest = names[2:]
        if top:
            found = next((Entry(n, p) for p, _, o in top if (n := o.get(names[1]))), None)
        elif names[1] == "variables" and rest:
            found, rest = job.variables.get(rest[0]), rest[1:]
        elif names[1] == "variables":
            for path, _, node in self._named.get(names[0], ()):
                if (value := node.get("variables")) is not None:
                    found = Entry(value, path)
        else:
            found = job.keys.get(names[1])
        for name in rest:
            below = found.node.get(name) if found is not None else None
            found = replace(found, node=below) if found is not None and below is not None else None
        if found is not None:
            yield found.behind((*step, *entry.after))

    def scalars(self, entry: Entry) -> Iterator[Entry]:
        """Yield the scalars of a script in order, references and nested lists opened."""
        stack = [(entry, 0)]
        while stack:
            entry, depth = stack.pop()
            node = entry.node
            effort.spend(_VALUE)
            if node.tag == "!reference":
                below = list(self.referenced(entry, depth))
            elif node.kind == "list" and depth <= 2 * DEEPEST:
                below = [replace(entry, node=item) for item in node.members()]
            else:
                if node.kind == "scalar":
                    yield entry
                continue
            stack.extend((one, depth + 1) for one in reversed(below))

    def _take(self, path: str, documents: tuple[Node, ...], depth: int) -> None:
        for document in documents:
            include = document.get("include")
            if include is not None and depth < DEEPEST:
                for name, item in local_includes(include):
                    self._include(name, item.get("inputs"), path, depth)
            spec = document.get("spec", "inputs")
            if spec is not None and spec.kind == "map":
                self._defaults(spec, path)
            for name, (key, value) in document.entries().items():
                self._named.setdefault(name, []).append((path, key, value))

    def _defaults(self, spec: Node, path: str) -> None:
        known = self._inputs.setdefault(path, {})
        for name, (_, value) in spec.entries().items():
            default = value.get("default")
            if default is not None and default.kind == "scalar":
                known.setdefault(name, self._places.script(default, path))

    def _include(self, pattern: str, inputs: Node | None, including: str, depth: int) -> None:
        for path in matching(pattern, self._source) if "*" in pattern else (pattern,):
            if path in self._files:
                continue
            if len(self._files) >= _MOST_FILES:
                effort.skip()
                continue
            self._files.add(path)
            if inputs is not None and inputs.kind == "map":
                self._inputs[path] = {
                    name: self._places.script(value, including)
                    for name, (_, value) in inputs.entries().items()
                    if value.kind == "scalar"
                }
            data = self._source.read(path)
            content = decode(data) if data is not None else None
            if content is not None:
                text = Text(content)
                self._places.texts[path] = text
                self._take(path, read_yaml(text).documents, depth + 1)


def local_includes(include: Node) -> Iterator[tuple[str, Node]]:
    """Yield the files of the same repository that an `include` names, with the item naming it."""
    for item in include.listed():
        named = item if item.kind == "scalar" else item.get("local")
        if named is None or named.kind != "scalar":
            continue
        if item.kind == "map" and item.get("project") is not None:
            continue
        path = named.text.strip()
        if not path or "://" in path or "$" in path:
            continue
        path = normpath(path.lstrip("/"))
        if not path.startswith(".."):
            yield path, item


def matching(pattern: str, source: Source) -> tuple[str, ...]:
    """Return the paths that an include with wildcards names: `*` in a folder, `**` below it."""
    return tuple(path for path in source.paths() if fits(pattern, path))


def fits(pattern: str, path: str) -> bool:
    """Tell whether `path` is one that an include's pattern takes in."""
    if "**" in pattern:
        return fnmatchcase(path, pattern.replace("**", "*"))
    regex = re.escape(pattern).replace(r"\*", "[^/]*")
    return re.fullmatch(regex, path) is not None
