"""Follows a script: variables, branches, loops, functions, pipes, here-documents.

Each branch is taken and each function is entered, because what matters is whether a command could
run. What a branch assigns is joined with what was there before, so a variable may have several
values; a command is then run once for each.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from bot.detect.patterns import pattern
from bot.detect.shell import builtins, commands, written
from bot.detect.shell.call import NONE, UNKNOWN, Call
from bot.detect.shell.expand import LONGEST_TEXT, Exhausted, Expander
from bot.detect.shell.findings import Findings
from bot.detect.shell.kept import Kept
from bot.detect.shell.pieces import Arg, Piece, Pieces, Places, arg, cut, limited, text_of
from bot.detect.shell.reader import read
from bot.detect.shell.scope import MOST_VALUES, Binding, Scope, Values, tells
from bot.detect.shell.tree import (
    Assignment,
    Branches,
    Chain,
    Function,
    Group,
    Loop,
    Node,
    Pipeline,
    Redirection,
    Simple,
)
from bot.detect.shell.tree import (
    Sequence as Commands,
)

if TYPE_CHECKING:
    from bot.detect.shell.model import Reach
    from bot.detect.sockets import Target

_DEEPEST = 60  # nested commands, calls and scripts
_MOST_CALLS = 40  # of one function
_MOST_DULL_CALLS = 2  # with arguments that could not matter
_LONGEST_OUTPUT = 20_000  # pieces
_MOST_ELEMENTS = 4_000  # of an array, or words of a command that are kept
_KEY = pattern(r"\[[^\]]*\]=")


class _Defined(NamedTuple):
    body: Node
    text: str
    place: Places


class Follower(Findings):
    """The state of one interpretation. See `Host` for what handlers use of it."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope()
        self.expander = Expander(self.scope, self._output)
        self.containers: dict[str, Target] = {}
        self.files = self.expander.files
        self.functions: dict[str, _Defined] = {}
        self.calls: dict[str, int] = {}
        self.tls = False
        self.unfinished: int | None = None  # line from which on the text could not be followed
        self._locked = False  # within a substitution: the variation is that of the command around
        self._kept = Kept()
        self._widest = 1
        self._active: list[str] = []  # functions being run
        self._telling: set[str] = set()  # functions that reached or printed what could matter
        self.deep = False  # some of the text is nested too deep to be followed
        self._depth = 0
        self._origin: tuple[int, ...] = ()

    # -- ways in ---------------------------------------------------------------------------------

    def follow(self, text: str, place: Places) -> None:
        """Run a whole script, and then each function that it never calls."""
        found = read(text)
        if found.unfinished is not None:
            self.unfinished = place(found.unfinished)[0]
        self.deep = found.deep
        self.expander.allow(len(text))
        self.follow_tree(found.tree, text, place)

    def follow_tree(self, tree: Node, text: str, place: Places) -> None:
        """Run a script that was read already."""
        self.expander.text, self.expander.place = text, place
        self.run(tree, None)
        for name, defined in list(self.functions.items()):
            if name not in self.calls:
                self._enter(defined, None)
        self._kept.look(text)

    def script(self, pieces: Pieces, call: Call, arguments: Sequence[Arg] = ()) -> Pieces:
        """Run text as a script of its own and return its output."""
        pieces = limited(pieces, LONGEST_TEXT)
        text = text_of(pieces)
        if not text.strip():
            return NONE
        expander = self.expander
        expander.spend(len(text) // 4 + 1)
        tree = read(text).tree
        saved = (expander.text, expander.place, self._origin, self.ordinal)
        expander.text, expander.place = text, Places.of_pieces(pieces)
        self._origin, self.ordinal = call.origin, 0
        try:
            with self.scope.arguments(arguments) if arguments else nullcontext():
                return self.run(tree, call.stdin)
        finally:
            expander.text, expander.place, self._origin, self.ordinal = saved

    def words(self, text: str, place: Places) -> tuple[Arg, ...]:
        """Return the words of one line of text."""
        tree = read(text).tree
        self.expander.text, self.expander.place = text, place
        words = tree.words if isinstance(tree, Simple) else ()
        return tuple(self.expander.fields(words))

    def found(self) -> "list[Reach]":
        """Return what was reached. Nothing follows: what refers back to this is let go."""
        self.expander.run, self._kept = _nothing, Kept()
        return super().found()

    def secured(self) -> None:
        """Take note that the script turns TLS on for its client."""
        self.tls = True

    # -- nodes -----------------------------------------------------------------------------------

    def run(self, node: Node, stdin: Pieces | None) -> Pieces:
        """Run a node and return what it prints, as far as that is known."""
        if self._depth >= _DEEPEST:
            raise Exhausted
        self._depth += 1
        try:
            return self._run(node, stdin)
        finally:
            self._depth -= 1

    def _run(self, node: Node, stdin: Pieces | None) -> Pieces:
        match node:
            case Simple():
                return self._simple(node, stdin)
            case Commands(items):
                return _cat([self.run(item, stdin) for item in items])
            case Chain(first, rest):
                output = self.run(first, stdin)
                self.scope.layers.append({})
                outputs = [self.run(item, stdin) for item in rest]
                self.scope.join([self.scope.layers.pop()], exhaustive=False)
                return _cat([output, *outputs])
            case Pipeline(stages):
                for stage in stages:
                    stdin = self.run(stage, stdin)
                return stdin or NONE
            case Branches(tests, arms, exhaustive):
                outputs = [self.run(test, stdin) for test in tests]
                outputs += self._arms(arms, stdin, exhaustive=exhaustive)
                return _cat(outputs)
            case Loop():
                return self._loop(node, stdin)
            case Function(name, body):
                if len(self.functions) < 2_000:
                    place = self.expander.place
                    self.functions[name] = _Defined(body, self.expander.text, place)
                return NONE
            case Group():
                return self._group(node, stdin)

    def _arms(
        self, arms: Sequence[Node], stdin: Pieces | None, *, exhaustive: bool
    ) -> list[Pieces]:
        outputs = []
        branches = []
        for arm in arms:
            self.scope.layers.append({})
            outputs.append(self.run(arm, stdin))
            branches.append(self.scope.layers.pop())
        self.scope.join(branches, exhaustive=exhaustive)
        return outputs

    def _loop(self, node: Loop, stdin: Pieces | None) -> Pieces:
        test = self.run(node.test, stdin) if node.test is not None else NONE
        values = [
            None if word.opaque else Binding((word.pieces,))
            for word in self.expander.fields(node.words)
        ]
        self.scope.layers.append({})
        if node.name:
            self.scope.set(node.name, values or (None,))
        output = self.run(node.body, stdin)
        self.scope.join([self.scope.layers.pop()], exhaustive=False)
        return _cat([test, output])

    def _group(self, node: Group, stdin: Pieces | None) -> Pieces:
        targets, fed = self._redirect(node.redirections)
        if node.subshell:
            self.scope.layers.append({})
        output = self.run(node.body, stdin if fed is None else fed)
        if node.subshell:
            self.scope.layers.pop()
        if not targets:
            return output
        first = targets[0].pieces[0].trail[-1] if targets[0].pieces else 1
        return self._write(Call((), self, (first, first), self._next_origin(0)), targets, output)

    def _output(self, node: Node) -> Pieces:
        """Run the commands of a substitution, in the variation of the command around it."""
        locked, self._locked = self._locked, True
        self.scope.layers.append({})
        try:
            return self.run(node, None)
        finally:
            self.scope.layers.pop()
            self._locked = locked

    # -- simple commands -------------------------------------------------------------------------

    def _simple(self, node: Simple, stdin: Pieces | None) -> Pieces:
        expander = self.expander
        place = expander.place
        first, last = place(node.at)[0], place(max(node.at, node.end - 1))[0]
        for redirection in node.redirections:
            if redirection.here and redirection.here.body:
                last = max(last, place(redirection.here.body[-1].at)[0])
        call = Call((), self, (first, max(first, last)), self._next_origin(node.at), stdin)
        around = self.scope.begin()
        if self._locked:
            output = self._variation(call, node)
            self.scope.settle(around)
            return output
        outputs: list[Pieces] = []
        variation, count = 0, 1
        while variation < count:
            self.scope.variation, expander.widest = variation, 1
            outputs.append(self._variation(call, node))
            if variation == 0:
                count = min(self._widest, MOST_VALUES)
            variation += 1
        self.scope.settle(around)
        return _cat(outputs)

    def _next_origin(self, at: int) -> tuple[int, ...]:
        if self.ordinal is None:
            return (*self._origin, at)
        self.ordinal += 1
        return (*self._origin, -self.ordinal)

    def _variation(self, call: Call, node: Simple) -> Pieces:
        """Run a command with one value of each variable."""
        expander, place = self.expander, self.expander.place
        expander.spend(4)
        targets, fed = self._redirect(node.redirections) if node.redirections else ((), None)
        args = tuple(expander.fields(node.words))
        fed = call.stdin if fed is None else fed
        call = Call(args, self, call.extent, call.origin, fed)
        here: dict[str, Values] = {}
        for assignment in (*node.assignments, *node.declared):
            word, binding = self._value(assignment)
            here[assignment.name] = (binding,)
            name = arg((Piece(assignment.name, place(assignment.at)),))
            commands.assigned(call, name, word)
            self._kept.note(assignment.name, word, call)
            if not args or assignment not in node.assignments:
                self.scope.give(assignment.name, binding)
        for given, at, value in expander.taken():
            commands.assigned(call._replace(args=()), arg((Piece(given, place(at)),)), arg(value))
        self._widest = expander.widest
        if not args:
            return self._write(call, targets, call.stdin or NONE) if targets else NONE
        if node.assignments:
            self.scope.layers.append(here)
        try:
            output = self.command(call)
        finally:
            if node.assignments:
                self.scope.layers.pop()
        return self._write(call, targets, output) if targets else output

    def _value(self, assignment: Assignment) -> tuple[Arg, Binding]:
        """Return the word that is assigned, and the variable's new value."""
        expander = self.expander
        old = expander.binding(assignment.name) if assignment.append or assignment.indexed else None
        before = old.fields if old else ()
        if assignment.elements is not None:
            words = expander.fields(assignment.elements)
            fields = [_element(word) for word in words]
            return arg(()), Binding((*before, *fields)[:_MOST_ELEMENTS], array=True)
        value = expander.scalar(assignment.value.parts)
        word = arg(value, expander.text[assignment.value.at : assignment.value.end])
        if assignment.indexed:
            return word, Binding((*before, value)[:_MOST_ELEMENTS], array=True)
        if before and assignment.append:
            return word, Binding((cut((*before[0], *value)),))
        return word, Binding((value,))

    # -- redirections ----------------------------------------------------------------------------

    def _redirect(self, redirections: Sequence[Redirection]) -> tuple[list[Arg], Pieces | None]:
        """Return the files that the output goes to, and what is fed to the command."""
        targets: list[Arg] = []
        fed: Pieces | None = None
        for operator, target, here in redirections:
            if here is not None:
                fed = self.expander.body(here.body)
            elif target is None or not operator:
                continue
            else:
                word = arg(self.expander.scalar(target.parts))
                if operator == "<<<":
                    fed = (*word.pieces, Piece("\n", ()))
                elif operator == "<":
                    fed = self.files.get(word.text, UNKNOWN)
                elif operator != "<&" and (operator != ">&" or word.text != "1"):
                    targets.append(word)
        return targets, fed

    def _write(self, call: Call, targets: Sequence[Arg], output: Pieces) -> Pieces:
        for target in targets:
            written.write(call, target, output)
        return NONE

    # -- commands --------------------------------------------------------------------------------

    def command(self, call: Call) -> Pieces:
        """Run one command whose words are expanded already."""
        if not call.args:
            return NONE
        name = call.args[0].text
        if name in self.functions:
            return self._call(name, call)
        builtin = builtins.BUILTINS.get(name)
        if builtin is not None:
            return builtin(call, self.scope)
        if self._depth >= _DEEPEST:
            raise Exhausted
        self._depth += 1
        try:
            return commands.run(call)
        finally:
            self._depth -= 1

    def _call(self, name: str, call: Call) -> Pieces:
        self.calls[name] = calls = self.calls.get(name, 0) + 1
        told = name in self._telling or any(tells(word.text) for word in call.args[1:])
        if calls > (_MOST_CALLS if told else _MOST_DULL_CALLS) or name in self._active:
            return UNKNOWN
        self._active.append(name)
        known = len(self.reaches)
        try:
            output = self._enter(self.functions[name], call)
        finally:
            self._active.pop()
        if len(self.reaches) > known or any(tells(piece.text) for piece in output):
            self._telling.add(name)
        return output

    def _enter(self, defined: _Defined, call: Call | None) -> Pieces:
        """Run a function's body; without a call, with arguments that are not known."""
        expander = self.expander
        saved = (expander.text, expander.place, self._origin, self.ordinal)
        variation = self.scope.variation
        expander.text, expander.place = defined.text, defined.place
        self._origin, self.ordinal = (), None
        try:
            with self.scope.arguments(call.args[1:] if call else None):
                return self.run(defined.body, call.stdin if call else None)
        finally:
            expander.text, expander.place, self._origin, self.ordinal = saved
            self.scope.variation = variation

    def assign(self, call: Call, name: Arg, value: Arg) -> None:
        """Look at `NAME=value` before a command."""
        commands.assigned(call, name, value)

    def options(self, call: Call, words: Sequence[Arg]) -> None:
        """Look at options of any program that mount a socket or name a daemon's address."""
        commands.options(call, words, call.name)


def _nothing(_node: Node) -> Pieces:
    return NONE


def _element(word: Arg) -> Pieces:
    """Return an array's element without its key: `[key]=value`."""
    found = _KEY.match(word.text)
    return word.tail(found.end()).pieces if found else word.pieces


def _cat(outputs: Sequence[Pieces]) -> Pieces:
    """Return outputs one after the other."""
    held = [output for output in outputs if output]
    if len(held) < 2:
        return held[0] if held else NONE
    pieces: list[Piece] = []
    for output in held:
        pieces.extend(output[: _LONGEST_OUTPUT - len(pieces)])
    return tuple(pieces)
