"""Lines of several files as plain numbers, so that one script may be put together from pieces.

A CI job's script comes from aliases, other jobs, other files and inputs. The shell interpreter
knows one number a line. Here a number stands for a Place: a line of a file, where its text comes
from and how it gets to the job. `Places.grant` turns what the interpreter says back into a Grant.
"""

from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Literal, NamedTuple

from bot.detect import mounts, sockets
from bot.detect.grant import Grant, Step, Undermined
from bot.detect.lines import Text
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Reach, Script, Value, hints, interpret
from bot.detect.sockets import Target

Environment = dict[str, Value]
Variables = Mapping[str, Value]  # an Environment, or several over each other
Dialect = Literal["sh", "powershell", "cmd"]
_LONGEST_VALUE = 4_096
_WORD = pattern(r"[A-Za-z_]\w*")
_TLS = ("DOCKER_TLS_VERIFY", "DOCKER_TLS")
# What follows a mount's target changes nothing about a socket.
_MODE = pattern(r"(?<=[^\s:]):(?:ro|rw|z|Z|r?shared|r?slave|r?private|nocopy|,)+(?=\s|\Z)")


class Place(NamedTuple):
    """A line of a file on its way to a subject."""

    path: str
    line: int
    before: tuple[Step, ...] = ()  # where its text comes from: a variable, an input
    after: tuple[Step, ...] = ()  # how it gets to the subject: an alias, `extends`, `uses`

    def steps(self) -> tuple[Step, ...]:
        """Return the whole way."""
        return (*self.before, Step(self.path, self.line), *self.after)


@dataclass(frozen=True, slots=True)
class Subject:
    """Whoever gets something, as a grant names it."""

    name: str
    image: str | None = None
    definition: str = ""
    extent: tuple[int, int] = (0, 0)
    node: Node | None = None  # what defines it, where the two above are to be read from it
    naming: frozenset[str] = frozenset()  # keys of `node` that only name it

    def digest(self) -> str:
        """Return the digest of what it does, "" where nothing in particular defines it."""
        if self.node is None or self.definition:
            return self.definition
        return self.node.digest(self.naming)

    def lines(self) -> tuple[int, int]:
        """Return the lines of its definition, (0, 0) where nothing in particular defines it."""
        if self.node is None or self.extent != (0, 0):
            return self.extent
        return self.node.line, self.node.last_line


class Places:
    """All places on the way to the subjects of one file."""

    def __init__(self, path: str, text: Text) -> None:
        self.path = path
        self.texts = {path: text}
        self._all: list[Place] = []
        self._numbers: dict[Place, int] = {}

    def put(self, place: Place) -> int:
        """Return the number that stands for `place`."""
        number = self._numbers.get(place)
        if number is None:
            self._all.append(place)
            number = self._numbers[place] = len(self._all)
        return number

    def at(self, number: int) -> Place:
        """Return the place that `number` stands for."""
        return self._all[number - 1]

    def here(self, node: Node, path: str | None = None, after: tuple[Step, ...] = ()) -> int:
        """Return the number of the line on which `node` starts."""
        where = path or self.path
        return self.put(Place(where, node.line, (), (*aliases(node, where), *after)))

    def script(self, node: Node, path: str | None = None, after: tuple[Step, ...] = ()) -> Script:
        """Return a scalar as a script, each line with its number."""
        where = path or self.path
        text, lines = node.script()
        way = (*aliases(node, where), *after)
        return Script(text, tuple([self.put(Place(where, line, (), way)) for line in lines]))

    def behind(self, number: int, source: int) -> int:
        """Return the number of the same line, now with `source` as where its text comes from."""
        place, origin = self.at(number), self.at(source)
        before = tuple(dict.fromkeys((*place.before, *origin.steps())))
        return self.put(place._replace(before=before))

    def grant(self, subject: Subject, reach: Reach) -> Grant:
        """Return the grant that says what one command of a script reaches.

        Its line is 0 where no line of the file itself has a part in it.
        """
        first, last = self.at(reach.extent[0]), self.at(reach.extent[1])
        own = first.path == last.path == self.path and not first.after and not last.after
        return self._grant(
            subject,
            Target(reach.resource, reach.how, reach.severity),
            (*reach.steps, reach.line),
            reach.undermines,
            image=reach.image or subject.image,
            definition=_hash(_MODE.sub("", reach.words)),
            command=(first.line, last.line) if own else (),
        )

    def reached(
        self,
        subject: Subject,
        node: Node,
        read: Callable[[Node], Script],
        env: Variables,
        dialect: Dialect = "sh",
    ) -> Iterator[Grant]:
        """Yield what the script in `node` reaches; `read` says how it is written."""
        if "${{" in node.text or "$(" in node.text or worth_reading(node.text, env):
            yield from self.ran(subject, read(node), env, dialect)

    def ran(
        self, subject: Subject, script: Script, env: Variables, dialect: Dialect = "sh"
    ) -> Iterator[Grant]:
        """Yield what a script reaches."""
        for reach in interpret(script, relevant(script.text, env), dialect=dialect):
            yield self.grant(subject, reach)

    def mounted(
        self,
        subject: Subject,
        target: Target,
        number: int,
        undermines: Iterable[tuple[str, int]] = (),
    ) -> Grant:
        """Return the grant of what one value, at `number`, reaches."""
        return self._grant(
            subject, target, (number,), undermines,
            image=subject.image, definition=subject.digest(),
        )  # fmt: skip

    def _grant(
        self,
        subject: Subject,
        target: Target,
        numbers: tuple[int, ...],
        undermines: Iterable[tuple[str, int]],
        *,
        image: str | None,
        definition: str,
        command: tuple[int, ...] | None = None,
    ) -> Grant:
        """Return a grant; `numbers` is the way of what it says.

        Its extent is that of the command in this file, else of the subject whose value it is.
        """
        places = [self.at(number) for number in dict.fromkeys(numbers)]
        steps: list[Step] = []
        for place in places:
            steps += place.before
            steps.append(Step(place.path, place.line))
        for place in places:
            steps += place.after
        last = self.at(numbers[-1])
        if last.path == self.path and not last.after:
            line = last.line
        else:
            every = (step for number in numbers for step in self.at(number).steps())
            own = [step.line for step in every if step.path == self.path]
            line = own[-1] if own else 0
        steps.append(Step(self.path, line))
        if command is None:
            first, end = subject.lines()
            extent = (first, end) if first <= line <= end else (line, line)
        else:
            extent = (min((*command, line)), max((*command, line)))
        return Grant(
            path=self.path,
            line=line,
            text=self.texts[self.path].line(line),
            subject=subject.name,
            image=image,
            resource=target.resource,
            how=target.how,
            severity=target.severity,
            steps=tuple(dict.fromkeys(steps)),
            undermines=tuple(
                [
                    Undermined(_control(flag), flag, self.at(at).path, self.at(at).line)
                    for flag, at in undermines
                ]
            ),
            definition=definition,
            extent=extent,
        )


def relevant(text: str, env: Variables) -> Environment:
    """Return those variables that a script names, or that say where the daemon is."""
    if not env:
        return {}
    names = dict.fromkeys(_WORD.findall(text))
    return {name: env[name] for name in (*names, *_TLS) if name in env}


def worth_reading(text: str, env: Variables) -> bool:
    """Tell fast whether a script with these variables could reach a daemon."""
    return hints.any_in(text, relevant(text, env))


def aliases(node: Node, path: str) -> tuple[Step, ...]:
    """Return the aliases and merge keys that led to a node, the one next to its text first."""
    return tuple([Step(path, line) for line in reversed(node.via)])


def joined(scripts: Iterable[Script]) -> Script:
    """Return scripts that one shell runs after each other as one."""
    known = [script for script in scripts if script.text]
    if len(known) == 1:
        return known[0]
    return Script(
        "\n".join([script.text for script in known]),
        tuple([line for script in known for line in script.lines]),
    )


def command_line(first: str, scripts: Iterable[Script]) -> Script:
    """Return one command of a first word and of texts that hold its further words."""
    texts: list[str] = []
    lines: list[int] = []
    for script in scripts:
        for text, line in zip(script.text.split("\n"), script.lines, strict=False):
            words = text.removesuffix("\\").strip()
            if words:
                texts.append(words)
                lines.append(line)
    return Script(" \\\n".join((f"{first} {texts[0]}", *texts[1:])) if texts else "", tuple(lines))


def tells(text: str) -> bool:
    """Tell whether a value names a daemon: a mount, a path, an address or an option with one."""
    if sockets.mentions(text):
        return True
    return any(
        mounts.short(word) or sockets.host_path(word) or sockets.address(word)
        for word in text[:_LONGEST_VALUE].replace("=", " ").split()[:64]
    )


def substituted(
    script: Script,
    pieces: Callable[[str], Iterator[tuple[int, int, Script]]],
    places: Places,
) -> Script:
    """Return a script in which expressions stand replaced by their values.

    `pieces` yields, for one line of text, where an expression starts and ends and its value. A
    value of several lines brings its own places; one that names a daemon becomes a step.
    """
    texts: list[str] = []
    lines: list[int] = []
    for text, number in zip(script.text.split("\n"), script.lines, strict=False):
        at, current, here = 0, "", number
        for start, end, value in pieces(text):
            current += text[at:start]
            at = end
            first, *rest = value.text.split("\n")
            if tells(value.text) and value.lines:
                here = places.behind(here, value.lines[0])
            current += first
            for index, more in enumerate(rest, 1):
                texts.append(current)
                lines.append(here)
                current = more
                here = value.lines[index] if index < len(value.lines) else here
        texts.append(current + text[at:])
        lines.append(here)
    return Script("\n".join(texts), tuple(lines))


def value_of(script: Script, node: Node) -> Value:
    """Return the scalar `node`, read as `script`, as the value of a variable.

    Its line is the one that names a daemon, else its first.
    """
    texts = script.text.split("\n")
    folded = node.style not in {"|", ">"}
    text = " ".join(t.removesuffix("\\").strip() for t in texts) if folded else script.text
    telling = (line for t, line in zip(texts, script.lines, strict=False) if tells(t))
    line = script.lines[0] if len(script.lines) == 1 else next(telling, script.lines[0])
    return Value(text.strip(), line)


_VARIABLE = pattern(r"\$(?:(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")


def expanded(env: Variables, around: Variables, places: Places) -> Environment:
    """Return variables whose values refer to each other or to those around them, resolved."""
    found = dict(env)
    for _ in range(3):
        for name, value in found.items():
            if "$" in value.text:
                found[name] = _expanded(name, value, layered(found, around), places)
    return found


def _expanded(name: str, value: Value, env: Variables, places: Places) -> Value:
    line, text, at = value.line, "", 0
    for match in _VARIABLE.finditer(value.text):
        other = match["bare"] or match["braced"]
        known = env.get(other) if other != name else None
        if known is None or len(text) + len(known.text) > _LONGEST_VALUE:
            continue
        if tells(known.text) and known.line and line:
            line = places.behind(line, known.line)
        text += value.text[at : match.start()] + known.text
        at = match.end()
    return Value(text + value.text[at:], line)


def layered(over: Variables, under: Variables) -> Variables:
    """Return the variables of `under`, those of `over` before them, without copying either."""
    if not over:
        return under
    if not under:
        return over
    below = under.maps if isinstance(under, ChainMap) else (under,)
    return ChainMap(over, *below)  # type: ignore[arg-type]


def daemon_addresses(env: Variables, around: Variables) -> Iterator[
    tuple[str, Value, Target]
]:  # fmt: skip
    """Yield the variables of `env` that point a client at a daemon, and what they reach.

    `around` holds every variable in force: a client that verifies TLS reaches a daemon that asks
    for a certificate.
    """
    for name, value in env.items():
        if not sockets.daemon_variable(name) or name.upper() in _MOUNT_SOURCES:
            continue
        target = sockets.address(value.text)
        if target is None or (target.resource.startswith("tcp://") and tls(around)):
            continue
        yield name, value, target


def address_grants(
    places: Places, subject: Subject, env: Variables, around: Variables
) -> Iterator[Grant]:
    """Yield the grants of the variables in `env` that name a daemon's address."""
    for name, value, target in daemon_addresses(env, around):
        grant = places.mounted(subject, target, value.line)
        yield replace(grant, definition=_hash(f"{name.upper()}={value.text.strip()}"))


def tls(env: Variables) -> bool:
    """Tell whether the Docker client is told to verify TLS (Docker CLI, DOCKER_TLS_VERIFY)."""
    for name in _TLS:
        value = env.get(name)
        if value is not None and value.text.strip().strip("\"'").lower() not in _OFF:
            return True
    return False


# Any value that is not empty switches DOCKER_TLS_VERIFY on for the client; people who write "0"
# mean it to be off, and a check errs on the side of telling.
_OFF = frozenset({"", "0", "false", "no", "off"})
# Variables that scripts use as the source of a mount. The mount is what is reported.
_MOUNT_SOURCES = frozenset(
    {"DOCKER_SOCK", "DOCKER_SOCKET", "DOCKER_SOCKET_PATH", "DOCKER_SOCK_PATH"}
)


def _control(flag: str) -> str:
    return flag.replace("=", " ").split(maxsplit=1)[0] if flag.strip("= ") else ""


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
