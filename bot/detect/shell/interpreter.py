"""The three ways in: a script, an exec form, and a string of docker options."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence

from bot.detect import effort
from bot.detect.grant import How
from bot.detect.patterns import pattern
from bot.detect.shell import containers, hints, windows
from bot.detect.shell.call import Call
from bot.detect.shell.expand import Exhausted
from bot.detect.shell.follow import Follower
from bot.detect.shell.model import Env, Reach, Script, Value
from bot.detect.shell.options import RUN, Options
from bot.detect.shell.pieces import Arg, Piece, Places, arg
from bot.detect.shell.repeated import Dialect, Followed, followed
from bot.detect.shell.scope import Binding

# A line end among options is a blank; after a backslash the reader takes it out itself.
_LINE_END = pattern(r"(?<!\\)\n")
_TOO_LONG = 1_500_000  # characters; of a longer script only telling lines are read
_MOST_LINES = 20_000  # that are read one by one
_MOST_TEXT = 1_000_000  # characters of them
_COMMAND = 4  # work of one command


def interpret(
    script: Script, env: Env | None = None, *, dialect: Dialect = "sh"
) -> tuple[Reach, ...]:
    """Return what the commands of `script` reach, in the order of their lines.

    `env` holds the variables that the file gives (env:, variables:, ARG, ENV); the line of a
    `Value` becomes a step of what it leads to.
    """
    if not hints.any_in(script.text, env):
        return ()
    return followed(script, env or {}, dialect, _follow)


def _follow(script: Script, env: Env, dialect: Dialect) -> Followed:
    if dialect != "sh":
        script = Script(script.text.replace("\r", " "), script.lines)
    if len(script.text) > _TOO_LONG:
        lines, work = _by_line(script, env, dialect, 0)
        return Followed(_finished(lines, secured=False), work)
    follower = _follower(env)
    place = Places.of_lines(script.text, script.lines)
    try:
        if dialect == "sh":
            follower.follow(script.text, place)
        else:
            follower.follow_tree(windows.read(script.text, dialect), script.text, place)
        again = 0 if follower.deep else follower.unfinished
    except (Exhausted, RecursionError):
        again = 0
    found, work = follower.found(), follower.expander.spent
    if again is not None:
        known = {(reach.line, reach.resource) for reach in found}
        lines, more = _by_line(script, env, dialect, again)
        found += [reach for reach in lines if (reach.line, reach.resource) not in known]
        work += more
    return Followed(_finished(found, secured=follower.tls), work)


def interpret_argv(argv: Sequence[tuple[str, int]], env: Env | None = None) -> tuple[Reach, ...]:
    """Return what one command in exec form reaches; `argv` holds each word with its file line.

    No shell reads these words, so variables in them stay as they are, except inside `sh -c`.
    """
    words = _words(argv)
    if not words or not hints.any_in(" ".join(word.text for word in words), env):
        return ()
    follower = _follower(env)
    with contextlib.suppress(Exhausted, RecursionError):
        follower.command(Call(words, follower, _extent(words), (0,)))
    effort.spend_script(sum([len(word.text) for word in words]), _COMMAND + follower.expander.spent)
    return _finished(follower.found(), secured=follower.tls)


def docker_options(
    options: Script | Sequence[tuple[str, int]],
    image: str | None = None,
    env: Env | None = None,
) -> tuple[Reach, ...]:
    """Return what a string of `docker create` options hands to `image`.

    GitHub Actions `options:`, Jenkins `args '-v …'`, TeamCity dockerRunParameters: a Script is
    split like shell words, a sequence holds the words already split, each with its file line.
    """
    follower = _follower(env)
    try:
        if isinstance(options, Script):
            if not hints.any_in(f"docker -v {options.text}", env):
                return ()
            place = Places.of_lines(options.text, options.lines)
            words = follower.words(_LINE_END.sub(" ", options.text), place)
        else:
            words = _words(options)
        if not words:
            return ()
        name = arg((Piece(image, words[-1].pieces[-1].trail),), image) if image else None
        given = (*words, name) if name else words
        call = Call(given, follower, _extent(words), (0,))
        containers.start(call, "docker create", Options(given, RUN), image=name is not None)
    except (Exhausted, RecursionError):
        pass
    effort.spend_script(0, _COMMAND + follower.expander.spent)
    return _finished(follower.found(), secured=follower.tls)


def _follower(env: Env | None) -> Follower:
    follower = Follower()
    given: Mapping[str, str | Value] = env or {}
    for name, value in given.items():
        trail = (value.line,) if isinstance(value, Value) else ()
        text = value.text if isinstance(value, Value) else value
        if name == "DOCKER_TLS_VERIFY" and text not in {"", "0"}:
            follower.secured()
        follower.scope.set(name, (Binding(((Piece(text, trail),),)),))
    return follower


def _words(argv: Sequence[tuple[str, int]]) -> tuple[Arg, ...]:
    return tuple(arg((Piece(text, (line,)),), text) for text, line in argv)


def _extent(words: Sequence[Arg]) -> tuple[int, int]:
    lines = [piece.trail[-1] for word in words for piece in word.pieces if piece.trail]
    return (min(lines), max(lines)) if lines else (1, 1)


def _finished(found: Iterable[Reach], *, secured: bool) -> tuple[Reach, ...]:
    """Put reaches in order; of one script's own ways to one daemon keep the first.

    What holds for all that follows (`export`, a line in $GITHUB_ENV) goes before what holds for one
    command.
    """
    found = list(found)
    if len(found) == 1 and found[0].image is not None:
        return (found[0],)
    kept: list[Reach] = []
    own: set[tuple[str, How]] = set()
    for reach in sorted(found, key=lambda r: (not _lasting(r), r.line, r.resource)):
        if reach.image is None and reach.how in {How.ADDRESS, How.RAW_API}:
            tcp = reach.resource.startswith("tcp://") and not reach.resource.endswith(":2375")
            if secured and reach.how is How.ADDRESS and tcp:
                continue
            if (reach.resource, reach.how) in own:
                continue
            own.add((reach.resource, reach.how))
        kept.append(reach)
    return tuple(sorted(kept, key=lambda reach: (reach.line, reach.resource)))


def _lasting(reach: Reach) -> bool:
    return reach.command.startswith("export ")


def _by_line(
    script: Script, env: Env | None, dialect: Dialect, start: int
) -> tuple[list[Reach], int]:
    """Read each telling line from file line `start` on as a script of its own.

    Return what they reach, and the work it took.
    """
    found: list[Reach] = []
    place = Places.of_lines(script.text, script.lines)
    count = size = work = 0
    for part, at in hints.telling(script.text):
        line = place(at)[0]
        if line < start:
            continue
        count, size = count + 1, size + len(part)
        if count > _MOST_LINES or size > _MOST_TEXT:
            effort.skip()
            break
        follower = _follower(env)
        deep = False
        try:
            if dialect == "sh":
                follower.follow(part, place.shifted(at))
            else:
                follower.follow_tree(windows.read(part, dialect), part, place.shifted(at))
        except (Exhausted, RecursionError):
            deep = True
        work += _COMMAND + follower.expander.spent
        if (deep or follower.deep) and (start_of := hints.client(part)):
            follower = _follower(env)
            with contextlib.suppress(Exhausted, RecursionError):
                follower.follow(part[start_of:], place.shifted(at + start_of))
        found.extend(follower.found())
    return list({(one.line, one.resource, one.how): one for one in found}.values()), work
