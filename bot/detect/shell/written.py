"""Text that a script writes somewhere: what becomes of it there.

`echo "DOCKER_HOST=…" >> "$GITHUB_ENV"` sets a variable for the steps that follow, a compose file
written by a here-document mounts what it mounts. Sources: GitHub Actions "Workflow commands",
CircleCI `$BASH_ENV`, Azure Pipelines logging commands, TeamCity service messages, dockerd(8).
"""

import re

from bot.detect import sockets
from bot.detect.grant import How, Severity
from bot.detect.patterns import pattern
from bot.detect.shell import containers, manifests
from bot.detect.shell.addresses import CLIENT_VARIABLES, client_address
from bot.detect.shell.call import Call
from bot.detect.shell.pieces import Arg, Pieces, arg, limited
from bot.detect.sockets import Target

_ENVIRONMENT = pattern(
    r".*(?:GITHUB_ENV|BASH_ENV|GITHUB_OUTPUT\b|/etc/environment|\.?(?:bash|zsh)(?:rc|env)|\.profile"
    r"|_profile|/etc/profile(?:\.d/.*)?|\.envrc|\.env(?:\.[\w-]+)?|[\w-]+\.env)[\"'}%]*\Z",
    re.IGNORECASE,
)
_STEPS = pattern(r"GITHUB_ENV|BASH_ENV")
_COMPOSE = pattern(r"(?:.*/)?[^/]*(?:compose|stack)[^/]*\.ya?ml\Z", re.IGNORECASE)
_SCRIPT = pattern(r".*\.(?:sh|bash)\Z")
_UNIT = pattern(r".*(?:\.service|\.service\.d/[^/]+\.conf|/etc/init/[^/]+\.conf|/cron[^/]*/\w+)\Z")
_DAEMON = pattern(
    r".*(?:/etc/docker/daemon\.json|docker[\\/]config[\\/]daemon\.json"
    r"|/etc/(?:default|sysconfig)/docker\b.*|/boot2docker/profile)\Z"
)
_SHEBANG = pattern(r"\s*#!\s*\S*(?:/|env\s+)(?:ba|z|da|a|k)?sh\b")
_ASSIGNED = pattern(
    r"\s*(?:export\s+|set\s+-gx\s+)?(?P<name>[A-Z_]+)[= ][\"']?"
    r"(?P<value>(?:\$\([^)\n]*\)|[^\s\"'])*)"
)
_EXEC = pattern(r"\s*(?:Exec\w+\s*=\s*[-@:+!]*|exec\s+|(?:[\d*/,-]+\s+){5}(?:root\s+)?)(?=\S)")
_LOGGED = pattern(
    r"(?:##vso\[task\.setvariable\s+variable=(?P<azure>\w+)[^\]]*\]"
    r"|::set-env name=(?P<github>\w+)::"
    r"|##teamcity\[setParameter name='env\.(?P<teamcity>\w+)' value=')(?P<value>[^\s\"']*)"
)
_TCP_HOST = pattern(r"tcp://[^\s\"',\]]+")
_MOST_FILES = 1_000
_MOST_PIECES = 4_000
_MOST_TEXT = 200_000


def write(call: Call, target: Arg, output: Pieces) -> None:
    """Take note of text written to a file, and look at what it does there."""
    name = target.text
    if not output or name in {"/dev/null", "/dev/stderr", "/dev/stdout", "2", "-"}:
        return
    held = tuple(piece for piece in output if piece.text)
    if sum(len(piece.text) for piece in held) > _MOST_TEXT:
        return
    if _ENVIRONMENT.match(name):
        _environment(call, name, held)
    elif _COMPOSE.match(name):
        manifests.look(call, held, "docker compose")
    elif _UNIT.match(name):
        for line in manifests.lines(held):
            if found := _EXEC.match(line.text):
                call.host.script(line.tail(found.end()).pieces, call)
    elif _DAEMON.match(name):
        _daemon(call, held)
    elif _SCRIPT.match(name) or (held and _SHEBANG.match(held[0].text)):
        call.host.script(held, call)
    elif len(call.host.files) < _MOST_FILES:
        before = call.host.files.get(name, ())
        call.host.files[name] = (*before[:_MOST_PIECES], *held[:_MOST_PIECES])


def _environment(call: Call, name: str, held: Pieces) -> None:
    steps = bool(_STEPS.search(name))
    for line in manifests.lines(held):
        found = _ASSIGNED.match(line.text)
        if found is None:
            continue
        variable, value = found["name"], found["value"]
        if variable == "DOCKER_TLS_VERIFY" and value not in {"", "0"} and "$" not in value:
            call.host.secured()
        if variable not in CLIENT_VARIABLES:
            continue
        target = client_address(value, variable)
        if target is None and steps and value and sockets.unresolved(value):
            target = Target("docker", How.ADDRESS, Severity.HIGH)
        if target is not None and "GITHUB_OUTPUT" not in name:
            where = line.tail(found.start("value"))
            _report(call, target, where, variable, value)


def _report(call: Call, target: Target, where: Arg, variable: str, value: str) -> None:
    command = f"export {variable}"
    words = f"{variable}={value}"
    call.host.report(call, target, where, command=command, about=value, words=words)


def _daemon(call: Call, held: Pieces) -> None:
    """`{"hosts": ["tcp://0.0.0.0:2375"]}`, `DOCKER_OPTS="-H tcp://0.0.0.0:2375"`."""
    whole = "".join(piece.text for piece in held)
    if re.search(r"tlsverify[\"']?\s*[:=]?\s*true|--tlsverify", whole):
        return
    for line in manifests.lines(held):
        if line.text.lstrip().startswith("#"):
            continue
        for found in _TCP_HOST.finditer(line.text):
            target = containers.listening(found[0])
            if target is not None:
                where = line.tail(found.start())
                call.host.report(
                    call, target, where, command="dockerd", about=found[0], words=line.text
                )


def logged(call: Call, output: Pieces) -> None:
    """Look for a CI system's commands in what is printed."""
    if not any("::set-env" in piece.text or "##" in piece.text for piece in output):
        return
    word = arg(limited(output, _MOST_TEXT))
    text = word.text
    for found in _LOGGED.finditer(text):
        variable = found["azure"] or found["github"] or found["teamcity"]
        target = client_address(found["value"], variable)
        if variable in CLIENT_VARIABLES and target is not None:
            _report(call, target, word.tail(found.start("value")), variable, found["value"])
