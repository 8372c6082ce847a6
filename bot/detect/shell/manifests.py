"""Compose and Kubernetes text inside a shell script: what it mounts, line by line.

The text is fed to `docker compose -f -`, `docker stack deploy -c -`, `kubectl apply -f -`, or
written to a file that one of these reads. It is looked at only simply: the files themselves have
formats of their own.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from bot.detect import mounts, sockets
from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern
from bot.detect.shell.addresses import CLIENT_VARIABLES, option_address
from bot.detect.shell.call import UNKNOWN, Call
from bot.detect.shell.pieces import Arg, Piece, Pieces, arg
from bot.detect.sockets import Target

_ITEM = pattern(r"\s*-\s+[\"']?(?P<value>[^\s\"'].*?)[\"']?\s*(?:#.*)?\Z")
_KEY = pattern(
    r"\s*(?:-\s+)?[\"']?(?P<key>source|src|device|hostPath|path|file)[\"']?\s*:"
    r"\s*[\"']?(?P<value>[^\s\"',}#]+)"
)
_FLOW_PATH = pattern(
    r"[\"']?hostPath[\"']?\s*:\s*\{[^{}]*?[\"']?path[\"']?\s*:\s*[\"']?(?P<value>[^\s\"',}]+)"
)
_FLOW_TEXT = pattern(r"[\"'](?P<value>[^\"'\s]+:[^\"'\s]*)[\"']")
_HOST_PATH_OPENS = pattern(r"\s*(?:-\s+)?[\"']?hostPath[\"']?\s*:\s*\{?\s*\Z")
_VARIABLE = pattern(r"\s*(?:-\s+)?[\"']?(?P<key>[A-Z_]+)[\"']?\s*[:=]\s*[\"']?(?P<value>[^\s\"']+)")
_SWITCH = pattern(r"\s*use_api_socket\s*:\s*true\b")
_IMAGE = pattern(r"\s*(?:-\s+)?image\s*:\s*[\"']?(?P<value>[^\s\"'#]+)")
_MOST_LINES = 20_000
_FAR = 60  # lines between a mount and its container's image


def fed(call: Call, file: Arg | None, command: str) -> None:
    """Look at the text that a command reads from `file`, which is `-` or was written here."""
    if file is None:
        return
    text = call.stdin if file.text in {"-", "/dev/stdin"} else call.host.files.get(file.text)
    if text:
        look(call, text, command)


def look(call: Call, text: Pieces, command: str) -> None:
    """Report what a manifest's lines mount."""
    held = [*lines(text)]
    below = False  # the line before opened a hostPath
    for number, line in enumerate(held):
        stripped = line.text.lstrip()
        if not stripped or stripped.startswith("#"):
            continue
        for target, start, value in _said(line.text, below=below):
            where = line.tail(start)
            image = _image_near(held, number)
            call.host.report(
                call, target, where, command=command, image=image, about=value, words=line.text
            )
        below = bool(_HOST_PATH_OPENS.match(line.text)) or (
            below and bool(re.match(r"\s*type\s*:", line.text))
        )


def _said(line: str, *, below: bool) -> Iterator[tuple[Target, int, str]]:
    """Yield what one line reaches, where it says so, and the text that does."""
    if _SWITCH.match(line):
        yield Target("docker", How.SWITCH, Severity.CRITICAL), 0, ""
    elif (found := _VARIABLE.match(line)) and found["key"] in CLIENT_VARIABLES:
        if target := option_address(found["value"]):
            yield target, found.start("value"), found["value"]
    elif found := _FLOW_PATH.search(line):
        if target := sockets.host_path(found["value"]):
            yield target, found.start("value"), found["value"]
    elif found := _KEY.match(line):
        if (found["key"] != "path" or below) and (target := sockets.host_path(found["value"])):
            yield target, found.start("value"), found["value"]
    elif "[" in line:
        for one in _FLOW_TEXT.finditer(line):
            if target := mounts.short(one["value"]):
                yield target, one.start("value"), one["value"]
    elif (found := _ITEM.match(line)) and (target := mounts.short(found["value"])):
        source = mounts.source_of_short(found["value"]) or ""
        yield target, found.start("value"), source


def _image_near(held: Sequence[Arg], number: int) -> Arg | None:
    """Return the image of the mapping around a line: beside the key that holds the line."""
    texts = [line.text for line in held[max(0, number - _FAR) : number + _FAR]]
    at = min(number, _FAR)
    depth = _depth(texts[at])
    key = at
    while key >= 0 and (_depth(texts[key]) >= depth or texts[key].lstrip().startswith("-")):
        key -= 1
    if key < 0:
        return None
    depth = _depth(texts[key])
    for step in (-1, 1):
        near = key + step
        while 0 <= near < len(texts) and (_depth(texts[near]) >= depth or not texts[near].strip()):
            found = _IMAGE.match(texts[near])
            if found and _depth(texts[near]) == depth:
                return arg((Piece(found["value"], ()),), found["value"])
            near += step
    return None


def _depth(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


def lines(text: Pieces) -> Iterator[Arg]:
    """Yield the lines of a text, each as one word."""
    current: list[Piece] = []
    count = 0
    for piece in text:
        parts = piece.text.split("\n")
        for number, part in enumerate(parts):
            if number:
                yield arg(current)
                current = []
                count += 1
            if part:
                current.append(piece._replace(text=part))
        if count > _MOST_LINES:
            return
    if current:
        yield arg(current)


def _kubectl(call: Call) -> Pieces:
    """`kubectl apply -f -`, `kubectl run --overrides='{…}'`, `kubectl exec … -- command`."""
    words = call.args
    for number, word in enumerate(words):
        text = word.text
        after = words[number + 1] if number + 1 < len(words) else None
        if text == "--" and after is not None:
            return call.host.command(call.drop(number + 1))
        if text in {"-f", "--filename"}:
            fed(call, after, "kubectl apply")
        elif text.startswith(("-f", "--filename=")):
            start = text.index("=") + 1 if "=" in text else 2
            fed(call, word.tail(start), "kubectl apply")
        elif text in {"--overrides", "-p", "--patch"} and after is not None:
            look(call, after.pieces, f"kubectl {call.args[1].text}")
        elif text.startswith(("--overrides=", "--patch=")):
            start = text.index("=") + 1
            look(call, word.tail(start).pieces, f"kubectl {call.args[1].text}")
    return UNKNOWN


def _helm(call: Call) -> Pieces:
    """`helm install --set agent.hostPath=/var/run/docker.sock`."""
    words = call.args
    for number, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if name in {"--set", "--set-string"}:
            value = word.tail(len(name) + 1) if equals else next(iter(words[number + 1 :]), word)
            at = 0
            for pair in value.text.split(","):
                key, _, path = pair.partition("=")
                target = sockets.host_path(path)
                if target is not None and target.how is How.MOUNT:
                    where = value.tail(at + len(key) + 1)
                    call.host.report(call, target, where, word, command="helm", about=path)
                at += len(pair) + 1
        elif name in {"-f", "--values"} and number + 1 < len(words) and not equals:
            fed(call, words[number + 1], "helm")
    return UNKNOWN


def _kind(call: Call) -> Pieces:
    """`kind create cluster --config -`."""
    words = call.args
    for number, word in enumerate(words):
        if word.text == "--config" and number + 1 < len(words):
            fed(call, words[number + 1], "kind create cluster")
        elif word.text.startswith("--config="):
            fed(call, word.tail(len("--config=")), "kind create cluster")
    return UNKNOWN


def _lxc(call: Call) -> Pieces:
    """`lxc config device add c d disk source=/run/docker.sock`, also as a proxy's `connect=`."""
    texts = call.texts()
    if "exec" in texts and "--" in texts:
        return call.host.command(call.drop(texts.index("--") + 1))
    for word in call.args:
        name, _, value = word.text.partition("=")
        target = sockets.host_path(value.removeprefix("unix:")) if value else None
        if name in {"source", "connect"} and target is not None and target.how is How.MOUNT:
            how = How.RELAY if name == "connect" else How.MOUNT
            given = Target(target.resource, how, target.severity)
            call.host.report(call, given, word, command=call.name, about=value)
    return UNKNOWN


def _bind(call: Call) -> Pieces:
    """`mount --bind SOCKET PLACE`, `systemd-nspawn --bind=SOCKET`, `bwrap --bind SOCKET PLACE`."""
    words = call.args
    for number, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if name in {"--bind", "-B", "--rbind", "--bind-ro", "--ro-bind"} or (
            call.name == "mount" and word.text == "bind"
        ):
            value = word.tail(len(name) + 1) if equals else next(iter(words[number + 1 :]), word)
            source = mounts.split_short(value.text)[0]
            target = sockets.host_path(source)
            if target is not None and target.how is How.MOUNT:
                call.host.report(call, target, value, word, command=call.name, about=source)
    texts = call.texts()
    if call.name != "mount" and "--" in texts:
        return call.host.command(call.drop(texts.index("--") + 1))
    return UNKNOWN


HANDLERS: Mapping[str, Callable[[Call], Pieces]] = {
    **dict.fromkeys(("kubectl", "oc", "k3s", "microk8s.kubectl"), _kubectl),
    "helm": _helm,
    "kind": _kind,
    **dict.fromkeys(("lxc", "incus"), _lxc),
    **dict.fromkeys(("mount", "systemd-nspawn", "bwrap", "singularity", "apptainer"), _bind),
}
