"""What a Jsonnet or Starlark expression is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scalar:
    """A string or number."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Field:
    """One entry of an object: `key: value`, `key+: value`."""

    key: Expression
    value: Expression
    added: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """`{ … }`; `local` bindings of an object stand in `bindings`."""

    fields: tuple[Field, ...]
    bindings: tuple[Binding, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Several:
    """`[a, b]`, `[item for name in over]`."""

    items: tuple[Expression, ...]
    start: int
    end: int
    loop: tuple[tuple[str, ...], Expression] | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """`name = value`, an argument or a parameter; `name` is "" for a positional argument."""

    name: str
    value: Expression | None


@dataclass(frozen=True, slots=True)
class Call:
    """`callee(arguments)`."""

    callee: Expression
    arguments: tuple[Binding, ...]
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
class Joined:
    """`a + b`; of other operators only the operands are kept."""

    parts: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Either:
    """`if c then a else b`, `a if c else b`."""

    parts: tuple[Expression, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function; a Starlark body is a suite of statements."""

    parameters: tuple[Binding, ...]
    body: Expression | tuple[Statement, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Let:
    """`local name = value; body`."""

    bindings: tuple[Binding, ...]
    body: Expression
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Assign:
    """`name = value`, `name += value`, `name.append(value)`, `name["key"] = value`."""

    name: str
    value: Expression
    start: int
    how: str = "="  # "=", "+=", "append" or the key


@dataclass(frozen=True, slots=True)
class Return:
    """`return value`, or an expression that stands by itself."""

    value: Expression
    start: int
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Suite:
    """An indented block: of a `for` with its names, of an `if` with none."""

    statements: tuple[Statement, ...]
    names: tuple[str, ...] = ()
    over: Expression | None = None


Expression = Scalar | Name | Table | Several | Call | Member | Joined | Either | Function | Let
Statement = Assign | Return | Suite
