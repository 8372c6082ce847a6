"""What an expression of a Groovy text comes to, as far as the text itself says it.

A value is text with the place of each piece, so that the options of a container that are put
together from variables and several strings still know their lines.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from bot.detect.ci.places import Place, Places, tells
from bot.detect.grant import Step
from bot.detect.groovy.tree import (
    Argument,
    Assignment,
    Block,
    Call,
    Choice,
    Expression,
    Joined,
    Listing,
    Literal,
    Mapping,
    Member,
    Name,
    dotted,
    each,
)
from bot.detect.lines import Text
from bot.detect.shell import Script

Said = tuple[tuple[str, int], ...]  # pieces of text, a line end only at their ends; their places

_DOTTED = re.compile(r"\s*([^\W\d]\w*(?:\??\.[^\W\d]\w*)*)\s*\Z")
_SCOPES = ("env.", "params.", "this.", "binding.", "script.")
_SAME_TEXT = frozenset(
    {"trim", "toString", "stripIndent", "stripMargin", "strip", "toLowerCase", "toUpperCase",
     "replaceAll", "replace", "tokenize", "split", "intern"}
)  # fmt: skip
_DEEPEST = 8
_MOST_CANDIDATES = 8
_LONGEST = 65_536
_MOST_PIECES = 4_000


class Values:
    """The values of one Groovy text."""

    def __init__(self, places: Places, text: Text, everything: Block) -> None:
        self._places = places
        self._text = text
        self._definitions: dict[str, list[Assignment]] = {}
        self._functions: dict[str, Block] = {}
        self._known: dict[int, Said | None] = {}
        self._depth = 0
        for one in each(everything):
            self._collect(one)
        for several in self._definitions.values():
            several.sort(key=lambda one: one.start)

    def _collect(self, one: Expression) -> None:
        if isinstance(one, Assignment):
            self._define(one.target, one)
        elif isinstance(one, Call):
            name = dotted(one.callee)
            if one.blocks and name and "." not in name:
                self._functions.setdefault(name, one.blocks[-1])
            given = {argument.name: argument.value for argument in one.arguments}
            label, default = given.get("name"), given.get("defaultValue")
            if isinstance(label, Literal) and default is not None:
                target = "params." + plain(label)
                self._define(target, Assignment(target, default, one.start, one.end))

    def _define(self, target: str, one: Assignment) -> None:
        if target:
            self._definitions.setdefault(bare(target), []).append(one)

    def line(self, offset: int) -> int:
        """Return the file line of an offset."""
        return self._text.line_of(offset)

    def place(self, offset: int) -> int:
        """Return the number of the place at `offset`."""
        return self._places.put(Place(self._places.path, self.line(offset)))

    def said(self, expression: Expression | None) -> Said | None:
        """Return the text an expression comes to, or None where the file does not say.

        What is unknown inside a text stays as `${name}`.
        """
        if expression is None or self._depth > _DEEPEST:
            return None
        self._depth += 1
        try:
            found = self._said(expression)
        finally:
            self._depth -= 1
        if found is None or len(found) > _MOST_PIECES:
            return None
        return found if sum(len(text) for text, _ in found) <= _LONGEST else None

    def _said(self, expression: Expression) -> Said | None:
        match expression:
            case Literal():
                return tuple(self._literal(expression))
            case Joined(parts=parts):
                return tuple(
                    piece for part in parts for piece in self.said(part) or self._hole(part)
                )
            case Choice(either=either):
                return _telling([self.said(one) for one in either])
            case Name(text=text, start=start):
                return self._used(bare(text), start)
            case Member():
                return self._used(bare(dotted(expression)), expression.start) or self.said(
                    self.entry(expression.of, expression.name)
                )
            case Call():
                return self._called(expression)
            case _:
                return None

    def _literal(self, literal: Literal) -> Iterator[tuple[str, int]]:
        behind: int | None = None
        line = -1
        for piece in literal.pieces:
            here = self.place(piece.start)
            if here != line:
                behind, line = None, here
            if not piece.code:
                if piece.text:
                    yield piece.text, behind or here
                continue
            name = _DOTTED.match(piece.text)
            value = self._used(bare(name[1]), piece.start) if name else None
            if not value:
                yield f"${{{_label(piece.text)}}}", behind or here
            elif "\n" in "".join(text for text, _ in value):
                yield from value
            else:
                inside = "".join(text for text, _ in value)
                if tells(inside):
                    behind = self._places.behind(behind or here, self._origin(value))
                yield inside, behind or here

    def _origin(self, value: Said) -> int:
        """Return the place of the piece that names a daemon, without its use."""
        number = next((at for text, at in value if tells(text)), value[0][1])
        return self._places.put(self._places.at(number)._replace(after=()))

    def _hole(self, expression: Expression) -> Said:
        name = dotted(expression) or "value"
        return ((f"${{{_label(name)}}}", self.place(expression.start)),)

    def _used(self, name: str, at: int) -> Said | None:
        """Return the value of a variable as it is used at offset `at`."""
        value = self._value_of(name, at)
        if value is None:
            return None
        use = Step(self._places.path, self.line(at))
        return tuple((text, self._after(number, use)) for text, number in value)

    def _after(self, number: int, use: Step) -> int:
        place = self._places.at(number)
        if use == Step(place.path, place.line) or use in place.after:
            return number
        return self._places.put(place._replace(after=(*place.after, use)))

    def _value_of(self, name: str, at: int) -> Said | None:
        several = self._definitions.get(name)
        if not several:
            return None
        before = bisect_left(several, at, key=lambda one: one.start)
        order = [*reversed(several[:before][-_MOST_CANDIDATES:]), *several[before:][:2]]
        return _telling([self._defined(one, name) for one in order])

    def _defined(self, one: Assignment, name: str) -> Said | None:
        if one.start in self._known:
            return self._known[one.start]
        self._known[one.start] = None  # a definition that uses itself
        value = self.said(one.value)
        if one.added:
            earlier = self._value_of(name, one.start)
            value = (*(earlier or ()), *(value or ()))
        self._known[one.start] = value
        return value

    def _called(self, call: Call) -> Said | None:
        callee = call.callee
        if isinstance(callee, Member):
            if callee.name in _SAME_TEXT:
                return self.said(callee.of)
            if callee.name == "join":
                return self._together(callee.of, call.arguments)
        elif isinstance(callee, Name) and not call.blocks and callee.text in self._functions:
            last = self._functions[callee.text].statements[-1:]
            return self.said(last[0]) if last else None
        return None

    def _together(self, items: Expression, arguments: tuple[Argument, ...]) -> Said | None:
        listed = self.listed(items)
        if not listed:
            return None
        found: list[tuple[str, int]] = []
        blank = plain(arguments[0].value) if arguments else ""
        for item in listed:
            value = self.said(item) or self._hole(item)
            if found and value:
                found.append((blank, value[0][1]))
            found.extend(value)
        return tuple(found)

    def resolved(self, expression: Expression | None) -> Expression | None:
        """Return what a name stands for: a list, a map, a call; else the expression itself."""
        for _ in range(_DEEPEST):
            name = bare(dotted(expression)) if isinstance(expression, Name | Member) else ""
            several = self._definitions.get(name)
            if expression is None or not several:
                break
            at = expression.start
            earlier = [one for one in several if one.start < at and one.value is not expression]
            expression = (earlier or several)[-1 if earlier else 0].value
        return expression

    def listed(self, expression: Expression | None) -> tuple[Expression, ...]:
        """Return a list's items, of lists joined with `+` or grown with `<<` those of all."""
        self._depth += 1
        found = self._listed(expression) if self._depth <= _DEEPEST else ()
        self._depth -= 1
        return found

    def _listed(self, expression: Expression | None) -> tuple[Expression, ...]:
        if isinstance(expression, Name | Member):
            several = self._definitions.get(bare(dotted(expression)), [])
            before = [one for one in several if one.start < expression.start]
            whole = max((i for i, one in enumerate(before) if not one.added), default=0)
            return tuple(
                item
                for one in before[whole:][:_MOST_CANDIDATES]
                for item in self.listed(one.value) or ((one.value,) if one.added else ())
            )
        if isinstance(expression, Listing):
            return expression.items
        if isinstance(expression, Joined):
            return tuple(item for part in expression.parts for item in self.listed(part))
        return ()

    def entry(self, expression: Expression | None, key: str) -> Expression | None:
        """Return the value at a map's key, or None."""
        expression = self.resolved(expression)
        if isinstance(expression, Mapping):
            return next((one.value for one in expression.entries if one.name == key), None)
        return None

    def script(self, said: Said) -> Script:
        r"""Return a value as shell text.

        Pieces of several lines that Groovy makes one line of are joined with a backslash at the
        end of the line, which a shell takes out again.
        """
        lines: list[str] = []
        numbers: list[int] = []
        current, number, quoted = "", 0, False
        for text, place in said:
            if not current:
                number = place
            elif place != number and not quoted:
                lines.append(current + "\\")
                numbers.append(number)
                current, number = "", place
            current += text
            quoted ^= text.count("'") % 2 == 1
            if text.endswith("\n"):
                lines.append(current[:-1])
                numbers.append(number)
                current = ""
        lines.append(current)
        numbers.append(number or (said[-1][1] if said else 0))
        return Script("\n".join(lines), tuple(numbers))


def plain(expression: Expression | None) -> str:
    """Return a string literal's text with its expressions as `${…}`; "" for anything else."""
    if not isinstance(expression, Literal):
        return ""
    return "".join(
        f"${{{_label(piece.text)}}}" if piece.code else piece.text for piece in expression.pieces
    )


def bare(name: str) -> str:
    """Return a variable's name without what only says where it is kept: `env.X` is `X`."""
    for scope in _SCOPES:
        name = name.removeprefix(scope)
    return name


def text_of(said: Said | None) -> str:
    """Return a value's text."""
    return "".join(text for text, _ in said or ())


def _label(source: str) -> str:
    """Return a name for an expression that a shell, too, takes for one variable."""
    return re.sub(r"\W+", "_", bare(source.strip())).strip("_")[:60] or "value"


def _telling(values: list[Said | None]) -> Said | None:
    """Return the first value that names a daemon, else the first one known."""
    known = [value for value in values if value is not None]
    return next((value for value in known if tells(text_of(value))), known[0] if known else None)
