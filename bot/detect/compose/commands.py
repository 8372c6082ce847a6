"""What a service runs -> scripts and argument lists with the lines of their words.

Source: Compose specification, "command", "entrypoint", "healthcheck", "post_start", "pre_stop",
"develop" (`exec` of a watch rule); the entry points of the `docker` image, which put `docker` or
`dockerd` before what starts with an option.
"""

from collections.abc import Iterator

from bot.detect import effort
from bot.detect.ci.places import Place, Places, aliases
from bot.detect.compose.clients import Setting
from bot.detect.compose.hints import hinted
from bot.detect.compose.interpolation import interpolate
from bot.detect.compose.values import Value
from bot.detect.grant import Step
from bot.detect.mounts import repository, split_short
from bot.detect.patterns import pattern
from bot.detect.shell import Reach, Script, interpret, interpret_argv
from bot.detect.shell import Value as Given

_SHELL = pattern(r"(?:.*/)?(?:ba|da|a|z|k)?sh\Z")
_DOCKER_IMAGE = pattern(r"(?:\A|/)docker\Z")
_MOST_WORDS = 2_000
_CLIENT_COMMANDS = frozenset(
    {"run", "create", "compose", "build", "buildx", "exec", "service", "stack", "swarm", "context"}
)


class Commands:
    """Reads what services run. Lines are numbers of `places`: they may be of several files."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def reaches(self, service: Value, settings: dict[str, Setting]) -> Iterator[Reach]:
        """Yield what the commands of a service reach."""
        image = service.get("image")
        entry, command = service.get("entrypoint"), service.get("command")
        before = self._implied(image, command) if entry is None else ()
        yield from self._run(entry, settings)
        yield from self._run(command, settings, before or self._shell_of(entry))
        test = service.get("healthcheck", "test")
        if test is not None:
            yield from self._test(test, settings)
        for name in ("post_start", "pre_stop"):
            hooks = service.get(name)
            for hook in hooks.listed() if hooks is not None else ():
                yield from self._run(hook.get("command"), settings)
        watched = service.get("develop", "watch")
        for rule in watched.listed() if watched is not None else ():
            yield from self._run(rule.get("exec", "command"), settings)

    def number(self, value: Value) -> int:
        """Return the number of the place where a value is written."""
        return self._number(value, value.line, value.steps())

    def _number(self, value: Value, line: int, steps: tuple[Step, ...]) -> int:
        own = Step(value.file.path, line)
        after = (*aliases(value.node, value.file.path), *value.after)
        before = tuple(step for step in steps if step not in {own, value.own, *after})
        return self._places.put(Place(own.path, line, before, after))

    def _run(
        self, value: Value | None, settings: dict[str, Setting], before: tuple[str, ...] = ()
    ) -> tuple[Reach, ...]:
        if value is None:
            return ()
        if value.kind == "scalar":
            script = self._script(value)
            text = " ".join((*before, script.text)) if before[-1:] != ("-c",) else script.text
            return interpret(Script(text, script.lines), self._env(settings, text))
        items = list(effort.first(value.items(), _MOST_WORDS))
        told = " ".join((*before, *(item.text for item in items)))
        if not items or ("$" not in told and not hinted(told)):
            return ()
        words = [(item.text, self.number(item)) for item in items]
        if before[-1:] == ("-c",):
            script = self._script(items[0])
            return interpret(script, self._env(settings, script.text))
        if len(words) > 2 and _SHELL.match(words[0][0]) and words[1][0].endswith("c"):
            script = self._script(items[2])
            return interpret(script, self._env(settings, script.text))
        first = words[0][1]
        argv = [*((word, first) for word in before), *words]
        return interpret_argv(argv, self._env(settings, " ".join(text for text, _ in argv)))

    def _test(self, test: Value, settings: dict[str, Setting]) -> tuple[Reach, ...]:
        if test.kind == "scalar":
            return self._run(test, settings)
        kind, *words = test.items() or (test,)
        if kind.text == "CMD-SHELL" and words:
            return self._run(words[0], settings)
        argv = [(word.text, self.number(word)) for word in words]
        return interpret_argv(argv, self._env(settings, "")) if argv else ()

    def _script(self, value: Value) -> Script:
        """Return a scalar as a script, variables put in line by line."""
        text, lines = value.node.script()
        if "$" not in text:
            return Script(text, tuple(self._number(value, line, ()) for line in lines))
        texts: list[str] = []
        numbers: list[int] = []
        for part, line in zip(text.split("\n"), lines, strict=False):
            said = interpolate(part, value.file.variables)
            steps = tuple(step for variable in said.variables for step in variable.steps)
            texts.append(said.text.replace("\n", " "))
            numbers.append(self._number(value, line, steps))
        return Script("\n".join(texts), tuple(numbers))

    def _env(self, settings: dict[str, Setting], text: str) -> dict[str, Given] | None:
        """Return the variables that a text may name, each with the number of its place."""
        if "$" not in text:
            return None
        return {
            name: Given(setting.text, self._of_setting(setting))
            for name, setting in settings.items()
            if name in text
        }

    def _of_setting(self, setting: Setting) -> int:
        *before, last = setting.steps
        return self._places.put(Place(last.path, last.line, tuple(before)))

    def _implied(self, image: Value | None, command: Value | None) -> tuple[str, ...]:
        """Return what the entry point of the `docker` image puts before a command."""
        if image is None or command is None or not _DOCKER_IMAGE.search(repository(image.text)):
            return ()
        first = command if command.kind == "scalar" else next(iter(command.items()), command)
        word = first.text.split(maxsplit=1)[0] if first.text.strip() else ""
        if word.startswith("-"):
            return ("dockerd",) if "dind" in split_short(image.text)[-1] else ("docker",)
        return ("docker",) if word in _CLIENT_COMMANDS else ()

    def _shell_of(self, entry: Value | None) -> tuple[str, ...]:
        """Return a shell that an entry point starts, where the command is its script."""
        if entry is None:
            return ()
        words = (
            entry.text.split()
            if entry.kind == "scalar"
            else [item.text for item in entry.items()[:4]]
        )
        last = words[-1] if words else ""
        shell = len(words) > 1 and _SHELL.match(words[0]) and last[:1] == "-" and "c" in last
        return ("sh", "-c") if shell else ()
