"""What a Nix file sets: every name with all the names around it, and what stands for names.

Source: Nix reference manual, "Attribute Set", "Let expressions". Values are looked up by name
within the file: a name that is bound twice to different values is not known.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.detect import effort
from bot.detect.nix.reader import (
    Attributes,
    Binding,
    Expression,
    Items,
    Part,
    Word,
)
from bot.detect.nix.scanner import String

_REFERENCE = re.compile(r"\$\{\s*(?:[\w'-]+\.)*(?P<name>[\w'-]+)\s*\}")
_LONGEST = 16_384


@dataclass(frozen=True, slots=True)
class Setting:
    """One name that is set."""

    names: tuple[str, ...]  # with those of the sets around it
    binding: Binding
    owner: Attributes | None  # the set that holds it, None at the top
    call: str  # the function that the set around it is given to, "" if none

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def value(self) -> Expression:
        """What it is set to."""
        return self.binding.value


@dataclass(frozen=True, slots=True)
class Said:
    """Text of a setting, names in it replaced by what they stand for."""

    text: str
    line: int  # where it is used
    source: int  # where the text that a name stands for is written; `line` where none is


def settings(whole: Expression) -> tuple[Setting, ...]:
    """Return everything that a file sets, in its order; a bounded number."""
    found: list[Setting] = []
    stack: list[tuple[Part, tuple[str, ...], str]] = [(whole, (), "")]
    while stack:
        effort.spend(1)
        part, names, call = stack.pop()
        if isinstance(part, Attributes):
            around = () if part.local else names
            inner: list[tuple[Part, tuple[str, ...], str]] = []
            for binding in part.bindings:
                own = (*around, *binding.names)
                found.append(Setting(own, binding, part, call))
                inner.append((binding.value, own, ""))
            stack.extend(reversed(inner))
        elif isinstance(part, Expression | Items):
            last = ""
            below: list[tuple[Part, tuple[str, ...], str]] = []
            for one in part.parts:
                if isinstance(one, Word):
                    last = one.text
                elif not isinstance(one, String):
                    below.append((one, names, last))
            stack.extend(reversed(below))
    return tuple(found)


class Names:
    """What the names of a file stand for, where that is one text or one list of texts."""

    def __init__(self, known: tuple[Setting, ...]) -> None:
        self._known: dict[str, tuple[String, ...] | None] = {}
        for setting in known:
            strings = _texts(setting.value)
            if not strings:
                continue
            before = self._known.get(setting.name, strings)
            same = before is not None and [s.text for s in before] == [s.text for s in strings]
            self._known[setting.name] = before if same else None

    def said(self, value: Expression) -> Iterator[Said]:
        """Yield the texts of a value, those of names in it too."""
        stack: list[Part] = list(reversed(value.parts))
        while stack:
            part = stack.pop()
            if isinstance(part, String):
                yield self.resolved(part)
            elif isinstance(part, Word):
                for string in self._known.get(part.text.rsplit(".", 1)[-1]) or ():
                    yield Said(self.resolved(string).text, part.line, string.line)
            elif isinstance(part, Items | Expression):
                stack.extend(reversed(part.parts))

    def resolved(self, string: String) -> Said:
        """Return a text with the names in it replaced."""
        if "${" not in string.text:
            return Said(string.text, string.line, string.line)
        source = string.line

        def put(found: re.Match[str]) -> str:
            nonlocal source
            known = self._known.get(found["name"])
            if not known or len(known) > 1 or known[0] is string:
                return found[0]
            source = known[0].line
            return known[0].text

        return Said(_REFERENCE.sub(put, string.text[:_LONGEST]), string.line, source)


def _texts(value: Expression) -> tuple[String, ...]:
    """Return the text that a value is, those of a list, or the default of an option."""
    if len(value.parts) == 1 and isinstance(value.parts[0], String | Items):
        return tuple(value.strings())
    for part in value.parts:
        if isinstance(part, Attributes):
            for binding in part.bindings:
                if binding.names == ("default",):
                    return tuple(binding.value.strings())
    return ()
