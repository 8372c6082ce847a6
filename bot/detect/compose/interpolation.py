"""`$V ${V} ${V:-d} ${V-d} ${V:?e} ${V:+r} ${V+r} $$` in a Compose value -> what it comes to.

Source: Compose specification, "Interpolation", and the reference implementation for `+` and nested
words. Unlike there, a variable that nothing gives stays as it is written, so that it is still seen
to be unknown, and `${V:+r}` becomes `r`: without V the text would mean nothing. In the middle of a
word it is nothing, as there: nobody names half a word from outside, but for hiding the word.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.detect.grant import Step

_START = re.compile(r"\$(?:(?P<dollar>\$)|(?P<bare>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*))")
_OPERATOR = re.compile(r":?[-+?]")
_WITHIN = re.compile(r"\}[A-Za-z.]")
_LETTER = re.compile(r"[A-Za-z.]")
_DEEPEST = 16
_LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class Variable:
    """What a committed file sets a variable to, and where: the text's own line first."""

    text: str
    steps: tuple[Step, ...]


Variables = Mapping[str, Variable]


@dataclass(frozen=True, slots=True)
class Said:
    """A text with its variables put in, and those that had a part in it."""

    text: str
    variables: tuple[Variable, ...] = ()


def interpolate(text: str, variables: Variables) -> Said:
    """Return `text` with `variables` put in, bounded in length."""
    if "$" not in text:
        return Said(text)
    used: list[Variable] = []
    return Said(_put_in(text[:_LONGEST], variables, used, 0)[:_LONGEST], tuple(dict.fromkeys(used)))


def _put_in(text: str, variables: Variables, used: list[Variable], depth: int) -> str:
    done: list[str] = []
    at = 0
    while found := _START.search(text, at):
        done.append(text[at : found.start()])
        at = found.end()
        if found["dollar"]:
            done.append("$")
        elif found["bare"]:
            done.append(_plain(found["bare"], found[0], variables, used))
        else:
            end = _closing(text, found.start() + 1)
            if end < 0 or depth >= _DEEPEST:
                done.append(text[found.start() :])
                return "".join(done)
            inside = text[at:end]
            said = _braced(found["braced"], inside, variables, used, depth)
            if said.startswith("${") and _WITHIN.match(text, end) and _LETTER.match(done[-1][-1:]):
                said = ""
            done.append(said)
            at = end + 1
    done.append(text[at:])
    return "".join(done)


def _plain(name: str, written: str, variables: Variables, used: list[Variable]) -> str:
    known = variables.get(name)
    if known is None:
        return written
    used.append(known)
    return known.text


def _braced(name: str, inside: str, variables: Variables, used: list[Variable], depth: int) -> str:
    written = f"${{{name}{inside}}}"
    if not inside:
        return _plain(name, written, variables, used)
    operator = _OPERATOR.match(inside)
    if operator is None:
        return written
    word = inside[operator.end() :]
    known = variables.get(name)
    there = known is not None and (bool(known.text) or operator[0][0] != ":")
    match operator[0][-1]:
        case "+" if known is not None and not there:
            return ""
        case "+":
            if known is not None:
                used.append(known)
            return _put_in(word, variables, used, depth + 1)
        case "-" if not there:
            return _put_in(word, variables, used, depth + 1)
        case _ if not there or known is None:
            return f"${{{name}}}"
        case _:
            used.append(known)
            return known.text


def _closing(text: str, at: int) -> int:
    """Return the offset of the brace that closes the one at `at`, or -1."""
    depth = 0
    for found in re.compile(r"[{}]").finditer(text, at):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return found.start()
    return -1
