"""One command -> what it reaches: by its name, by what it wraps, else by what its options say."""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.detect import mounts, sockets
from bot.detect.grant import How
from bot.detect.patterns import pattern
from bot.detect.shell import clients, endpoints, manifests, text, wrappers
from bot.detect.shell.addresses import CLIENT_VARIABLES, client_address
from bot.detect.shell.call import NONE, UNKNOWN, Call, command_name
from bot.detect.shell.options import names
from bot.detect.shell.pieces import Arg, Piece, Pieces, arg

Handler = Callable[[Call], Pieces]

# What these print or look at is only text to them.
_TEXT = names(
    "[ [[ test true false : ls stat rm rmdir mkdir touch cd exit return file readlink"
    " realpath dirname basename which type hash id pwd git apt apt-get apk yum dnf brew"
    " pip pip3 cut awk gawk diff cmp less more head tail sort uniq wc tree du df ps kill"
    " pkill pgrep wait sleep date man info apropos lsof fuser inotifywait dialog whiptail"
    " zenity logger lsblk umount getent uname cp mv ln tar jq yq xmllint markdownlint"
    " hadolint shellcheck rg ag ack grep egrep fgrep zgrep sed perl python python3 ruby"
    " node php go javac make-help cat-help rem get-item test-path remove-item get-content"
)
_LOGS = pattern(
    r"(?:.*_)?(?:log|info|warn|warning|err|error|die|fail|fatal|msg|message|print|say|debug|note"
    r"|notice|usage|help|abort|echo|title|header|banner|skip|panic|throw|raise|comment|step|begin"
    r"|section|success|ok|pass|write-host|write-output|write-verbose|write-warning|write-error"
    r"|stub|unstub|assert|expect|refute|describe|it)"
    r"(?:[_-]?(?:line|msg|message|info|error|success|step|\w*output\w*|equal|contains?))?",
    re.IGNORECASE,
)
_RUNNERS = pattern(
    r".*(?:run|exec|ssh|raises|retry|try|execute|command|cmd|eval|invoke|parallel|watch|concurrently"
    r"|hyperfine|batch|tmux|screen|nix-shell|start-process|start-job|invoke-expression|iex)\w*",
    re.IGNORECASE,
)
_STARTS_COMMAND = pattern(
    r"\s*(?:\w+=\S*\s+)*(?:sudo\s+(?:-\S+\s+)*)?(?:\S*/)?(?:docker|podman|nerdctl|socat|curl)\b"
)
_OPTION_CARRIERS = names(
    "make gmake act just task npm yarn pnpm packer gitlab-runner k3d devcontainer tox"
    " nomad earthly bazel gradle mvn ./gradlew ./mvnw"
)
_VOLUME_OPTIONS = pattern(r"(?:-v|--?[\w-]*(?:volumes?|mounts?|bind)|-B)\Z")
_OWN_OPTIONS = names("-v -B --volume --mount --bind")  # of a program in a container: its own
_SOCKET_OPTION = pattern(r"--?[\w.-]*daemon-socket\Z")
_SHORT_VOLUME = pattern(r"-v=?(?=[^=\s])")
_DECLARING = names("export declare typeset local readonly env setx")
# Variables on make's command line are in the environment of recipes (its manual, "Overriding").
_MAKES = names("make gmake")
_GIVEN = pattern(r"([A-Za-z_]\w*):?=", re.ASCII)
_LONGEST_LOOK = 400  # words of an unknown command that are looked at

_BY_NAME: Mapping[str, Handler] = {
    "echo": text.echo,
    "write-output": text.echo,
    "write-host": text.echo,
    "cat": text.cat,
    "tee": wrappers.tee,
    "envsubst": text.filtered,
    "sed": endpoints.sed,
    "tr": text.filtered,
    "grep": text.filtered,
    "awk": text.filtered,
    "cut": text.filtered,
    "sort": text.filtered,
    "head": text.filtered,
    "tail": text.filtered,
    "base64": text.filtered,
    **clients.HANDLERS,
    **endpoints.HANDLERS,
    **manifests.HANDLERS,
    **wrappers.HANDLERS,
}
_RUN_INSIDE = names("sudo doas nohup timeout xargs dockerd socat curl chmod chown buildctl")


def run(call: Call) -> Pieces:
    """Run one command and return what it prints, as far as that is known."""
    first = call.args[0]
    if first.opaque:
        return _unknown_name(call)
    name = command_name(first.text)
    handler = _BY_NAME.get(name)
    if handler is not None:
        return handler(call)
    written = call.host.files.get(first.text) or call.host.files.get(name)
    if written is not None:
        return call.host.script(written, call, call.args[1:])
    if name in _TEXT:
        return NONE if name in {"[", "[[", "test", ":", "cd", "mkdir", "rm", "exit"} else UNKNOWN
    if _LOGS.fullmatch(name):
        return UNKNOWN
    return _other(call, name)


def assigned(call: Call, variable: Arg, value: Arg) -> None:
    """Look at `NAME=value`, alone or before a command, exported or not."""
    name = variable.text
    if name == "DOCKER_TLS_VERIFY" and value.text not in {"", "0"} and not value.opaque:
        call.host.secured()
    if name not in CLIENT_VARIABLES:
        return
    target = client_address(value.text, name)
    if target is not None:
        what = clients.title(call) if call.args and call.name not in _DECLARING else ""
        call.host.report(
            call,
            target,
            value,
            variable,
            command=what or f"export {name}",
            about=value.text,
            words=None if what else f"{name}={value.text}",
        )


def _unknown_name(call: Call) -> Pieces:
    """`$SUDO docker run`, `"$FRONTEND" run`, `$(DOCKER) run`."""
    rest = call
    while rest.args and rest.args[0].opaque:
        rest = rest.drop(1)
    if not rest.args:
        return UNKNOWN
    if command_name(rest.args[0].text) in _BY_NAME:
        return call.host.command(rest)
    before = call.drop(len(call.args) - len(rest.args) - 1)
    if clients.looks_like_client(rest.args):
        return clients.docker(before)
    return _other(before, "")


def _other(call: Call, name: str) -> Pieces:
    """Look at a command that nothing here knows: what it may run, and what its options say."""
    words = call.args[:_LONGEST_LOOK]
    for number in range(1, len(words)):
        word = words[number]
        if name in _MAKES and (found := _GIVEN.match(word.text)):
            variable = arg((Piece(found[1], word.pieces[0].trail),))
            assigned(call._replace(args=()), variable, word.tail(found.end()))
        if runs_here(call.drop(number)):
            options(call, words[:number], name or "command")
            return call.host.command(call.drop(number))
        if any(blank in word.text for blank in " \t\n"):
            _quoted(call, name, number)
    options(call, words, name or "command")
    return UNKNOWN


def runs_here(call: Call) -> bool:
    """Tell whether a word inside an unknown command is a command that it runs."""
    name = call.name
    if name in wrappers.SHELLS:
        return wrappers.has_script(call)
    if name in clients.NAMES:
        return clients.looks_like_client(call.args[1:])
    return name in _RUN_INSIDE and len(call.args) > 1


def _quoted(call: Call, name: str, number: int) -> None:
    """Look at an argument that holds several words."""
    word = call.args[number]
    before = call.args[number - 1].text
    runs = before in {"-c", "--command", "--exec", "-e"} or (
        _RUNNERS.fullmatch(name) and _STARTS_COMMAND.match(word.text)
    )
    if runs:
        call.host.script(word.pieces, call)
    elif name in _OPTION_CARRIERS:
        options(call, pieces_of(word), name)


def pieces_of(word: Arg) -> list[Arg]:
    """Return the words inside one argument."""
    found: list[Arg] = []
    at = 0
    for part in re.split(r"(\s+|(?<=[A-Z])=)", word.text):
        if part.strip() and part != "=":
            found.append(_between(word, at, at + len(part)))
        at += len(part)
    return found


def _between(word: Arg, start: int, end: int) -> Arg:
    tail = word.tail(start)
    kept = []
    room = end - start
    for piece in tail.pieces:
        if room <= 0:
            break
        kept.append(piece._replace(text=piece.text[:room]))
        room -= len(piece.text)
    return Arg(word.text[start:end], tuple(kept), word.raw)


def options(call: Call, words: Sequence[Arg], name: str) -> None:
    """Report options of any command that mount a socket or name a daemon's address."""
    for number, word in enumerate(words):
        option, equals, _ = word.text.partition("=")
        if not option.startswith("-"):
            continue
        if found := _SHORT_VOLUME.match(word.text):
            value, flag = word.tail(found.end()), None
            option = "-v"
        elif equals:
            value, flag = word.tail(len(option) + 1), None
        elif number + 1 < len(words):
            value, flag = words[number + 1], word
        else:
            continue
        if _VOLUME_OPTIONS.fullmatch(option):
            if not (call.host.contained and option in _OWN_OPTIONS):
                _volume(call, value, flag, name)
        elif sockets.endpoint_option(option) or _SOCKET_OPTION.fullmatch(option):
            target = sockets.address(value.text)
            if target is not None:
                call.host.report(call, target, value, flag, command=name, about=value.text)


def _volume(call: Call, value: Arg, flag: Arg | None, name: str) -> None:
    target = mounts.short(value.text) or mounts.mount_option(value.text)
    if target is not None and target.how is How.MOUNT:
        source = mounts.source_of_short(value.text) or ""
        call.host.report(call, target, value, flag, command=name, about=source)
