"""The steps of a job or of a composite action -> what each of them hands over."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.detect import mounts
from bot.detect.ci.inputs import input_grants
from bot.detect.ci.places import Dialect, Environment, Subject, address_grants, layered
from bot.detect.github.expressions import Scope, environment
from bot.detect.grant import Grant, How, Severity
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value
from bot.detect.sockets import Target

_NAMING = frozenset({"name", "id", "if"})

# What the runner mounts into job containers and container actions on Linux without being told
# (actions/runner, ContainerInfo.cs and ContainerActionHandler.cs).
GIVEN = Target("docker", How.PLATFORM, Severity.CRITICAL)

# Actions whose entry point mounts the socket into the image they are given, unasked.
_MOUNTING = frozenset({"addnab/docker-run-action"})

_EXPORT = pattern(
    r"""\becho\s+(?P<quote>["']?)(?P<name>[\w-]+)=(?P<value>[^"'\n]*?)(?P=quote)\s*"""
    r"""(?:>>|\|\s*tee\s+(?:-a|--append))\s*["']?(?:\$\{?|\$env:)GITHUB_(?P<file>ENV|OUTPUT)\b"""
)
_HANDS_ON = pattern(r"GITHUB_OUTPUT|::set-output")
_SET_OUTPUT = pattern(r"::set-output name=(?P<name>[\w-]+)::(?P<value>[^\s\"']*)")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What holds for all steps of one list."""

    scope: Scope
    subject: str  # "job build", or "" in a composite action
    shell: str = ""  # the default of `defaults.run.shell`
    platform: str = "linux"  # "linux", "windows" or "macos", as far as the file says


def dialect_of(shell: str, platform: str) -> Dialect | None:
    """Return how a `run:` is to be read, None where no shell reads it (python, node)."""
    command = shell.split(maxsplit=1)[0] if shell.strip() else ""
    name = command.rsplit("/", 1)[-1].removesuffix(".exe").lower()
    if name in {"pwsh", "powershell"} or (not name and platform == "windows"):
        return "powershell"
    if name == "cmd":
        return "cmd"
    return None if name.startswith(("python", "perl", "node", "ruby")) else "sh"


def step_subject(job: str, step: Node, number: int) -> str:
    """Return the name of a step as a person finds it: its name, its id, else its number."""
    for key in ("name", "id"):
        node = step.get(key)
        if node is not None and node.kind == "scalar" and node.text.strip():
            shown = f'step "{node.text.strip().splitlines()[0]}"'
            break
    else:
        shown = f"step {number}"
    return f"{job}, {shown}" if job else shown


def step_inputs(step: Node, scope: Scope) -> dict[str, Script]:
    """Return the scalars under `with:`, their expressions resolved."""
    given = step.get("with")
    if given is None or given.kind != "map":
        return {}
    return {
        name: scope.read(value)
        for name, (_, value) in given.entries().items()
        if value.kind == "scalar"
    }


def step_grants(step: Node, number: int, around: Surroundings) -> Iterator[Grant]:
    """Yield what one step hands over, without what a local action makes of its inputs."""
    places = around.scope.places
    own = environment(step.get("env"), around.scope)
    env = layered(own, around.scope.env)
    scope = replace(around.scope, env=env) if own else around.scope
    named = step_subject(around.subject, step, number)
    subject = Subject(named, node=step, naming=_NAMING)
    yield from address_grants(places, subject, own, env)
    run, uses = step.get("run"), step.get("uses")
    if run is not None and run.kind == "scalar":
        shell = step.get("shell")
        dialect = dialect_of(shell.text if shell is not None else around.shell, around.platform)
        if dialect is not None:
            yield from places.reached(subject, run, scope.read, env, dialect)
    if uses is not None and uses.kind == "scalar":
        yield from _action_grants(step, uses, subject, scope, around)


def _action_grants(
    step: Node, uses: Node, subject: Subject, scope: Scope, around: Surroundings
) -> Iterator[Grant]:
    places = scope.places
    inputs = step_inputs(step, scope)
    name = scope.read(uses).text.strip()
    if not name.startswith("docker://"):
        if not name.startswith("./"):
            action = name.split("@", 1)[0]
            own = replace(subject, image=action)
            yield from input_grants(places, own, inputs, scope.env)
            started = inputs.get("image")
            if action in _MOUNTING and started is not None and around.platform == "linux":
                own = replace(subject, image=mounts.repository(started.text))
                given = places.mounted(own, GIVEN, places.here(uses, scope.path, scope.after))
                yield replace(given, implicit=True)
        return
    image = mounts.repository(name)
    own = replace(subject, image=image)
    if around.platform == "linux":
        given = places.mounted(own, GIVEN, places.here(uses, scope.path, scope.after))
        yield replace(given, implicit=True)
    command = inputs.get("args")
    entry = inputs.get("entrypoint")
    if command is None:
        return
    first = (
        entry.text.strip() if entry else ("docker" if image.rsplit("/", 1)[-1] == "docker" else "")
    )
    if first:
        command = Script(f"{first} {command.text}", command.lines)
    yield from places.ran(own, command, scope.env)


def exported(step: Node, scope: Scope) -> Environment:
    """Return what a step writes to $GITHUB_ENV for the steps after it."""
    run = step.get("run")
    if run is None or run.kind != "scalar" or "GITHUB_ENV" not in run.text:
        return {}
    script = scope.read(run)
    found: Environment = {}
    for text, line in zip(script.text.split("\n"), script.lines, strict=False):
        for match in _EXPORT.finditer(text):
            if match["file"] == "ENV":
                found[match["name"]] = Value(match["value"], line)
    return found


def handed_on(step: Node, scope: Scope) -> Environment:
    """Return what a step writes to $GITHUB_OUTPUT, as `steps` names it: "id.outputs.name".

    Only what says all of an address by itself; the rest stays as unknown as it is.
    """
    run, named = step.get("run"), step.get("id")
    if run is None or run.kind != "scalar" or named is None or not _HANDS_ON.search(run.text):
        return {}
    script = scope.read(run)
    found: Environment = {}
    for text, line in zip(script.text.split("\n"), script.lines, strict=False):
        written = [m for m in _EXPORT.finditer(text) if m["file"] == "OUTPUT"]
        for match in (*written, *_SET_OUTPUT.finditer(text)):
            if "$" not in match["value"] and "`" not in match["value"]:
                key = f"{named.text.strip()}.outputs.{match['name']}"
                found[key] = Value(match["value"].strip(), line)
    return found
