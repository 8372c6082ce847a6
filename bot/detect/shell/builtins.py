"""Commands of the shell itself that change variables or run their words."""

import re
from collections.abc import Callable

from bot.detect.patterns import pattern
from bot.detect.shell import commands, written
from bot.detect.shell.call import NONE, UNKNOWN, Call, joined
from bot.detect.shell.pieces import Arg, Piece, Pieces, arg
from bot.detect.shell.scope import ARGUMENTS, Binding, Scope
from bot.detect.shell.text import formatted

_NAME = pattern(r"[A-Za-z_]\w*\Z", re.ASCII)
_EXPORTS = pattern(r"-(?:[gUl]?x[gUl]?|-export)\Z")
_ASSIGNED = pattern(r"([A-Za-z_]\w*)=", re.ASCII)


def _declare(call: Call, scope: Scope) -> Pieces:
    """`export "NAME=value"`; plain `NAME=value` was read as an assignment already."""
    for word in call.args[1:]:
        if found := _ASSIGNED.match(word.text):
            value = word.tail(found.end())
            scope.give(found[1], Binding((value.pieces,)))
            variable = arg((Piece(found[1], word.pieces[0].trail),))
            commands.assigned(call._replace(args=call.args[:1]), variable, value)
    return NONE


def _unset(call: Call, scope: Scope) -> Pieces:
    for word in call.args[1:]:
        if _NAME.match(word.text):
            scope.forget(word.text)
    return NONE


def _set(call: Call, scope: Scope) -> Pieces:
    """`set -- a b` gives the arguments new values; fish's `set -gx NAME value` exports one."""
    texts = call.texts()
    words = [word for word in call.args[1:] if not word.text.startswith("-")]
    if len(words) == 2 and any(_EXPORTS.match(text) for text in texts[1:-2]):
        scope.give(words[0].text, Binding((words[1].pieces,)))
        commands.assigned(call._replace(args=()), words[0], words[1])
    if "--" in texts:
        fields = tuple(word.pieces for word in call.args[texts.index("--") + 1 :])
        scope.give(ARGUMENTS, Binding(fields, array=True))
    return NONE


def _shift(call: Call, scope: Scope) -> Pieces:
    given = call.args[1].text if len(call.args) > 1 else "1"
    count = int(given[:4]) if given.isdecimal() else 1
    values = scope.get(ARGUMENTS) or (None,)
    scope.set(
        ARGUMENTS,
        (value and Binding(value.fields[count:], array=True) for value in values),
    )
    return NONE


def _read(call: Call, scope: Scope) -> Pieces:
    """`read -r a b <<< "text"`: what is fed in, if that is known."""
    names: list[str] = []
    array = ""
    words = iter(call.texts()[1:])
    for word in words:
        if word.startswith("-") and len(word) > 1:
            value = next(words, "") if word[-1] in "adinNptu" else ""
            array = value if word[-1] == "a" else array
        elif _NAME.match(word):
            names.append(word)
    fields = _fed(call)
    if array:
        scope.give(array, Binding(fields, array=True) if fields is not None else None)
    for number, name in enumerate(names):
        if fields is None:
            scope.give(name, None)
            continue
        last = number == len(names) - 1
        rest = [Piece(" ", ()) if n % 2 else p for n, p in enumerate(_spread(fields[number:]))]
        scope.give(name, Binding((tuple(rest) if last else _at(fields, number),)))
    return NONE


def _fed(call: Call) -> tuple[Pieces, ...] | None:
    """Return the words of the first line of what is fed in; None if it is not known."""
    if not call.stdin or not all(piece.known for piece in call.stdin):
        return None
    return tuple(
        (piece._replace(text=text),) for piece in call.stdin for text in piece.text.split()
    )


def _spread(fields: tuple[Pieces, ...]) -> list[Piece]:
    """Return fields with a place for a space between each two."""
    spread: list[Piece] = []
    for field in fields:
        spread += [*field, Piece(" ", ())]
    return spread[:-1]


def _at(fields: tuple[Pieces, ...], number: int) -> Pieces:
    return fields[number] if number < len(fields) else ()


def _mapfile(call: Call, scope: Scope) -> Pieces:
    name = call.args[-1].text
    if _NAME.match(name) and len(call.args) > 1:
        known = call.stdin is not None and all(piece.known for piece in call.stdin)
        lines = tuple(
            (piece._replace(text=line),)
            for piece in (call.stdin or NONE)
            for line in piece.text.split("\n")
            if line
        )
        scope.give(name, Binding(lines, array=True) if known else None)
    return NONE


def _printf(call: Call, scope: Scope) -> Pieces:
    if len(call.args) > 2 and call.args[1].text == "-v":
        scope.give(call.args[2].text, Binding((formatted(call.args[3:]),)))
        return NONE
    output = formatted(call.args[1:])
    written.logged(call, output)
    return output


def _eval(call: Call, scope: Scope) -> Pieces:
    del scope
    return call.host.script(joined(call.args[1:]), call)


def _alias(call: Call, scope: Scope) -> Pieces:
    del scope
    for word in call.args[1:]:
        name, equals, _ = word.text.partition("=")
        if equals:
            call.host.script(word.tail(len(name) + 1).pieces, call)
    return NONE


def _trap(call: Call, scope: Scope) -> Pieces:
    del scope
    words = [word for word in call.args[1:] if word.text not in {"--", "-"}]
    if len(words) > 1:
        call.host.script(words[0].pieces, call)
    return NONE


def _source(call: Call, scope: Scope) -> Pieces:
    del scope
    text = call.host.files.get(call.args[1].text) if len(call.args) > 1 else None
    return call.host.script(text, call) if text else UNKNOWN


def _command(call: Call, scope: Scope) -> Pieces:
    """`command docker …`: past functions of that name."""
    del scope
    rest: tuple[Arg, ...] = call.args[1:]
    while rest and rest[0].text.startswith("-"):
        if rest[0].text in {"-v", "-V"}:
            return UNKNOWN
        rest = rest[1:]
    return commands.run(call._replace(args=rest)) if rest else NONE


BUILTINS: dict[str, Callable[[Call, Scope], Pieces]] = {
    "export": _declare,
    "declare": _declare,
    "typeset": _declare,
    "local": _declare,
    "readonly": _declare,
    "unset": _unset,
    "set": _set,
    "shift": _shift,
    "read": _read,
    "mapfile": _mapfile,
    "readarray": _mapfile,
    "printf": _printf,
    "eval": _eval,
    "alias": _alias,
    "trap": _trap,
    "source": _source,
    ".": _source,
    "command": _command,
    "builtin": _command,
}
