"""What an image is set up to reach, from the text of its Dockerfile, wherever that text stands.

An image gives nothing by itself, so most grants here are declared ones (`high`): the image expects
a socket, and whoever runs it hands it over. Source: Dockerfile reference; `podman container
runlabel` for LABEL RUN.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

from bot.detect import mounts, sockets
from bot.detect.dockerfile import HEREDOC, Instruction, assignments, instructions, without_flags
from bot.detect.grant import Grant, How, Severity, Step
from bot.detect.lines import Text
from bot.detect.scripts import argv_grants, script_grants
from bot.detect.shell import Script, Value
from bot.detect.variables import expand

_RUNNABLE = frozenset({"RUN", "CMD", "ENTRYPOINT"})
_RUN_LABELS = frozenset({"run", "install", "uninstall"})
# The Dapper wrapper binds the host's socket when the image says so (rancher/dapper, README).
_DAPPER = "DAPPER_DOCKER_SOCKET"


def declared(path: str, text: Text) -> Iterator[Grant]:
    """Yield what the stages of a Dockerfile declare or run. `path` is only named."""
    stage, number = "stage 1", 0
    outer: dict[str, Value] = {}
    env: dict[str, Value] = {}
    for one in instructions(text):
        if one.name == "FROM":
            number += 1
            named = re.search(r"\bas\s+([\w.-]+)", one.text, re.IGNORECASE)
            stage = f"stage {named[1]}" if named else f"stage {number}"
            outer, env = (env, {}) if number == 1 else (outer, {})
            continue
        subject = f"{stage}, {' '.join(filter(None, (one.wrapped, one.name)))}"
        yield from _instruction(path, text, subject, one, {**outer, **env})
        if one.name in {"ENV", "ARG"}:
            for name, value, line in assignments(one.script, spaced=one.name == "ENV"):
                known = expand(value, {**outer, **env})
                env[name] = Value(known.text, known.lines[0] if known.lines else line)


def declared_inline(path: str, text: Text, subject: str, script: Script) -> Iterator[Grant]:
    """Yield the same for a Dockerfile that stands inside another file, with that file's lines."""

    def at(number: int) -> int:
        return script.lines[min(max(number, 1), len(script.lines)) - 1]

    for grant in declared(path, Text(script.text)) if script.lines else ():
        line = at(grant.line)
        yield replace(
            grant,
            line=line,
            text=text.line(line),
            subject=f"{subject}, {grant.subject}",
            steps=tuple(Step(step.path, at(step.line)) for step in grant.steps),
            undermines=tuple(replace(one, line=at(one.line)) for one in grant.undermines),
            extent=(at(grant.extent[0]), at(grant.extent[1])),
        )


def _instruction(
    path: str, text: Text, subject: str, one: Instruction, env: dict[str, Value]
) -> Iterator[Grant]:
    match one.name:
        case "ENV" | "ARG":
            yield from _variables(path, text, subject, one, env)
        case "VOLUME":
            yield from _volume(path, text, subject, one)
        case "LABEL":
            yield from _labels(path, text, subject, one, env)
        case name if name in _RUNNABLE:
            yield from map(_declared, _runs(path, text, subject, one, env))
        case _:
            pass


def _variables(
    path: str, text: Text, subject: str, one: Instruction, env: dict[str, Value]
) -> Iterator[Grant]:
    for name, written, line in assignments(one.script, spaced=one.name == "ENV"):
        value = expand(written, env)
        if name == _DAPPER and value.text.strip().lower() not in {"", "false", "0"}:
            yield Grant(
                path, line, text.line(line), subject, None, "docker", How.SWITCH,
                extent=(one.first, one.last),
            )  # fmt: skip
            continue
        known = sockets.daemon_variable(name)
        if one.name == "ARG" and not known:
            continue
        reached = sockets.address(value.text) if known or _names_socket(value.text) else None
        if reached is None or (not known and "://" in reached.resource):
            continue
        yield Grant(
            path, line, text.line(line), subject, None, reached.resource, How.DECLARED,
            Severity.HIGH,
            steps=tuple(Step(path, number) for number in dict.fromkeys((*value.lines, line))),
            extent=(one.first, one.last),
        )  # fmt: skip


def _names_socket(value: str) -> bool:
    return sockets.mentions(value) is not None and not re.search(r"[\s,;]", value.strip())


def _volume(path: str, text: Text, subject: str, one: Instruction) -> Iterator[Grant]:
    for word in re.finditer(r"[^\s,\[\]\"'\\]+", one.script.text):
        reached = sockets.host_path(word[0])
        if reached is None or reached.how is not How.MOUNT:
            continue
        line = one.script.lines[one.script.text.count("\n", 0, word.start())]
        yield Grant(
            path, line, text.line(line), subject, None, reached.resource, How.DECLARED,
            Severity.HIGH, extent=(one.first, one.last),
        )  # fmt: skip


def _labels(
    path: str, text: Text, subject: str, one: Instruction, env: dict[str, Value]
) -> Iterator[Grant]:
    for name, value, line in assignments(one.script):
        if name.lower() in _RUN_LABELS:
            argv = [(word, line) for word in value.split()]
            yield from map(_declared, argv_grants(path, text, subject, argv, env))
        elif name == "devcontainer.metadata":
            yield from _metadata(path, text, subject, value, line)


def _metadata(path: str, text: Text, subject: str, value: str, line: int) -> Iterator[Grant]:
    """Yield the mounts that an image asks of the editor which runs it (devcontainer metadata)."""
    quoted = re.sub(r'(?<![\\])\\"', '"', value)
    try:
        entries = json.loads(quoted)
    except (ValueError, RecursionError):
        return
    for entry in entries if isinstance(entries, list) else [entries]:
        listed = entry.get("mounts", []) if isinstance(entry, dict) else []
        for mount in listed if isinstance(listed, list) else []:
            if isinstance(mount, dict):
                reached = sockets.mount(str(mount.get("source", "")), str(mount.get("target", "")))
            else:
                reached = mounts.mount_option(f"type=bind,{mount}")
            if reached is not None:
                yield Grant(
                    path, line, text.line(line), subject, None, reached.resource, How.DECLARED,
                    Severity.HIGH,
                )  # fmt: skip


def _runs(
    path: str, text: Text, subject: str, one: Instruction, env: dict[str, Value]
) -> Iterator[Grant]:
    script = without_flags(one.script)
    body = script.text.lstrip(" \t\\\n")
    if body.startswith("[") and (argv := _exec_form(one, script.text)):
        yield from argv_grants(path, text, subject, argv, env)
        return
    if not one.heredocs:
        yield from script_grants(path, text, subject, script, env)
        return
    command = HEREDOC.sub("", script.text).strip(" \t\\\n;")
    if not command or re.match(r"(?:\S*/)?(?:ba|da|a|z|k)?sh\b", command):
        for document in one.heredocs:
            yield from script_grants(path, text, subject, document, env)
    else:
        yield from script_grants(path, text, subject, script, env)


def _exec_form(one: Instruction, body: str) -> list[tuple[str, int]] | None:
    """Return the words of a JSON array with their lines, None where it is no such array."""
    lines = without_flags(one.script).lines
    flat = body.replace("\\\n", " \n")
    found = []
    for word in re.finditer(r'"((?:\\.|[^"\\])*)"', flat):
        line = lines[min(flat.count("\n", 0, word.start()), len(lines) - 1)]
        try:
            found.append((str(json.loads(word[0], strict=False)), line))
        except ValueError:
            return None
    return found or None


def _declared(grant: Grant) -> Grant:
    """Return the grant as a declared one: whoever runs the image hands the socket over."""
    how = How.DECLARED if grant.how in {How.ADDRESS, How.RAW_API} else grant.how
    return replace(grant, how=how, severity=Severity.HIGH)
