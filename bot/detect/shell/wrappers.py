"""Commands that run their own words: sudo, env, timeout, xargs, shells, ssh and the like."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.detect.patterns import pattern
from bot.detect.shell import endpoints, written
from bot.detect.shell.call import NONE, UNKNOWN, Call, joined
from bot.detect.shell.options import names
from bot.detect.shell.pieces import Arg, Piece, Pieces, arg

Handler = Callable[[Call], Pieces]

_ASSIGNED = pattern(r"([A-Za-z_]\w*)=", re.ASCII)
_ENV_DRIVE = pattern(r"env:[\\/]*(?=\w)", re.IGNORECASE)
SHELLS = names("sh bash zsh dash ash ksh mksh fish rbash")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """How a wrapper's own words are told from the command that it runs."""

    values: frozenset[str] = frozenset()  # options that take a value
    words: int = 0  # words of its own before the command


def _wrapper(values: str = "", words: int = 0) -> Wrapper:
    return Wrapper(names(values), words)


# sudo(8), env(1), timeout(1), nice(1), xargs(1), …; a `--` ends each one's own options.
_WRAPPERS: Mapping[str, Wrapper] = {
    "sudo": _wrapper("-u -g -h -p -C -r -t -T -U -D -R --user --group --host --prompt --chdir"),
    "doas": _wrapper("-u -C"),
    "env": _wrapper("-u -C --unset --chdir"),
    "timeout": _wrapper("-s -k --signal --kill-after", 1),
    "gtimeout": _wrapper("-s -k --signal --kill-after", 1),
    "nohup": _wrapper(),
    "time": _wrapper("-f -o --format --output"),
    "nice": _wrapper("-n --adjustment"),
    "ionice": _wrapper("-c -n -p --class --classdata"),
    "exec": _wrapper("-a"),
    "xargs": _wrapper("-I -n -P -d -a -L -s -E --max-args --max-procs --delimiter --arg-file"),
    "stdbuf": _wrapper("-i -o -e"),
    "setsid": _wrapper(),
    "chroot": _wrapper("", 1),
    "gosu": _wrapper("", 1),
    "su-exec": _wrapper("", 1),
    "chpst": _wrapper("-u -U -b -e -m -d -o -p -f -c"),
    "setpriv": _wrapper("--reuid --regid --groups"),
    "sshpass": _wrapper("-p -f -d -P"),
    "flock": _wrapper("-w -E --timeout --conflict-exit-code", 1),
    "strace": _wrapper("-o -e -p -s -u"),
    "unbuffer": _wrapper(),
    "busybox": _wrapper(),
    "systemd-run": _wrapper("-p -u -t -M -H --property --unit --slice --uid --gid --setenv"),
    "nsenter": _wrapper("-t -S -G --target"),
    "unshare": _wrapper(),
    "winpty": _wrapper(),
    "xvfb-run": _wrapper("-n -s -e -f --server-num --server-args"),
    "dbus-run-session": _wrapper(),
    "call": _wrapper(),
    "&": _wrapper(),
    "@": _wrapper(),
}


def wrapped(call: Call) -> Pieces:
    """Run what a wrapper runs."""
    shape = _WRAPPERS[call.name]
    args = list(call.args[1:])
    env = call.name in {"env", "sudo", "doas"}
    skip = shape.words
    while args:
        text = args[0].text
        if text == "--":
            args.pop(0)
            break
        if env and _ASSIGNED.match(text):
            _assign(call, args)
        elif env and text in {"-S", "--split-string"} and len(args) > 1:
            return call.host.script(joined(args[1:]), call)
        elif text.startswith("-") and len(text) > 1:
            if text in shape.values and len(args) > 1:
                args.pop(0)
        elif skip:
            skip -= 1
            if call.name == "flock" and len(args) > 2 and args[1].text == "-c":
                return call.host.script(args[2].pieces, call)
        else:
            break
        args.pop(0)
    while env and args and _ASSIGNED.match(args[0].text):
        _assign(call, args)
        args.pop(0)
    return call.host.command(call._replace(args=tuple(args))) if args else UNKNOWN


def _assign(call: Call, args: list[Arg]) -> None:
    """`env NAME=value command`."""
    word = args[0]
    name, _, _ = word.text.partition("=")
    variable = arg((Piece(name, word.pieces[0].trail),))
    call.host.assign(call._replace(args=tuple(args[1:])), variable, word.tail(len(name) + 1))


def shell(call: Call) -> Pieces:
    """`sh -c "…" name args`, `bash -s <<EOF`, `bash script.sh`."""
    args = list(call.args[1:])
    script = False
    while args:
        text = args[0].text
        if text == "--" or not text.startswith(("-", "+")) or text == "-":
            break
        args.pop(0)
        if text.startswith("--"):
            if text in {"--rcfile", "--init-file"} and args:
                args.pop(0)
            continue
        script = script or ("c" in text[1:] and text[0] == "-")
        if text[-1] in "oO" and args:
            args.pop(0)
    if args and args[0].text in {"-", "--"}:
        args.pop(0)
    if script:
        return call.host.script(args[0].pieces, call, args[2:]) if args else NONE
    if args and (held := call.host.files.get(args[0].text)):
        return call.host.script(held, call, args[1:])
    if call.stdin and (not args or call.has("-s")):
        return call.host.script(call.stdin, call._replace(stdin=None), args)
    return UNKNOWN


_SSH_VALUES = names("-b -c -D -E -e -F -I -i -J -l -m -O -o -p -Q -S -W -w -L -R -h -u")


def ssh(call: Call) -> Pieces:
    """`ssh host "…"`, `ssh host command`, `ssh host <<EOF`: the remote host's daemon."""
    endpoints.forwards(call)
    args = list(call.args[1:])
    destination = False
    while args:
        text = args[0].text
        if text == "--":
            args.pop(0)
            if destination:
                break
            continue
        if text.startswith("-"):
            args.pop(0)
            if text in _SSH_VALUES and args:
                args.pop(0)
            continue
        if destination or any(blank in text for blank in " \n"):
            break
        destination = True
        args.pop(0)
    if args:
        return call.host.script(joined(args), call)
    if call.stdin:
        return call.host.script(call.stdin, call._replace(stdin=None))
    return UNKNOWN


def command_option(call: Call) -> Pieces:
    """`su user -c "…"`, `vagrant ssh -c "…"`, `gcloud compute ssh x --command="…"`, `x -- cmd`."""
    words = call.args
    for number, word in enumerate(words):
        name, equals, _ = word.text.partition("=")
        if name in {"-c", "--command", "--run", "--session-command"}:
            if equals:
                return call.host.script(word.tail(len(name) + 1).pieces, call)
            if number + 1 < len(words):
                return call.host.script(words[number + 1].pieces, call)
        if word.text == "--" and number + 1 < len(words):
            return call.host.command(call.drop(number + 1))
    if "ssh" in call.texts() and len(words) > 2:
        return ssh(call.drop(call.texts().index("ssh")))
    if call.stdin:
        return call.host.script(call.stdin, call._replace(stdin=None))
    return UNKNOWN


def find(call: Call) -> Pieces:
    """`find … -exec command {} ;`."""
    texts = call.texts()
    for option in ("-exec", "-execdir", "-ok"):
        if option in texts[:-1]:
            return call.host.command(call.drop(texts.index(option) + 1))
    return UNKNOWN


def joined_command(call: Call) -> Pieces:
    """`watch docker ps`, `parallel "…"`, `Invoke-Expression "…"`: words that make up a script."""
    args = list(call.args[1:])
    while args and args[0].text.startswith("-"):
        taken = args.pop(0).text
        if taken in {"-n", "-j", "--interval"} and args:
            args.pop(0)
    return call.host.script(joined(args), call) if args else UNKNOWN


def start_process(call: Call) -> Pieces:
    """PowerShell `Start-Process docker -ArgumentList "run …"`."""
    words: list[Arg] = []
    for word in call.args[1:]:
        if not word.text.startswith("-") or words:
            words.append(word)
    kept = [word for word in words if word.text.lower() not in {"-argumentlist", "-wait"}]
    return call.host.script(joined(kept), call) if kept else UNKNOWN


def tee(call: Call) -> Pieces:
    """`… | tee -a "$GITHUB_ENV"`."""
    output = call.stdin or NONE
    for word in call.args[1:]:
        if not word.text.startswith("-") or word.text == "-":
            written.write(call, word, output)
    return output


def out_file(call: Call) -> Pieces:
    """PowerShell `… | Out-File $env:GITHUB_ENV`, `Add-Content -Path x -Value "…"`."""
    file: Arg | None = None
    text: Pieces = call.stdin or NONE
    option = ""
    for word in call.args[1:]:
        if word.text.startswith("-"):
            option = word.text.lower()
        elif option == "-value" or (file is not None and option != "-encoding"):
            text = word.pieces
        elif option != "-encoding":
            file = word
    if file is not None:
        written.write(call, file, text)
    return NONE


def set_variable(call: Call) -> Pieces:
    """`setx DOCKER_HOST …`, PowerShell `[Environment]::SetEnvironmentVariable("…", "…")`."""
    words = [word for word in call.args[1:] if not word.text.startswith("/")]
    if len(words) > 1:
        call.host.assign(call._replace(args=()), words[0], words[1])
    return NONE


def set_item(call: Call) -> Pieces:
    """PowerShell `Set-Item Env:DOCKER_HOST …`, `New-Item -Path Env:/X -Value …`."""
    values = [word for word in call.args[1:] if not word.text.startswith("-")]
    found = _ENV_DRIVE.match(values[0].text) if len(values) > 1 else None
    if found is not None:
        call.host.assign(call._replace(args=()), values[0].tail(found.end()), values[1])
    return NONE


def has_script(call: Call) -> bool:
    """Tell whether a shell is given text to run: `sh -ec "…"`."""
    first = call.args[1].text if len(call.args) > 2 else ""
    return first.startswith("-") and not first.startswith("--") and "c" in first


HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(_WRAPPERS, wrapped),
    **dict.fromkeys(SHELLS, shell),
    "ssh": ssh,
    "autossh": ssh,
    "pssh": ssh,
    "mosh": ssh,
    "su": command_option,
    "runuser": command_option,
    "vagrant": command_option,
    "gcloud": command_option,
    "minikube": command_option,
    "multipass": command_option,
    "script": command_option,
    "nix-shell": command_option,
    "kubectl-exec": command_option,
    "find": find,
    "watch": joined_command,
    "parallel": joined_command,
    "invoke-expression": joined_command,
    "iex": joined_command,
    "start-process": start_process,
    **dict.fromkeys(("set-item", "new-item", "si", "ni"), set_item),
    **dict.fromkeys(("out-file", "add-content", "set-content", "tee-object"), out_file),
    **dict.fromkeys(
        (
            "setx",
            "[environment]::setenvironmentvariable",
            "[system.environment]::setenvironmentvariable",
        ),
        set_variable,
    ),
}
