"""The container that a command starts: what its options hand to it, and what runs inside it."""

import itertools
import re
from collections.abc import Iterator, Sequence

from bot.detect import mounts, sockets
from bot.detect.grant import How, Severity
from bot.detect.shell.addresses import CLIENT_VARIABLES, option_address
from bot.detect.shell.call import UNKNOWN, Call
from bot.detect.shell.options import EXEC, Option, Options
from bot.detect.shell.pieces import Arg, Pieces
from bot.detect.sockets import Target

_SWITCH = Target("docker", How.SWITCH, Severity.CRITICAL)

# Options that the daemon undoes for whoever reaches it: facts of the kernel and of the API, which
# applies only the options of the new container's own request.
_LIMITS = (
    "--cap-drop",
    "--read-only",
    "--security-opt",
    "--memory",
    "-m",
    "--cpus",
    "--cpu-shares",
    "--cpuset-cpus",
    "--pids-limit",
    "--ulimit",
    "--limit-cpu",
    "--limit-memory",
    "--limit-pids",
)
_USERS = ("-u", "--user", "--userns", "--network", "--net")
_NO_LIMIT = frozenset(
    {"root", "0", "0:0", "root:root", "host", "label=disable", "label:disable", "bridge"}
)


def start(call: Call, command: str, options: Options, *, image: bool = True) -> Pieces:
    """Report what a started container is given, then look at what runs in it."""
    rest = options.rest
    name = rest[0] if image and rest else next(_values(options, "--image"), None)
    found = list(_handed(call, options))
    undermines = tuple(_undermined(options)) if found else ()
    for target, value, option, about in found:
        read_only = tuple(_read_only(option, value))
        call.host.report(
            call,
            target,
            value,
            option.flag,
            command=command,
            image=name,
            undermines=undermines + read_only,
            about=about,
        )
    covered = frozenset(target.resource for target, *_ in found)
    _remember(call, options, found)
    for target, value, option in _environment(options):
        if target.resource not in covered:
            call.host.report(
                call, target, value, option.flag, command=command, image=name, about=value.text
            )
    if image and len(rest) > 1:
        with_image = rest[0].text
        _within(call, with_image, rest[1:], options, covered)
    return UNKNOWN


def _values(options: Options, *names: str) -> Iterator[Arg]:
    return (option.value for option in options.all(*names) if option.value is not None)


def _handed(call: Call, options: Options) -> Iterator[tuple[Target, Arg, Option, str]]:
    """Yield what the options hand over: the reached, the word, the option, the telling text."""
    mounted: set[str] = set()
    for option in sorted(options.given, key=lambda option: option.name == "--volumes-from"):
        value = option.value
        if option.name == "--use-api-socket" and options.has("--use-api-socket"):
            yield _SWITCH, option.flag, option, ""
        if value is None:
            continue
        if option.name in {"-v", "--volume"}:
            target = mounts.short(value.text)
            if target is not None:
                mounted.add(target.resource)
                yield target, value, option, mounts.source_of_short(value.text) or ""
        elif option.name in {"--mount", "--mount-add"}:
            target = mounts.mount_option(value.text)
            if target is not None:
                mounted.add(target.resource)
                yield target, value, option, mounts.source_of_mount_option(value.text) or ""
        elif option.name == "--volumes-from":
            inherited = call.host.containers.get(value.text.partition(":")[0])
            if inherited is not None and inherited.resource not in mounted:
                how = How.INHERITED
                yield Target(inherited.resource, how, inherited.severity), value, option, value.text


def _remember(
    call: Call, options: Options, found: Sequence[tuple[Target, Arg, Option, str]]
) -> None:
    for name in _values(options, "--name"):
        if found:
            call.host.containers[name.text] = found[0][0]


def _environment(options: Options) -> Iterator[tuple[Target, Arg, Option]]:
    """Yield the addresses that the container's client variables are given."""
    given = list(options.all("-e", "--env", "--env-add"))
    if any(option.value and _turns_tls_on(option.value.text) for option in given):
        return
    for option in given:
        if option.value is None:
            continue
        name, equals, text = option.value.text.partition("=")
        if equals and name in CLIENT_VARIABLES:
            target = option_address(text)
            if target is not None:
                yield target, option.value.tail(len(name) + 1), option


def _turns_tls_on(text: str) -> bool:
    name, _, value = text.partition("=")
    return name == "DOCKER_TLS_VERIFY" and value not in {"", "0"}


def _undermined(options: Options) -> Iterator[tuple[str, int]]:
    for option in options.given:
        text = option.value.text if option.value else ""
        if option.name in _LIMITS:
            if text.lower() in {"false", *_NO_LIMIT} or text.endswith("unconfined"):
                continue
        elif option.name in {"--network", "--net"}:
            if text != "none":
                continue
        elif option.name not in _USERS or text in _NO_LIMIT or not text:
            continue
        trail = option.flag.pieces[0].trail if option.flag.pieces else ()
        if trail:
            yield option.written, trail[0]


def _read_only(option: Option, value: Arg) -> Iterator[tuple[str, int]]:
    """Yield a read-only mount of the daemon itself: connecting is no write."""
    fields = mounts.split_short(value.text)
    short = len(fields) > 2 and "ro" in fields[-1].split(",")
    long = {"readonly", "ro"} & mounts.options(value.text).keys() if "type=" in value.text else ()
    if (short or long) and value.pieces and value.pieces[-1].trail:
        written = "ro" if short else "readonly"
        del option
        yield written, value.pieces[-1].trail[0]


def inside(call: Call, words: Sequence[Arg]) -> Pieces:
    """Run what `docker exec` runs."""
    rest = Options(words, EXEC).rest
    return call.host.command(call._replace(args=rest[1:])) if len(rest) > 1 else UNKNOWN


def _within(
    call: Call, image: str, words: Sequence[Arg], options: Options, covered: frozenset[str]
) -> None:
    """Look at what runs in a started container; what it is given anyway is not told again."""
    host = call.host
    repository = mounts.repository(image).rsplit("/", 1)[-1]
    before = (host.covered, host.contained)
    host.covered, host.contained = host.covered | covered, True
    try:
        entrypoint = next(_values(options, "--entrypoint"), None)
        first = words[0]
        if entrypoint is not None and entrypoint.text:
            host.command(call._replace(args=(entrypoint, *words), stdin=call.stdin))
        elif repository == "docker" and first.text.startswith("-"):
            dockerd(call, words)
        elif repository == "socat":
            host.command(call._replace(args=(first._replace(text="socat"), *words)))
        elif first.text.startswith("-"):
            host.options(call, words)
            _client_option(call, words, repository)
        else:
            host.command(call._replace(args=tuple(words)))
    finally:
        host.covered, host.contained = before


def _client_option(call: Call, words: Sequence[Arg], repository: str) -> None:
    """Portainer's `-H tcp://…`: the daemon that the program in the container talks to."""
    for flag, value in itertools.pairwise(words):
        target = option_address(value.text) if flag.text in {"-H", "--host"} else None
        if target is not None and "portainer" in repository:
            call.host.report(call, target, value, flag, command=repository, about=value.text)


def dockerd(call: Call, words: Sequence[Arg]) -> Pieces:
    """`dockerd -H tcp://0.0.0.0:2375`: the daemon itself, opened up."""
    texts = [word.text for word in words]
    if any(
        text.startswith("--tlsverify") and not text.endswith(("=false", "=0")) for text in texts
    ):
        return UNKNOWN
    for number, word in enumerate(words):
        flag, value = word, word
        if word.text in {"-H", "--host"} and number + 1 < len(words):
            value = words[number + 1]
        elif word.text.startswith(("--host=", "-H=")):
            value = word.tail(word.text.index("=") + 1)
        elif word.text.startswith("-H") and len(word.text) > 2:
            value = word.tail(2)
        else:
            continue
        target = listening(value.text)
        if target is not None:
            call.host.report(call, target, value, flag, command="dockerd", about=value.text)
    return UNKNOWN


def listening(text: str) -> Target | None:
    """Return what a daemon that listens on an address opens up, None for a local socket."""
    if text.startswith(("unix:", "fd:", "npipe:")):
        return None
    if "://" not in text and not re.fullmatch(r"\S*:(?:\d{2,5}|\$\{?\w+\}?)", text):
        return None
    target = sockets.address(text if "://" in text else f"tcp://{text}")
    if target is None or not target.resource.startswith("tcp://"):
        return None
    return Target(target.resource, How.LISTEN, target.severity)
