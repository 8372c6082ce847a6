"""What a tool that sets a machine up does to it: the files that it writes.

For Ansible and cloud-init. Source: dockerd reference, "Daemon socket option". An account that is
put into the group `docker` is told nowhere, whether a script, a Dockerfile or one of these tools
does it: an account is no container, job or script, and setting up a machine with Docker nearly
always does it.
"""

from collections.abc import Iterator

from bot.detect.ci.places import Environment, Place, Places, Subject, address_grants
from bot.detect.ci.steps import script_grants
from bot.detect.grant import Grant
from bot.detect.listens import opened
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Script, Value
from bot.detect.shell.model import SHEBANG
from bot.detect.sockets import Target

_DAEMON_FILES = pattern(
    r"/etc/(?:default|sysconfig)/docker\b|(?<![\w-])docker\.service\b"
    r"|docker[\w-]*\.socket\b|daemon\.json"
)
# What login shells and services read their environment from.
_ENVIRONMENT_FILES = pattern(r"/etc/environment\b|/environment\.d/")
_PROFILES = pattern(
    r"/etc/(?:profile|bash\.bashrc|bashrc|zshenv)\b"
    r"|\.(?:bashrc|bash_profile|bash_aliases|profile|zshrc|zshenv|zprofile)\Z"
)
_ASSIGNED = pattern(r"\s*(?:export\s+)?(?P<name>[A-Z_]+)=(?P<value>\S+)\s*\Z")
_PLAIN = pattern(r"[^'\n]+\Z")
_END = "END OF THE FILE"
_LISTEN_STREAM = pattern(r"\s*ListenStream\s*=\s*(?P<host>[\w.\[\]:-]*:)?(?P<port>\d+)\s*\Z")


def written(places: Places, who: Subject, path: str, text: Node) -> Iterator[Grant]:
    """Yield what a file does whose content is `text`.

    A script, a daemon's configuration, the variables that every login gets, or what the shell's own
    reader knows by the file's name: a Compose file, a unit.
    """
    if SHEBANG.match(text.text) or _PROFILES.search(path):
        yield from script_grants(places, who, (text,))
    elif _DAEMON_FILES.search(path) and "tlsverify" not in text.text:
        script, lines = text.script()
        for line, number in zip(script.split("\n"), lines, strict=False):
            for target in _opened(path, line):
                yield places.mounted(who, target, places.put(Place(places.path, number)))
    elif _ENVIRONMENT_FILES.search(path):
        script, lines = text.script()
        env: Environment = {}
        for line, number in zip(script.split("\n"), lines, strict=False):
            if assigned := _ASSIGNED.match(line):
                place = places.put(Place(places.path, number))
                env[assigned["name"]] = Value(assigned["value"].strip("\"'"), place)
        yield from address_grants(places, who, env, env)
    elif _PLAIN.match(path):
        placed = places.script(text)
        first, last = placed.lines[0], placed.lines[-1]
        here = f"cat > '{path}' <<'{_END}'\n{placed.text}\n{_END}"
        yield from places.ran(who, Script(here, (first, *placed.lines, last)), {})


def _opened(path: str, line: str) -> list[Target]:
    """Return what a line of a file of the daemon opens."""
    if line.lstrip().startswith(("#", ";")):
        return []
    stream = _LISTEN_STREAM.match(line) if ".socket" in path else None
    if stream is not None:
        line = f"tcp://{stream['host'] or '0.0.0.0:'}{stream['port']}"
    return [target for _, target in opened(line)]
