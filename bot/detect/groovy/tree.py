"""What Groovy text is made of: calls, closures, lists, maps, strings, assignments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.detect.groovy.lexer import Piece


@dataclass(frozen=True, slots=True)
class Literal:
    """A string."""

    pieces: tuple[Piece, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, a number or a keyword."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Member:
    """`of.name`, `of["name"]`."""

    of: Expression
    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call or entry of a map; `name` is "" for a positional one."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """`callee(arguments) { blocks }`, also without parentheses: `sh 'x'`, `stages { }`."""

    callee: Expression
    arguments: tuple[Argument, ...]
    blocks: tuple[Block, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Listing:
    """`[a, b]`, and anything else of which only the parts matter."""

    items: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """`[a: b]`."""

    entries: tuple[Argument, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Joined:
    """`a + b + c`."""

    parts: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Choice:
    """`condition ? one : other`, `one ?: other`."""

    either: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """`target = value`; the target is a dotted name without its type."""

    target: str
    value: Expression
    start: int
    end: int
    added: bool = False  # `+=`


@dataclass(frozen=True, slots=True)
class Block:
    """`{ … }`: a closure, a declarative section, a body."""

    statements: tuple[Expression, ...]
    start: int
    end: int


Expression = (
    Literal | Name | Member | Call | Listing | Mapping | Joined | Choice | Assignment | Block
)


def dotted(expression: Expression) -> str:
    """Return a name with its members, "docker.image"; "" for what is no plain name."""
    names: list[str] = []
    while isinstance(expression, Member):
        names.append(expression.name)
        expression = expression.of
    if not isinstance(expression, Name):
        return ""
    return ".".join((expression.text, *reversed(names)))


def each(expression: Expression) -> Iterator[Expression]:
    """Yield an expression and everything inside it, in the order of the text."""
    stack: list[Expression] = [expression]
    while stack:
        one = stack.pop()
        yield one
        stack.extend(reversed(inside(one)))


def inside(one: Expression) -> tuple[Expression, ...]:
    """Return the expressions right inside another one."""
    match one:
        case Call(callee=callee, arguments=arguments, blocks=blocks):
            return (callee, *(argument.value for argument in arguments), *blocks)
        case Member(of=of):
            return (of,)
        case Listing(items=items):
            return items
        case Mapping(entries=entries):
            return tuple(entry.value for entry in entries)
        case Joined(parts=parts):
            return parts
        case Choice(either=either):
            return either
        case Assignment(value=value):
            return (value,)
        case Block(statements=statements):
            return statements
        case Literal() | Name():
            return ()
