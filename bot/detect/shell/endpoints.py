"""Commands other than container clients that reach a daemon, pass it on or open it up.

Sources: dockerd(8), socat(1), ssh(1), curl(1), ncat(1), chmod(1), setfacl(1), BuildKit's
`buildctl` reference, crictl, critest and ctr help. Putting an account into the group docker is no
container, job or script that reaches a daemon: `usermod` and its like are quiet (the design).
"""

import re
from collections.abc import Callable, Mapping, Sequence

from bot.detect import sockets
from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern
from bot.detect.shell import containers, manifests
from bot.detect.shell.call import NONE, UNKNOWN, Call
from bot.detect.shell.pieces import Arg, Pieces
from bot.detect.sockets import Target

_OPEN_MODE = pattern(r"0*\d?\d\d[2367]|(?:.*,)?[ugo]*[oa][ugo]*[+=][rXxst]*w\w*(?:,.*)?|\+\w*w\w*")
_UNIX_CLIENT = pattern(r"(?:UNIX|UNIX-CONNECT|UNIX-CLIENT|GOPEN):(?P<path>[^,]+)", re.IGNORECASE)
_UNIX_LISTEN = pattern(r"(?:UNIX-LISTEN|UNIX-L|UNIX-RECVFROM):(?P<path>[^,]+)", re.IGNORECASE)
_TCP_CLIENT = pattern(
    r"(?:TCP|TCP4|TCP6|TCP-CONNECT|TCP4-CONNECT):(?P<address>[^,]+)", re.IGNORECASE
)
_OWN = pattern(r"docker|podman", re.IGNORECASE)  # in the name of a variable that nothing gives
_FOLDERS = pattern(r"\A.*/(?![^({]*[)}])")  # of a path, not inside `${…}` or `$(…)`
_API_URL = pattern(r"(?:https?://)?(?P<host>[^/\s]+:2375)(?P<path>/\S*)?")
_MOUNTING_TEXT = pattern(r"[\"'](?:hostPath|Binds)[\"']\s*:")  # of Marathon, of Docker's API
_ASKS_WHETHER = pattern(r"/?(?:v[\d.]+/)?(?:_ping|version|info)?\Z")
_CERTIFIED = pattern(r"--tls(?:cacert|cert|key|dir)\b")
_LISTEN_TEXT = pattern(r"(?:-H|--host)[= ]*(?P<address>tcp://[^\s\"'|,#/]+)")
_DAEMON_FILES = pattern(
    r"(?:docker[\w.-]*\.service|/etc/(?:default|sysconfig)/docker\b|docker\.service\.d/|daemon\.json)"
)


def _socket(text: str) -> Target | None:
    """Return what a path reaches if it is a daemon's own socket."""
    target = sockets.host_path(text)
    return target if target is not None and target.how is How.MOUNT else None


def _with(target: Target, how: How, severity: Severity | None = None) -> Target:
    return Target(target.resource, how, severity or target.severity)


def _dockerd(call: Call) -> Pieces:
    return containers.dockerd(call, call.args[1:])


def _socat(call: Call) -> Pieces:
    """`socat TCP-LISTEN:2375,fork UNIX-CONNECT:/var/run/docker.sock`, and the way back."""
    ends = [word for word in call.args[1:] if not word.text.startswith("-") or word.text == "-"]
    for word in ends:
        if found := _UNIX_CLIENT.match(word.text):
            target = _socket(found["path"])
            if target is not None:
                alone = any(other.text in {"-", "STDIO", "stdio"} for other in ends)
                how = How.RAW_API if alone else How.RELAY
                path = found["path"]
                call.host.report(call, _with(target, how), word, command="socat", about=path)
        elif (found := _TCP_CLIENT.match(word.text)) and any(
            (opened := _UNIX_LISTEN.match(other.text)) and _socket(opened["path"]) for other in ends
        ):
            target = sockets.address("tcp://" + found["address"])
            if target is not None:
                call.host.report(call, _with(target, How.RELAY), word, command="socat")
    return UNKNOWN


def forwards(call: Call) -> None:
    """`ssh -L /tmp/x.sock:/var/run/docker.sock host`, also -R."""
    for number, word in enumerate(call.args[1:], 1):
        letters = re.match(r"-[fNnTqvCA46gtxXaYKkMGsVy]*[LR]", word.text)
        if letters is None:
            continue
        value, flag = word.tail(letters.end()), word
        if not value.text and number + 1 < len(call.args):
            value = call.args[number + 1]
        for field in value.text.split(":"):
            target = _socket(field)
            if target is not None:
                relay = _with(target, How.RELAY)
                call.host.report(call, relay, value, flag, command="ssh", about=field)
                break


def _curl(call: Call) -> Pieces:
    """`curl --unix-socket PATH`, `curl http://host:2375/containers/json`, `curl -d '{…}'`."""
    words = call.args[1:]
    for number, word in enumerate(words):
        option, equals, _ = word.text.partition("=")
        if _MOUNTING_TEXT.search(word.text):
            manifests.look(call, word.pieces, call.name)
        if _is_unix_socket(option):
            value = word.tail(len(option) + 1) if equals else next(iter(words[number + 1 :]), word)
            target = _socket(value.text)
            name = _FOLDERS.sub("", value.text)
            if target is None and sockets.unresolved(name) and _OWN.search(name):
                target = Target("docker", How.RAW_API, Severity.HIGH)
            if target is not None:
                raw = _with(target, How.RAW_API)
                call.host.report(call, raw, value, word, command=call.name, about=value.text)
        elif (found := _API_URL.match(word.text)) and not _ASKS_WHETHER.match(found["path"] or ""):
            target = sockets.address("tcp://" + found["host"])
            if target is not None:
                raw = _with(target, How.RAW_API)
                call.host.report(call, raw, word, command=call.name, about=found["host"])
    return UNKNOWN


def _is_unix_socket(option: str) -> bool:
    """Tell whether it is `--unix-socket`; curl takes the names of its options cut short, too."""
    cut_short = option.startswith("--unix") and "--unix-socket".startswith(option)
    return cut_short or option == "--abstract-unix-socket"


def _netcat(call: Call) -> Pieces:
    """`nc -U PATH`, `ncat --unixsock PATH`."""
    texts = call.texts()
    unix = any(re.fullmatch(r"-\w*U\w*|--unixsock", text) for text in texts)
    for word in call.args[1:] if unix else ():
        target = _socket(word.text)
        if target is not None and "-z" not in texts:
            raw = _with(target, How.RAW_API)
            call.host.report(call, raw, word, call.args[0], command=call.name, about=word.text)
    return UNKNOWN


def _chmod(call: Call) -> Pieces:
    """`chmod 666 /var/run/docker.sock`: open to every user."""
    words = [word for word in call.args[1:] if not re.match(r"-[RcfvR]+\Z|--", word.text)]
    if words and _OPEN_MODE.fullmatch(words[0].text):
        _permission(call, words[1:])
    return NONE


def _chown(call: Call) -> Pieces:
    """`chown`, `chgrp` and `setfacl` of the socket, to someone other than root."""
    words = [word for word in call.args[1:] if not word.text.startswith("-")]
    if call.name == "setfacl":
        given = [word for word in words if _socket(word.text)]
        if not {"-b", "-x", "-k"} & set(call.texts()):
            _permission(call, given)
    elif words and words[0].text not in {"root", "root:root", "0", "0:0", ":root"}:
        _permission(call, words[1:])
    return NONE


def _permission(call: Call, words: Sequence[Arg]) -> None:
    for word in words:
        target = _socket(word.text)
        if target is not None:
            opened = _with(target, How.PERMISSION)
            call.host.report(call, opened, word, call.args[0], command=call.name, about=word.text)


def _buildctl(call: Call) -> Pieces:
    """`buildctl --addr unix://…`, `buildctl build --ssh id=/var/run/docker.sock,raw=true`."""
    for value, flag in _valued(call, "--addr", "--ssh"):
        if flag.text.startswith("--ssh"):
            path = value.text.partition("=")[2].partition(",")[0]
            target = _socket(path)
            if target is not None:
                call.host.report(call, target, value, flag, command="buildctl build", about=path)
        elif target := sockets.address(value.text):
            if target.resource.startswith("tcp://") and any(map(_CERTIFIED.match, call.texts())):
                continue
            call.host.report(call, target, value, flag, command="buildctl", about=value.text)
    return UNKNOWN


def _containerd(call: Call) -> Pieces:
    """`ctr --address PATH`, `crictl --runtime-endpoint unix://…`, `critest` likewise."""
    short = () if call.name == "critest" else ("-a", "-r", "-i")
    names = (*short, "--address", "--runtime-endpoint", "--image-endpoint")
    for value, flag in _valued(call, *names):
        target = sockets.address(value.text)
        if target is not None:
            call.host.report(call, target, value, flag, command=call.name, about=value.text)
    return UNKNOWN


def _valued(call: Call, *names: str) -> list[tuple[Arg, Arg]]:
    """Return the values of options, with the word that holds the option."""
    found: list[tuple[Arg, Arg]] = []
    words = call.args[1:]
    for number, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if name in names:
            if equals:
                found.append((word.tail(len(name) + 1), word))
            elif number + 1 < len(words):
                found.append((words[number + 1], word))
    return found


def sed(call: Call) -> Pieces:
    """`sed -i 's|-H fd://|-H tcp://0.0.0.0:2375|' docker.service`: opens the daemon up."""
    if any(_DAEMON_FILES.search(text) for text in call.texts()[2:]):
        for word in call.args[1:]:
            opens(call, word, "sed")
    return (*(call.stdin or NONE), *UNKNOWN)


def opens(call: Call, word: Arg, command: str) -> None:
    """Report `-H tcp://…` inside text that becomes a daemon's configuration."""
    if "--tlsverify" in word.text:
        return
    for found in _LISTEN_TEXT.finditer(word.text):
        target = containers.listening(found["address"])
        if target is not None:
            where = word.tail(found.start("address"))
            call.host.report(call, target, where, command=command, about=found["address"])


HANDLERS: Mapping[str, Callable[[Call], Pieces]] = {
    "dockerd": _dockerd,
    "dockerd-entrypoint.sh": _dockerd,
    "dockerd-rootless.sh": _dockerd,
    "docker-entrypoint.sh": _dockerd,
    "socat": _socat,
    "curl": _curl,
    "wget": _curl,
    **dict.fromkeys(("invoke-restmethod", "invoke-webrequest", "irm", "iwr"), _curl),
    "nc": _netcat,
    "ncat": _netcat,
    "netcat": _netcat,
    "chmod": _chmod,
    "chown": _chown,
    "chgrp": _chown,
    "setfacl": _chown,
    "buildctl": _buildctl,
    "ctr": _containerd,
    "crictl": _containerd,
    "critest": _containerd,
}
