"""What the settings of a Nix file hand over.

Source: NixOS options, see `bot/detect/formats/nix.py`. A name like `volumes` says what it is
wherever it stands: modules of one's own are given the same lists.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256

from bot.detect import mounts, sockets
from bot.detect.ci.containers import Container, container_grants
from bot.detect.ci.places import Environment, Place, Places, Subject, address_grants
from bot.detect.grant import Grant, How, Step
from bot.detect.lines import Text
from bot.detect.nix.reader import Expression, Items, Word, read_nix
from bot.detect.nix.scanner import String
from bot.detect.nix.settings import Names, Said, Setting, settings
from bot.detect.shell import Script, Value
from bot.detect.sockets import Target
from bot.detect.units import command

_VOLUMES = frozenset({"volumes", "dockerVolumes", "extraVolumes", "binds"})
_OPTIONS = frozenset({"extraOptions", "extraPodmanArgs", "podmanArgs", "extraDockerArgs"})
_CONTAINER = _VOLUMES | _OPTIONS
_BOUND = frozenset({"BindPaths", "BindReadOnlyPaths"})
_SCRIPT = re.compile(
    r"(?:.*[a-z])?[sS]cript|(?:pre|post)(?:Start|Stop)|shellHook|\w*[sS]hellInit|initExtra\w*|init"
    r"|\w+Phase|Exec(?:Start|Stop|Reload|Condition)(?:Pre|Post)?|command"
)
_WRITER = re.compile(r"write\w*(?:Script|Application)\w*\Z|runCommand\w*\Z")
# A file whose name says what is made of it, and what writes one into the store.
_FILE = re.compile(r"[^'\n]*(?:\.ya?ml|\.json|\.service|\.socket|\.conf|\.sh)\Z")
_FILE_WRITER = re.compile(r"writeText(?:File)?\Z")
_END = "END OF THE FILE"
_EXECUTABLE = re.compile(
    r"\$\{(?:lib\.)?getExe'?\s+\(?[\w.]*?(?P<name>docker|podman|nerdctl|socat|curl)[\w.]*\)?"
    r"(?:\s+\"(?P<program>[\w-]+)\")?\s*\}"
)
_STORE = re.compile(r"\$\{[^{}\n]*\}(?=/s?bin/)")
# Names that say what kind of thing a set is, not which one.
_KINDS = frozenset(
    {
        "service",
        "containerConfig",
        "serviceConfig",
        "config",
        "settings",
        "volumeMounts",
        "container",
        "environment",
    }
)
_ENVIRONMENT = re.compile(r"[A-Z][A-Z0-9_]+\Z")


def nix_grants(path: str, text: Text) -> Iterator[Grant]:
    """Yield what a Nix file hands over."""
    yield from _Meaning(path, text).grants()


class _Meaning:
    def __init__(self, path: str, text: Text) -> None:
        self._places = Places(path, text)
        self._whole = read_nix(text)
        self._settings = settings(self._whole)
        self._names = Names(self._settings)
        self._images: dict[tuple[str, ...], str] = {}
        self._beside: dict[tuple[str, ...], list[Setting]] = {}
        for setting in self._settings:
            self._beside.setdefault(setting.names[:-1], []).append(setting)
            if setting.name == "image":
                said = next(self._names.said(setting.value), None)
                if said is not None:
                    self._images.setdefault(setting.names[:-1], said.text)

    def grants(self) -> Iterator[Grant]:
        """Yield what is handed over, in the order in which the file says it."""
        environments: set[tuple[str, ...]] = set()
        for setting in self._settings:
            name = setting.name
            if name in _CONTAINER or setting.names[-2:] == ("container", "options"):
                yield from self._container(setting)
            elif name in _BOUND:
                yield from self._bound(setting)
            elif name == "hostPath" or setting.names[-2:] == ("hostPath", "path"):
                yield from self._host_path(setting)
            elif name == "destination":
                yield from self._named_volume(setting)
            elif "bindMounts" in setting.names[-2:-1] and name.startswith("/"):
                yield from self._bind_mount(setting)
            elif name == "listenOptions" or setting.names[-3:] == ("daemon", "settings", "hosts"):
                yield from self._listening(setting)
            elif sockets.daemon_variable(name) and setting.names[:-1] not in environments:
                environments.add(setting.names[:-1])
                yield from self._addresses(setting)
            elif _SCRIPT.fullmatch(name) or (name == "text" and _WRITER.search(setting.call)):
                yield from self._scripts(setting)
            elif name == "text":
                yield from self._file(setting)
            yield from self._written(setting)

    def _subject(self, setting: Setting) -> Subject:
        """Return who a setting is of: the set that holds it, by the last name that says which."""
        around = setting.names[:-1]
        if "bindMounts" in around:
            around = around[: around.index("bindMounts")]
        said = [name for name in around if name not in _KINDS]
        image = self._image(around)
        kind = "setting"
        if "systemd" in around:
            kind, image = "unit", None
        elif image or setting.name in _CONTAINER or {"containers", "volumeMounts"} & set(around):
            kind = "container"
        beside = [one.binding.text for one in self._beside.get(setting.names[:-1], [])]
        first, last = setting.binding.first, setting.binding.last
        if setting.owner is not None and len(setting.owner.bindings) > 1:
            first, last = setting.owner.first, setting.owner.last
        return Subject(
            f"{kind} {said[-1]}" if said else kind, image, _digest(sorted(beside)), (first, last)
        )

    def _image(self, around: tuple[str, ...]) -> str | None:
        """Return the image of the innermost set that has one."""
        lengths = range(len(around), -1, -1)
        known = (self._images.get(around[:length]) for length in lengths)
        image = next(filter(None, known), None)
        return mounts.repository(image) if image else None

    def _at(self, said: Said) -> int:
        path = self._places.path
        before = (Step(path, said.source),) if said.source != said.line else ()
        return self._places.put(Place(path, said.line, before))

    def _container(self, setting: Setting) -> Iterator[Grant]:
        said = [(one, self._at(one)) for one in self._names.said(setting.value)]
        if setting.name in _VOLUMES:
            volumes = tuple(Script(one.text, (at,)) for one, at in said if ":" in one.text)
            container = Container(volumes)
        else:
            words = [(_word(one.text), at) for one, at in said if one.text.strip()]
            text = "\n".join(word for word, _ in words)
            container = Container((), Script(text, tuple(at for _, at in words)))
        yield from container_grants(self._places, self._subject(setting), container)

    def _bound(self, setting: Setting) -> Iterator[Grant]:
        for said in self._names.said(setting.value):
            for pair in said.text.split():
                source = mounts.split_short(pair.lstrip("-"))[0]
                yield from self._mounted(setting, said, sockets.host_path(source))

    def _host_path(self, setting: Setting) -> Iterator[Grant]:
        for said in self._names.said(setting.value):
            yield from self._mounted(setting, said, sockets.host_path(said.text))

    def _named_volume(self, setting: Setting) -> Iterator[Grant]:
        """Yield what `{ volume = "x"; destination = …; }` mounts in a Nomad job."""
        beside = setting.owner.bindings if setting.owner is not None else ()
        if any(one.names == ("volume",) for one in beside):
            for said in self._names.said(setting.value):
                yield from self._mounted(setting, said, sockets.mount("${volume}", said.text))

    def _bind_mount(self, setting: Setting) -> Iterator[Grant]:
        """`bindMounts."/run/docker.sock" = { }`: without a hostPath it is the same path."""
        if not any(one.name == "hostPath" for one in self._beside.get(setting.names, [])):
            said = Said(setting.name, setting.binding.first, setting.binding.first)
            yield from self._mounted(setting, said, sockets.host_path(setting.name))

    def _mounted(self, setting: Setting, said: Said, target: Target | None) -> Iterator[Grant]:
        if target is not None:
            yield self._places.mounted(self._subject(setting), target, self._at(said))

    def _listening(self, setting: Setting) -> Iterator[Grant]:
        for said in self._names.said(setting.value):
            text = f"0.0.0.0:{said.text}" if said.text.isdecimal() else said.text
            target = sockets.address(text)
            if target is not None and target.resource.startswith("tcp://"):
                opened = Target(target.resource, How.LISTEN, target.severity)
                subject = Subject("the Docker daemon")
                yield self._places.mounted(subject, opened, self._at(said))

    def _addresses(self, setting: Setting) -> Iterator[Grant]:
        env: Environment = {}
        for one in self._beside.get(setting.names[:-1], []):
            said = next(self._names.said(one.value), None)
            if said is not None and _ENVIRONMENT.match(one.name):
                env[one.name] = Value(said.text, self._at(said))
        yield from address_grants(self._places, self._subject(setting), env, env)

    def _scripts(self, setting: Setting) -> Iterator[Grant]:
        subject = self._subject(setting)
        if setting.name == "text":
            named = [one for one in self._beside[setting.names[:-1]] if one.name == "name"]
            said = next((one for name in named for one in self._names.said(name.value)), None)
            subject = Subject(f"script {said.text}" if said is not None else "script")
        for string in setting.value.strings():
            yield from self._ran(subject, string)

    def _written(self, setting: Setting) -> Iterator[Grant]:
        """Yield what scripts do that a value writes: `pkgs.writeShellScript "name" ''…''`."""
        if _SCRIPT.fullmatch(setting.name):
            return
        for name, string in _writers(setting.value, _WRITER):
            yield from self._ran(Subject(f"script {name}"), string)
        for name, string in _writers(setting.value, _FILE_WRITER):
            yield from self._filed(name, string)

    def _file(self, setting: Setting) -> Iterator[Grant]:
        """Yield what a file does: `environment.etc."compose.yml".text`, `writeTextFile { … }`."""
        beside = self._beside[setting.names[:-1]]
        named = [one for one in beside if one.name in {"name", "target"}]
        names = [said.text for one in named for said in self._names.said(one.value)]
        if setting.names[-3:-2] == ("etc",):
            names = [f"/etc/{setting.names[-2]}"]
        for name in (*names, *setting.names[-2:-1]):
            if _FILE.match(name):
                for string in setting.value.strings():
                    yield from self._filed(name, string)
                return

    def _filed(self, name: str, string: String) -> Iterator[Grant]:
        """Yield what a text does in a file of this name, which the shell's reader knows."""
        if not _FILE.match(name):
            return
        path, text = self._places.path, string.text
        lines = tuple(self._places.put(Place(path, line)) for line in string.lines)
        written = f"cat > '{name}' <<'{_END}'\n{text}\n{_END}"
        script = Script(written, (lines[0], *lines, lines[-1]))
        yield from self._places.ran(Subject(f"file {name}"), script, {})

    def _ran(self, subject: Subject, string: String) -> Iterator[Grant]:
        said = self._names.resolved(string)
        text = said.text if said.text.count("\n") == string.text.count("\n") else string.text
        text = _STORE.sub("/nix", _EXECUTABLE.sub(_program, command(text)))
        path = self._places.path
        lines = tuple(self._places.put(Place(path, line)) for line in string.lines)
        yield from self._places.ran(subject, Script(text, lines), {})


def _writers(value: Expression, writer: re.Pattern[str]) -> Iterator[tuple[str, String]]:
    """Yield the name of each text that a function writes, and the text."""
    stack: list[Expression | Items] = [value]
    while stack:
        expression = stack.pop()
        writes, texts = False, list[String]()
        for part in expression.parts:
            if isinstance(part, Word):
                writes, texts = writer.search(part.text) is not None, []
            elif isinstance(part, String) and writes:
                texts.append(part)
                if len(texts) > 1:
                    yield texts[0].text, part
            elif isinstance(part, Expression | Items):
                stack.append(part)


def _word(text: str) -> str:
    """Return one word for a shell; an option and its value in one text are meant as two."""
    if text.startswith("-") and not re.search(r"[\"'\\$`]", text):
        return text.replace("\n", " ")
    return "'" + text.replace("\n", " ").replace("'", "'\\''") + "'"


def _program(found: re.Match[str]) -> str:
    return found["program"] or found["name"]


def _digest(texts: Sequence[str] | Iterable[str]) -> str:
    return sha256("\0".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:24]
