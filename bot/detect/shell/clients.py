"""docker, podman, nerdctl and their like: what a client's command hands to a container.

Sources: Docker CLI reference, docker/cli `opts/mount.go`, podman-run(1), podman-system-service(1),
nerdctl's command reference.
"""

from collections.abc import Callable, Mapping, Sequence

from bot.detect import mounts, sockets
from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern
from bot.detect.shell import containers, manifests
from bot.detect.shell.addresses import option_address
from bot.detect.shell.call import UNKNOWN, Call, command_name, joined
from bot.detect.shell.options import BUILD, DOCKER, NERDCTL, PODMAN, RUN, Options, Syntax, names
from bot.detect.shell.pieces import Arg, Pieces
from bot.detect.sockets import Target

_CLIENTS: Mapping[str, Syntax] = {
    "docker": DOCKER,
    "docker.io": DOCKER,
    "podman": PODMAN,
    "podman-remote": PODMAN,
    "nerdctl": NERDCTL,
    "nerdctl.lima": NERDCTL,
    "finch": NERDCTL,
    "balena": DOCKER,
    "balena-engine": DOCKER,
}
NAMES = frozenset(_CLIENTS)
_STARTING = frozenset({"run", "create"})
_SUBCOMMANDS = names(
    "run create exec compose container service volume context buildx stack build system"
    " pod play kube machine start daemon"
)
_SUBCOMMAND_NAME = pattern(r"[a-z-]+")
_HOST_OPTIONS = ("-H", "--host", "--url", "--address", "-a")
_SECURED = frozenset({"--tlsverify", "--tlscacert", "--tlscert", "--tlskey"})


def looks_like_client(args: Sequence[Arg]) -> bool:
    """Tell whether what follows an unknown command name reads like a container client's words."""
    texts = [word.text for word in args]
    if not texts:
        return False
    if texts[0] in {"-H", "--host"} or texts[0].startswith(("--host=", "-H=")):
        return True
    if texts[0] == "container" and len(texts) > 1:
        texts = texts[1:]
    return texts[0] in _SUBCOMMANDS and (texts[0] in _STARTING or len(texts) > 1)


def title(call: Call) -> str:
    """Return the stable name of a command: "docker run", "docker service create", "socat"."""
    name = call.name
    if name not in _CLIENTS:
        return name
    return _title(name, Options(call.args[1:], _CLIENTS[name]).rest)


def _title(name: str, rest: Sequence[Arg]) -> str:
    words = [word.text for word in rest[:2]]
    if not words or not _SUBCOMMAND_NAME.fullmatch(words[0]):
        return name
    nested = words[0] in {"container", "service", "volume", "context", "buildx", "stack", "compose"}
    if words[0] == "container":
        words = words[1:] or words
    return " ".join([name, *words[: 2 if nested and words[0] != "run" else 1]])


def docker(call: Call) -> Pieces:
    """Read a client's own options, then its subcommand."""
    name = call.name
    if name not in _CLIENTS:
        raw = call.args[0].raw.lower()
        name = next((known for known in ("podman", "nerdctl") if known in raw), "docker")
    options = Options(call.args[1:], _CLIENTS[name])
    rest = options.rest
    if options.given and not options.has(*_SECURED):
        for option in options.all(*_HOST_OPTIONS):
            value = option.value
            target = option_address(value.text) if value else None
            if value and target:
                command = _title(name, rest)
                call.host.report(
                    call, target, value, option.flag, command=command, about=value.text
                )
    if not rest:
        return UNKNOWN
    handler = _SUBCOMMAND.get(rest[0].text)
    return handler(call, name, rest[1:]) if handler else UNKNOWN


def _start(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker run`, `docker create`."""
    before = [word.text for word in call.args[: -len(words) or None]]
    sub = "create" if "create" in before else "run"
    return containers.start(call, f"{name} {sub}", Options(words, RUN))


def _container(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    handler = _SUBCOMMAND.get(words[0].text) if words else None
    return handler(call, name, words[1:]) if handler else UNKNOWN


def _exec(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    del name
    return containers.inside(call, words)


def compose(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker compose run -v …`, `docker compose -f - up`."""
    options = Options(words, DOCKER)
    command = f"{name} compose"
    for option in options.all("-H", "--host"):
        target = option_address(option.value.text) if option.value else None
        if option.value and target:
            call.host.report(call, target, option.value, option.flag, command=command)
    for option in options.all("-f", "--file"):
        manifests.fed(call, option.value, command)
    rest = options.rest
    if rest and rest[0].text in _STARTING:
        started = Options(rest[1:], RUN)
        return containers.start(call, f"{command} run", started, image=False)
    if rest and rest[0].text == "exec":
        return containers.inside(call, rest[1:])
    return UNKNOWN


def _service(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    if not words or words[0].text not in {"create", "update"}:
        return UNKNOWN
    sub = words[0].text
    options = Options(words[1:], RUN, interspersed=sub == "update")
    return containers.start(call, f"{name} service {sub}", options, image=sub == "create")


def _volume(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker volume create -o type=none -o o=bind -o device=/run`."""
    if not words or words[0].text != "create":
        return UNKNOWN
    for option in Options(words[1:], RUN, interspersed=True).all("-o", "--opt"):
        value = option.value
        if value is None or not value.text.startswith("device="):
            continue
        device = value.tail(len("device="))
        target = sockets.host_path(device.text)
        if target is not None:
            call.host.report(call, target, device, option.flag, command=f"{name} volume create")
    return UNKNOWN


def _context(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker context create x --docker host=ssh://…`."""
    if not words or words[0].text not in {"create", "update"}:
        return UNKNOWN
    for option in Options(words[1:], RUN, interspersed=True).all("--docker"):
        value = option.value
        if value is None:
            continue
        given = mounts.options(value.text)
        host = given.get("host", "")
        target = option_address(host)
        if target is not None and not given.keys() & {"ca", "cert", "key"}:
            command = f"{name} context {words[0].text}"
            call.host.report(call, target, value, option.flag, command=command, about=host)
    return UNKNOWN


def _buildx(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker buildx create --driver remote tcp://…`."""
    if not words or words[0].text != "create":
        return UNKNOWN
    options = Options(words[1:], RUN, interspersed=True)
    given = [option.value.text for option in options.all("--driver-opt") if option.value]
    secured = any(mounts.options(text).keys() & {"cacert", "cert", "key"} for text in given)
    for word in options.rest:
        target = sockets.address(word.text) if "://" in word.text else None
        if target is not None and not (secured and target.resource.startswith("tcp://")):
            call.host.report(call, target, word, command=f"{name} buildx create", about=word.text)
    return UNKNOWN


def _stack(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker stack deploy -c - name`."""
    if words and words[0].text in {"deploy", "up"}:
        options = Options(words[1:], RUN, interspersed=True)
        for option in options.all("-c", "--compose-file"):
            manifests.fed(call, option.value, f"{name} stack deploy")
    return UNKNOWN


def _build(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`podman build -v S:T`."""
    options = Options(words, BUILD, interspersed=True)
    return containers.start(call, f"{name} build", options, image=False)


def _system(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`podman system service tcp:…`, `podman system connection add x ssh://…`."""
    texts = [word.text for word in words]
    for word in words[1:]:
        text = word.text
        if texts[0] == "service" and text.startswith("tcp:"):
            address = text if text.startswith("tcp://") else "tcp://" + text.removeprefix("tcp:")
            target = Target(address, How.LISTEN, Severity.CRITICAL)
            call.host.report(call, target, word, command=f"{name} system service", about=text)
        elif texts[:2] == ["connection", "add"] and "://" in text:
            added = sockets.address(text)
            if added is not None:
                command = f"{name} system connection add"
                call.host.report(call, added, word, command=command, about=text)
    return UNKNOWN


def _pod(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    if not words or words[0].text != "create":
        return UNKNOWN
    options = Options(words[1:], RUN, interspersed=True)
    return containers.start(call, f"{name} pod create", options, image=False)


def _play(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`podman kube play -`."""
    if words and words[-1].text != "play":
        manifests.fed(call, words[-1], f"{name} kube play")
    return UNKNOWN


def _machine(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`podman machine ssh "…"`."""
    del name
    if len(words) > 1 and words[0].text == "ssh":
        return call.host.script(joined(words[1:]), call)
    return UNKNOWN


def _daemon(call: Call, name: str, words: Sequence[Arg]) -> Pieces:
    """`docker daemon -H …`, before there was dockerd."""
    del name
    return containers.dockerd(call, words)


def _docker_machine(call: Call) -> Pieces:
    """`docker-machine ssh name "…"`."""
    words = call.args[1:]
    if len(words) > 2 and words[0].text == "ssh":
        return call.host.script(joined(words[2:]), call)
    return UNKNOWN


def _compose_command(call: Call) -> Pieces:
    name = call.name.partition("-")[0]
    return compose(call, name, call.args[1:])


def _behind(call: Call) -> Pieces:
    """`lima nerdctl …`, `colima nerdctl -- …`, `buildah run -v …`: a client behind a name."""
    rest = call.drop(1)
    while rest.args and (rest.args[0].text.startswith("-") or rest.args[0].text == "shell"):
        rest = rest.drop(1)
    if len(rest.args) > 1 and command_name(rest.args[1].text) in _CLIENTS:
        rest = rest.drop(1)  # the name of a virtual machine
    if not rest.args:
        return UNKNOWN
    if command_name(rest.args[0].text) in _CLIENTS:
        words = tuple(word for word in rest.args if word.text != "--")
        return call.host.command(rest._replace(args=words))
    if rest.args[0].text in {"run", "bud", "build", "from"}:
        options = Options(rest.args[1:], BUILD)
        return containers.start(call, f"{call.name} {rest.args[0].text}", options, image=False)
    return call.host.script(joined(rest.args), call) if call.name == "lima" else UNKNOWN


_SUBCOMMAND: Mapping[str, Callable[[Call, str, Sequence[Arg]], Pieces]] = {
    "run": _start,
    "create": _start,
    "container": _container,
    "exec": _exec,
    "compose": compose,
    "service": _service,
    "volume": _volume,
    "context": _context,
    "buildx": _buildx,
    "stack": _stack,
    "build": _build,
    "system": _system,
    "pod": _pod,
    "play": _play,
    "kube": _play,
    "machine": _machine,
    "daemon": _daemon,
}

HANDLERS: Mapping[str, Callable[[Call], Pieces]] = {
    **dict.fromkeys(_CLIENTS, docker),
    "docker-compose": _compose_command,
    "docker-machine": _docker_machine,
    "podman-compose": _compose_command,
    "lima": _behind,
    "colima": _behind,
    "limactl": _behind,
    "buildah": _behind,
}
