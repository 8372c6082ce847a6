"""Programs that a process manager starts: Procfiles, supervisord, Upstart.

Files: `Procfile*`; `*.conf` and `*.ini` with a `[program:…]`; `*.conf` that says when to start and
what (`start on …`, `exec …`, `script`). Source: Heroku's documentation of the Procfile ("<process
type>: <command>"); supervisord's "[program:x] Section Settings" (`command`, `environment`);
Upstart's init(5).

    [program:agent]
    command=docker run -v /var/run/docker.sock:/var/run/docker.sock agent
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.scripts import script_grants
from bot.detect.shell import Script, Value
from bot.detect.source import Source
from bot.detect.units import Entry, entries

_PROCFILE = pattern(r"Procfile(?:[._-].*)?\Z")
_CONF = pattern(r"\.(?:conf|ini)\Z", re.IGNORECASE)
_PROGRAM = pattern(r"^[ \t]*\[(?:program|eventlistener|fcgi-program):", re.MULTILINE)
_PROCESS = pattern(r"(?P<name>[\w-]+):[ \t]*(?P<command>\S.*)\Z")
_ASSIGNMENT = pattern(
    r"(?<!\w)(?P<name>\w+)=(?:\"(?P<quoted>[^\"]*)\"|'(?P<raw>[^']*)'|(?P<bare>[^,]*))"
)
_UPSTART = re.compile(r"^[ \t]*(?:start|stop)[ \t]+on[ \t]", re.MULTILINE)
_STARTED = re.compile(
    r"^[ \t]*(?:(?:pre|post)-\w+[ \t]+)?(?:exec[ \t]|script[ \t\r]*$)", re.MULTILINE
)
_STANZA = re.compile(r"\s*(?:(?:pre|post)-\w+\s+)?(?P<word>exec|script|env)(?:\s+(?P<rest>.*))?\Z")
_END = re.compile(r"\s*end\s+script\s*\Z")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _PROCFILE.match(name):
        return True
    return bool(_CONF.search(name) and (_PROGRAM.search(text) or _is_upstart(text)))


def _is_upstart(text: str) -> bool:
    return bool(_UPSTART.search(text) and _STARTED.search(text))


def grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the programs reach or hand over."""
    content = decode(source.read(path) or b"")
    if content is None:
        return
    text = Text(content)
    if _PROCFILE.match(plain_name(path)):
        for number in range(1, len(text) + 1):
            if found := _PROCESS.match(text.line(number)):
                script = Script.flat(found["command"], number)
                yield from script_grants(path, text, f"process {found['name']}", script)
        return
    if _is_upstart(content):
        job = plain_name(path).rsplit(".", 1)[0]
        yield from script_grants(path, text, f"job {job}", Script.at(_shell(text), 1))
        return
    known = tuple(entries(text))
    for section in dict.fromkeys(entry.section for entry in known):
        kind, colon, name = section.partition(":")
        if colon or kind == "supervisord":
            own = [entry for entry in known if entry.section == section]
            yield from _program(path, text, f"program {name}" if colon else kind, own)


def _shell(text: Text) -> str:
    """Return what a job of Upstart runs as one script; what is none of it are empty lines."""
    lines: list[str] = []
    inside = going_on = False
    for number in range(1, len(text) + 1):
        line = text.line(number)
        stanza = None if inside or going_on else _STANZA.match(line)
        if inside:
            inside = not _END.match(line)
            lines.append(line if inside else "")
            continue
        if stanza is not None:
            inside = stanza["word"] == "script"
            line = "export " * (stanza["word"] == "env") + (stanza["rest"] or "")
        elif not going_on:
            lines.append("")
            continue
        going_on = line.endswith("\\")
        lines.append(line)
    return "\n".join(lines)


def _program(path: str, text: Text, subject: str, own: list[Entry]) -> Iterator[Grant]:
    env: dict[str, Value] = {}
    for entry in own:
        for found in _ASSIGNMENT.finditer(entry.value) if entry.key == "environment" else ():
            value = next(
                found[kind] for kind in ("quoted", "raw", "bare") if found[kind] is not None
            )
            env[found["name"]] = Value(value, entry.lines[0])
    for name, value in env.items():
        if sockets.daemon_variable(name):
            script = Script.flat(f"export {name}='{value.text}'", value.line)
            yield from script_grants(path, text, subject, script)
    for entry in own:
        if entry.key == "command":
            yield from script_grants(path, text, subject, Script(entry.value, entry.lines), env)


FORMAT = Format("process_manager", _matches, grants)
