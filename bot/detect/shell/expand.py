"""Words -> fields, with the variables that are known at this point of the script.

POSIX.1-2024 section 2.6, Bash arrays. A variable may have several values, because an `if` or a loop
gives them; one *variation* of a command takes the n-th value of each. A variable that nothing
gives stays in the text as written.
"""

from collections.abc import Callable, Iterable

from bot.detect.patterns import pattern
from bot.detect.shell.pieces import (
    Arg,
    Piece,
    Pieces,
    Places,
    arg,
    cut,
    limited,
    text_of,
    used,
)
from bot.detect.shell.scope import ARGUMENTS, VARIED, Binding, Scope
from bot.detect.shell.tree import Literal, Node, Opaque, Part, Substitution, Variable, Word

LONGEST_TEXT = 1_000_000  # characters of a here-document, or of text that is run
_MOST_FIELDS = 1_000  # of one word or array
_LEAST_WORK, _WORK = 400_000, 2  # words and pieces, and for each character
_BREAK = pattern(r"[ \t\n]+")
_BREAK_OR_COMMAND = pattern(r"\$\([^()]*\)|`[^`]*`|(?P<blank>[ \t\n]+)")
_GLOB = pattern(r"[*?\[]")


class Exhausted(Exception):  # noqa: N818 - not an error: the script is longer than what is followed
    """The script does more than is followed."""


class Expander:
    """Expands words. `run` evaluates the commands of a substitution and returns their output."""

    def __init__(self, scope: Scope, run: Callable[[Node], Pieces]) -> None:
        self.scope = scope
        self.run = run
        self.place = Places((), ())
        self.text = ""
        self.widest = 1  # how many variations the words seen so far have
        self.budget = _LEAST_WORK
        self.spent = 0
        self.files: dict[str, Pieces] = {}  # what `<(…)` and written files hold
        self._assigned: list[tuple[str, int, Pieces]] = []

    def allow(self, length: int) -> None:
        """Allow for work in proportion to a script's length."""
        self.budget = _LEAST_WORK + _WORK * length

    def spend(self, cost: int) -> None:
        """Count work. Raises Exhausted when a script does too much of it."""
        self.spent += cost
        if self.spent > self.budget:
            raise Exhausted

    def taken(self) -> list[tuple[str, int, Pieces]]:
        """Return what `${NAME:=word}` has assigned since it was last asked.

        Each is the name, the offset in the text where it stands, and the value.
        """
        given, self._assigned = self._assigned, []
        return given

    def fields(self, words: Iterable[Word]) -> list[Arg]:
        """Return the fields that words expand to."""
        found: list[Arg] = []
        for word in words:
            if word.fixed is not None:
                found.append(word.fixed)
                continue
            parts = word.parts
            raw = self.text[word.at : word.end]
            if len(parts) == 1 and isinstance(parts[0], Literal):
                text, at, quoted = parts[0]
                word.fixed = fixed = Arg(text, (Piece(text, self.place(at), quoted=quoted),), raw)
                found.append(fixed)
                continue
            if all(isinstance(part, Literal) for part in parts):
                word.fixed = arg(self.scalar(parts), raw)
                found.append(word.fixed)
                continue
            found.extend(arg(cut(field), raw) for field in self.split(parts)[:_MOST_FIELDS])
            if len(found) > _MOST_FIELDS * 4:
                break
        return found

    def split(self, parts: Iterable[Part]) -> list[list[Piece]]:
        """Return the fields of one word."""
        done: list[list[Piece]] = []
        current: list[Piece] | None = None
        for part in parts:
            self.spend(1)
            if isinstance(part, Literal):
                current = current or []
                current.append(Piece(part.text, self.place(part.at), quoted=part.quoted))
                continue
            values = self._values(part)
            if part.quoted and isinstance(part, Variable) and part.every == "*":
                values = (_joined(values),)
            if part.quoted:
                for number, value in enumerate(values):
                    if number:
                        done.append(current or [])
                        current = []
                    current = [*(current or []), *value]
                if not values and not (isinstance(part, Variable) and part.every):
                    current = current or []
                continue
            for number, value in enumerate(values):
                if number and current:
                    done.append(current)
                    current = None
                current = self._split_unquoted(value, done, current)
            if len(done) > _MOST_FIELDS:
                break
        if current is not None:
            done.append(current)
        return done

    def body(self, parts: Iterable[Part]) -> Pieces:
        """Return the text of a here-document."""
        return limited(self._text(parts), LONGEST_TEXT)

    def scalar(self, parts: Iterable[Part]) -> Pieces:
        """Return the text of a word that is not split, as an assigned value."""
        return cut(self._text(parts))

    def _text(self, parts: Iterable[Part]) -> Pieces:
        pieces: list[Piece] = []
        for part in parts:
            self.spend(1)
            if isinstance(part, Literal):
                pieces.append(Piece(part.text, self.place(part.at), quoted=part.quoted))
                continue
            for number, value in enumerate(self._values(part)):
                if number:
                    pieces.append(Piece(" ", self.place(part.at)))
                pieces.extend(value)
        return tuple(pieces)

    def _split_unquoted(
        self, value: Pieces, done: list[list[Piece]], current: list[Piece] | None
    ) -> list[Piece] | None:
        for piece in value:
            if not piece.known:
                current = [*(current or []), piece]
                continue
            fields = _broken(piece.text)
            self.spend(len(fields))
            for number, text in enumerate(fields[: _MOST_FIELDS * 4]):
                if number and current is not None:
                    done.append(current)
                    current = None
                if text:
                    current = [*(current or []), Piece(text, piece.trail, piece.known)]
        return current

    def _values(self, part: Opaque | Substitution | Variable) -> tuple[Pieces, ...]:
        """Return the value of an expansion; several for an array or all arguments."""
        if isinstance(part, Substitution):
            return self._substitution(part)
        if isinstance(part, Variable):
            values = self._variable(part)
            self.spend(sum(map(len, values)))
            return values
        return ((Piece(part.text, self.place(part.at), known=False, quoted=part.quoted),),)

    def _substitution(self, part: Substitution) -> tuple[Pieces, ...]:
        line = self.place(part.at)
        variation = self.scope.variation
        output = self.run(part.body)
        self.scope.variation = variation
        if part.file:
            name = f"/dev/fd/{len(self.files)}"
            self.files[name] = output
            return ((Piece(name, line, known=False),),)
        unknown = (Piece(part.text, line, known=False, quoted=part.quoted),)
        known = _stripped(tuple(piece for piece in output if piece.known))
        if known and len(known) == len(_stripped(output)):
            return (used(known, line),)
        if known:
            self.widest = max(self.widest, 2)
            return (used(known, line) if self.scope.variation % 2 else unknown,)
        return ((),) if not output else (unknown,)

    def binding(self, name: str) -> Binding | None:
        """Return the value of a variable in this variation, None if nothing gives it."""
        if name.isdigit() or name in {"@", "*"}:
            return self._positional(name)
        values = self.scope.get(name)
        if not values:
            return None
        self.widest = max(self.widest, len(values))
        return values[self.scope.variation % len(values)]

    def _positional(self, name: str) -> Binding | None:
        values = self.scope.get(ARGUMENTS)
        if not values or name == "0":
            return None
        self.widest = max(self.widest, len(values))
        binding = values[self.scope.variation % len(values)]
        if binding is None or name in {"@", "*"}:
            return binding
        given = binding.fields
        index = int(name[:6]) - 1
        return Binding((given[index],)) if index < len(given) else Binding(((),))

    def _variable(self, part: Variable) -> tuple[Pieces, ...]:
        line = self.place(part.at)
        binding = self.binding(part.name) if part.name else None
        unknown = ((Piece(part.text, line, known=False, quoted=part.quoted),),)
        operator = part.operator
        empty = binding is not None and binding is not VARIED
        empty = empty and not any(map(text_of, binding.fields if binding else ()))
        if operator in {":-", "-", ":=", "="}:
            if binding is None or (empty and operator[0] == ":"):
                word = self.split(part.word) if not part.quoted else [list(self.scalar(part.word))]
                if operator.endswith("="):
                    value = self.scalar(part.word)
                    self.scope.set(part.name, (Binding((value,)),))
                    self._assigned.append((part.name, part.at, value))
                return tuple(cut(field) for field in word)
        elif operator in {":+", "+"}:
            return self._alternative(part, binding, empty=empty)
        elif operator in {"#", "##", "%", "%%"}:
            return self._trimmed(part, binding) or unknown
        elif operator == "other":
            return unknown
        if binding is None or binding is VARIED:
            return unknown
        held = binding.fields if part.every or not binding.array else binding.fields[:1]
        if part.name.isdigit() or part.name in {"@", "*"}:
            return held  # the line of the call says it
        return tuple(used(field, line) for field in held)

    def _alternative(
        self, part: Variable, binding: Binding | None, *, empty: bool
    ) -> tuple[Pieces, ...]:
        """`${X:+word}`: the word if X has a value; if nothing tells, both."""
        if binding is None:
            self.widest = max(self.widest, 2)
            if self.scope.variation % 2:
                return ()
        elif empty and part.operator == ":+":
            return ()
        if part.quoted:
            return (self.scalar(part.word),)
        return tuple(cut(field) for field in self.split(part.word))

    def _trimmed(self, part: Variable, binding: Binding | None) -> tuple[Pieces, ...] | None:
        """`${X#prefix}` and `${X%suffix}` with a pattern that stands for itself."""
        pattern = text_of(self.scalar(part.word))
        if (
            binding is None
            or binding is VARIED
            or len(binding.fields) != 1
            or _GLOB.search(pattern)
        ):
            return None
        value = arg(binding.fields[0])
        if part.operator[0] == "#":
            kept = value.tail(len(pattern)) if value.text.startswith(pattern) else value
            return (used(kept.pieces, self.place(part.at)),)
        text = value.text.removesuffix(pattern)
        return (used(_first(value.pieces, len(text)), self.place(part.at)),)


def _joined(fields: tuple[Pieces, ...]) -> Pieces:
    """Return fields as one, as `"$*"` does."""
    joined: list[Piece] = []
    for field in fields:
        if joined:
            joined.append(Piece(" ", joined[-1].trail))
        joined.extend(field)
    return tuple(joined)


def _first(pieces: Pieces, length: int) -> Pieces:
    kept: list[Piece] = []
    for piece in pieces:
        if length <= 0:
            break
        kept.append(piece._replace(text=piece.text[:length]))
        length -= len(piece.text)
    return tuple(kept)


def _stripped(pieces: Pieces) -> Pieces:
    """Return output without its last newlines."""
    held = list(pieces)
    while held:
        text = held[-1].text.rstrip("\n")
        if text or not held[-1].known:
            held[-1] = held[-1]._replace(text=text)
            break
        held.pop()
    return tuple(held)


def _broken(text: str) -> list[str]:
    """Split a value at its blanks; a command that a Makefile put into it, `$(id -u)`, is whole."""
    if "$(" not in text and "`" not in text:
        return _BREAK.split(text)
    fields, start = [], 0
    for found in _BREAK_OR_COMMAND.finditer(text):
        if found["blank"]:
            fields.append(text[start : found.start()])
            start = found.end()
    return [*fields, text[start:]]
