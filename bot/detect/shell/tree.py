"""The tree that shell text is read into. Every node says at which offset of the text it stands."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bot.detect.shell.pieces import Arg


class Literal(NamedTuple):
    """Text that stands for itself; it holds at most one newline, at its end."""

    text: str
    at: int
    quoted: bool


class Variable(NamedTuple):
    """`$NAME`, `${NAME:-word}`, `$1`, `${A[@]}`."""

    name: str
    operator: str  # "", ":-", "-", ":=", "=", ":?", "?", ":+", "+", "#", "##", "%", "%%", "other"
    word: tuple["Part", ...]  # what follows the operator
    text: str  # in one spelling, for a variable that nothing gives: "$NAME" or "${NAME}"
    at: int
    quoted: bool
    every: str  # "@" or "*" for all elements of an array or all arguments, else ""


class Substitution(NamedTuple):
    """`$(…)`, backticks, `<(…)`."""

    body: "Node"
    text: str  # in one spelling: "$(id -u)"
    at: int
    quoted: bool
    file: bool  # `<(…)`: the word is the name of a file that holds the output


class Opaque(NamedTuple):
    """A template or arithmetic: text that only another program can resolve."""

    text: str
    at: int
    quoted: bool


Part = Literal | Variable | Substitution | Opaque


class Word:
    """One word before expansion; what it expands to is kept if that is always the same."""

    __slots__ = ("at", "end", "fixed", "parts")

    def __init__(self, parts: tuple[Part, ...], at: int, end: int) -> None:
        self.parts = parts
        self.at = at
        self.end = end
        self.fixed: Arg | None = None


class Assignment(NamedTuple):
    """`NAME=value`, `NAME+=value`, `NAME=(…)`."""

    name: str
    append: bool
    value: Word
    elements: tuple[Word, ...] | None  # of an array
    at: int
    indexed: bool = False  # `NAME[0]=value`


class Here:
    """A here-document; its body is read after its redirection."""

    __slots__ = ("body",)

    def __init__(self) -> None:
        self.body: tuple[Part, ...] = ()


class Redirection(NamedTuple):
    """`> file`, `<<EOF`, `<<< word`."""

    operator: str
    target: Word | None
    here: Here | None


class Simple(NamedTuple):
    """Assignments and words. An assignment inside `export` and the like is in `declared`."""

    assignments: tuple[Assignment, ...]
    words: tuple[Word, ...]
    declared: tuple[Assignment, ...]
    redirections: tuple[Redirection, ...]
    at: int
    end: int


class Sequence(NamedTuple):
    """Commands one after the other."""

    items: tuple["Node", ...]


class Chain(NamedTuple):
    """`a && b || c`: what follows the first may not run."""

    first: "Node"
    rest: tuple["Node", ...]


class Pipeline(NamedTuple):
    """`a | b | c`."""

    stages: tuple["Node", ...]


class Branches(NamedTuple):
    """`if` and `case`: at most one of the arms runs."""

    tests: tuple["Node", ...]
    arms: tuple["Node", ...]
    exhaustive: bool  # one of them does run


class Loop(NamedTuple):
    """`for`, `select`, `while`, `until`."""

    name: str  # "" for while and until
    words: tuple[Word, ...]
    test: "Node | None"
    body: "Node"
    at: int


class Function(NamedTuple):
    """A definition; nothing runs yet."""

    name: str
    body: "Node"


class Group(NamedTuple):
    """`{ …; }`, `( … )`, and any other compound command with redirections."""

    body: "Node"
    redirections: tuple[Redirection, ...]
    subshell: bool


Node = Simple | Sequence | Chain | Pipeline | Branches | Loop | Function | Group

NOTHING = Sequence(())
