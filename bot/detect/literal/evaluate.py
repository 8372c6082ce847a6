"""Jsonnet or Starlark expressions -> trees like those of YAML, with the lines of the literals.

A value that comes from elsewhere in the file knows the line that used it (`Node.via`), as an alias
in YAML does. What is not known stays as `${name}`. Steps and sizes are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.detect import effort, sockets
from bot.detect.literal.reader import Reader
from bot.detect.literal.statements import StatementReader
from bot.detect.literal.tree import (
    Assign,
    Binding,
    Call,
    Either,
    Expression,
    Function,
    Joined,
    Let,
    Member,
    Name,
    Return,
    Scalar,
    Several,
    Statement,
    Suite,
    Table,
)
from bot.detect.positioned import Node

if TYPE_CHECKING:
    from bot.detect.lines import Text

_ADDED = "!added"
_DEEPEST = 90
_MOST = 100_000
_MOST_LOOPS = 200
_CONSTANTS = frozenset({"true", "false", "null", "True", "False", "None"})
_TRIPLE = frozenset({'"""', "'''"})
_LONGEST = 8_192
_PLACE = re.compile(r"%[sd]|%\(\w+\)[sd]|\{\w*\}")


@dataclass(slots=True)
class _Frame:
    """Variables in force: values, and definitions that nothing has asked for yet."""

    above: _Frame | None = None
    values: dict[str, _Value | None] = field(default_factory=dict)
    later: dict[str, Expression] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Closure:
    function: Function
    frame: _Frame


_Value = Node | _Closure


def read_jsonnet(text: Text) -> tuple[Node, ...]:
    """Return the objects that a Jsonnet file comes to."""
    whole = Reader(text.content, "jsonnet").jsonnet()
    evaluator = _Evaluator(text)
    value = evaluator.value(whole, _Frame()) if whole is not None else None
    if isinstance(value, _Closure):
        value = evaluator.applied(value, (), _Frame())
    return _documents(value)


def read_starlark(text: Text) -> tuple[Node, ...]:
    """Return the objects that the `main` of a Starlark file comes to."""
    frame = _Frame()
    evaluator = _Evaluator(text)
    evaluator.run(StatementReader(text.content).starlark(), frame)
    main = frame.values.get("main")
    value = evaluator.applied(main, (), frame) if isinstance(main, _Closure) else main
    return _documents(value)


def _documents(value: _Value | None) -> tuple[Node, ...]:
    found: list[Node] = []
    stack = [value] if isinstance(value, Node) else []
    while stack:
        node = stack.pop()
        if node.kind == "list":
            stack.extend(reversed(node.members()))
        elif node.kind == "map":
            found.append(node)
    return tuple(found)


class _Evaluator:
    def __init__(self, text: Text) -> None:
        self._text = text
        self._left = _MOST
        self._depth = 0

    def value(self, expression: Expression | None, frame: _Frame) -> _Value | None:
        """Return what an expression comes to, None beyond a bound."""
        self._left -= 1
        if self._left < 0 or self._depth > _DEEPEST:
            effort.skip()
            return None
        if expression is None:
            return None
        self._depth += 1
        try:
            return self._value(expression, frame)
        finally:
            self._depth -= 1

    def _value(self, expression: Expression, frame: _Frame) -> _Value | None:
        match expression:
            case Scalar(text=text, start=start, end=end):
                return self._literal(text, start, end)
            case Name():
                return self._named(expression, frame)
            case Table():
                return self._table(expression, frame)
            case Several():
                return self._several(expression, frame)
            case Call():
                return self._called(expression, frame)
            case Member():
                return self._member(expression, frame)
            case Joined(parts=parts):
                return self._joined([self.value(part, frame) for part in parts])
            case Either(parts=parts):
                return self._either([self.value(part, frame) for part in parts])
            case Function():
                return _Closure(expression, frame)
            case Let(bindings=bindings, body=body):
                return self.value(body, self._bound(bindings, frame))

    def _node(self, expression: Expression | None, frame: _Frame) -> Node | None:
        value = self.value(expression, frame)
        return value if isinstance(value, Node) else None

    def _scalar(self, text: str, start: int, end: int) -> Node:
        return Node("scalar", text, (), (), start, end, self._text, "", '"')

    def _literal(self, text: str, start: int, end: int) -> Node:
        opening = self._text.content[start : start + 3]
        if opening == "|||" or (opening in _TRIPLE and text.startswith("\n")):
            # Like a block of YAML: its text starts on the line after its opening.
            body = text.removeprefix("\n") if opening in _TRIPLE else text
            return Node("scalar", body, (), (), start, end, self._text, "", "|")
        return self._scalar(text, start, end)

    def _unknown(self, name: str, start: int, end: int) -> Node:
        return self._scalar(f"${{{name}}}", start, end)

    def _used(self, value: _Value, start: int) -> _Value:
        line = self._text.line_of(start)
        if isinstance(value, Node) and value.line != line:
            return value.led((line,))
        return value

    def _named(self, name: Name, frame: _Frame) -> _Value | None:
        above: _Frame | None = frame
        while above is not None:
            if name.text in above.later:
                definition = above.later.pop(name.text)
                above.values[name.text] = None  # a definition that uses itself
                above.values[name.text] = self.value(definition, above)
            if name.text in above.values:
                known = above.values[name.text]
                return self._used(known, name.start) if known is not None else None
            above = above.above
        if name.text in _CONSTANTS:
            return self._scalar(name.text, name.start, name.end)
        return self._unknown(name.text, name.start, name.end)

    def _bound(self, bindings: tuple[Binding, ...], frame: _Frame) -> _Frame:
        later = {one.name: one.value for one in bindings if one.name and one.value is not None}
        return _Frame(frame, {}, later)

    def _table(self, table: Table, frame: _Frame) -> Node:
        inside = self._bound(table.bindings, frame) if table.bindings else frame
        pairs: list[tuple[Node, Node]] = []
        for one in table.fields:
            key, value = self._node(one.key, inside), self._node(one.value, inside)
            if key is not None and value is not None and key.kind == "scalar":
                tag = _ADDED if one.added else ""
                named = Node(
                    "scalar", key.text, (), (), one.key.start, one.key.end, self._text, tag
                )
                pairs.append((named, value))
        return Node("map", "", (), tuple(pairs), table.start, table.end, self._text)

    def _list(self, items: list[Node], start: int, end: int) -> Node:
        self._left -= len(items)
        return Node("list", "", tuple(items), (), start, end, self._text)

    def _several(self, several: Several, frame: _Frame) -> Node:
        items: list[Node] = []
        for inside in self._loops(several, frame):
            items += [
                node for one in several.items if (node := self._node(one, inside)) is not None
            ]
        return self._list(items, several.start, several.end)

    def _loops(self, several: Several, frame: _Frame) -> list[_Frame]:
        if several.loop is None:
            return [frame]
        names, over = several.loop
        return self.rounds(names, over, frame)

    def rounds(self, names: tuple[str, ...], over: Expression, frame: _Frame) -> list[_Frame]:
        """Return the variables of each round of a loop; of one round where it is not known."""
        known = self._node(over, frame)
        if known is None or known.kind != "list" or not known.items:
            return [_Frame(frame)]
        found: list[_Frame] = []
        for item in effort.first(known.members(), _MOST_LOOPS):
            parts = item.members() if len(names) > 1 else (item,)
            found.append(_Frame(frame, dict(zip(names, parts, strict=False))))
        return found

    def _member(self, member: Member, frame: _Frame) -> _Value | None:
        of = self.value(member.of, frame)
        if isinstance(of, Node):
            known = of.value(member.name)
            if known is not None:
                return self._used(known, member.start)
            if of.kind == "list" and member.name.isdigit() and int(member.name) < len(of.items):
                return self._used(of.members()[int(member.name)], member.start)
        return self._unknown(member.name, member.start, member.end)

    def _called(self, call: Call, frame: _Frame) -> _Value | None:
        name = call.callee.name if isinstance(call.callee, Member) else ""
        if isinstance(call.callee, Name) and call.callee.text == "dict":
            named = [one for one in call.arguments if one.name and one.value is not None]
            pairs = tuple(
                (self._scalar(one.name, value.start, value.start), value)
                for one in named
                if (value := self._node(one.value, frame)) is not None
            )
            own = Node("map", "", (), pairs, call.start, call.end, self._text)
            given = [self.value(one.value, frame) for one in call.arguments if not one.name]
            return self._joined([*given, own])
        if isinstance(call.callee, Member) and name in {"%", "format"}:
            return self._formatted(call.callee.of, call.arguments, frame)
        callee = self.value(call.callee, frame)
        if isinstance(callee, _Closure):
            result = self.applied(callee, call.arguments, frame)
            return self._used(result, call.start) if result is not None else None
        if name == "map" and len(call.arguments) == 2:
            return self._mapped(call, frame)
        values = [self._node(one.value, frame) for one in call.arguments]
        known = [value for value in values if value is not None and value.kind != "scalar"]
        if name in {"flattenArrays", "flattenDeepArray"} and known:
            parts: list[_Value | None] = [*known[0].members()]
            return self._joined(parts)
        if name in {"mergePatch", "objectMerge"}:
            return self._joined([*known])
        if known:
            return known[-1]
        if isinstance(call.callee, Member) and name in {"join", "strip"}:
            return self.value(call.callee.of, frame)
        return self._unknown(name or "value", call.start, call.end)

    def _formatted(
        self, template: Expression, arguments: tuple[Binding, ...], frame: _Frame
    ) -> Node | None:
        """Put values into the places of a text, one after the other."""
        text = self._node(template, frame)
        values = [self._node(one.value, frame) for one in arguments]
        texts = iter([value.text for value in values if value is not None])
        if text is None or text.kind != "scalar":
            return text
        whole = _PLACE.sub(lambda place: next(texts, place[0]), text.text)[:_LONGEST]
        return self._scalar(whole, text.start, text.end).led(text.via)

    def _mapped(self, call: Call, frame: _Frame) -> Node | None:
        function = self.value(call.arguments[0].value, frame)
        over = self._node(call.arguments[1].value, frame)
        if not isinstance(function, _Closure) or over is None:
            return over
        items: list[Node] = []
        for item in effort.first(over.members(), _MOST_LOOPS):
            each = self._entered(function, {}, (item,))
            if isinstance(each, Node):
                items.append(each)
        return self._list(items, call.start, call.end)

    def applied(
        self, closure: _Closure, arguments: tuple[Binding, ...], frame: _Frame
    ) -> _Value | None:
        """Return what a function comes to."""
        positional = [self.value(one.value, frame) for one in arguments if not one.name]
        named = {one.name: self.value(one.value, frame) for one in arguments if one.name}
        return self._entered(closure, named, tuple(positional))

    def _entered(
        self,
        closure: _Closure,
        named: dict[str, _Value | None],
        positional: tuple[_Value | None, ...],
    ) -> _Value | None:
        function = closure.function
        inside = _Frame(closure.frame)
        names = [_parameter(one) for one in function.parameters]
        for name, one in zip(names, function.parameters, strict=True):
            if one.name and one.value is not None:
                inside.later[name] = one.value
        for name, value in (*zip(names, positional, strict=False), *named.items()):
            inside.later.pop(name, None)
            inside.values[name] = value
        if not isinstance(function.body, tuple):
            return self.value(function.body, inside)
        self._depth += 1
        returned = self.run(function.body, inside) if self._depth < _DEEPEST else []
        self._depth -= 1
        return self._either(returned)

    def run(self, statements: tuple[Statement, ...], frame: _Frame) -> list[_Value | None]:
        """Run the statements of a Starlark suite, every branch of it; return what it returns."""
        returned: list[_Value | None] = []
        for one in statements:
            if self._left < 0:
                break
            match one:
                case Return(value=value, bare=bare):
                    if not bare:
                        returned.append(self.value(value, frame))
                case Assign():
                    self._assign(one, frame)
                case Suite(statements=inner, names=names, over=over):
                    rounds = self.rounds(names, over, frame) if over is not None else [frame]
                    for inside in rounds:
                        for name, known in inside.values.items() if inside is not frame else ():
                            frame.values[name] = known
                        returned += self.run(inner, frame)
        return returned

    def _assign(self, one: Assign, frame: _Frame) -> None:
        value = self.value(one.value, frame)
        if one.how == "=":
            frame.values[one.name] = value
            return
        before = self._named(Name(one.name, one.start, one.start), frame)
        if not isinstance(value, Node) or not isinstance(before, Node):
            return
        if one.how == "append" and before.kind == "list":
            frame.values[one.name] = self._list(
                [*before.members(), value], before.start, before.end
            )
        elif one.how == "+=":
            frame.values[one.name] = self._joined([before, value])
        elif before.kind == "map":
            key = self._scalar(one.how, one.start, one.start)
            pairs = (*before.pairs, (key, value))
            frame.values[one.name] = Node(
                "map", "", (), pairs, before.start, before.end, self._text, "", "", before.via
            )

    def _joined(self, values: list[_Value | None]) -> _Value | None:
        nodes = [value for value in values if isinstance(value, Node)]
        if not nodes:
            return None
        kinds = {node.kind for node in nodes}
        first, last = nodes[0], nodes[-1]
        if "list" in kinds:
            items = [item for node in nodes if node.kind == "list" for item in node.members()]
            return self._list(items, first.start, last.end)
        if "map" in kinds:
            maps = [node for node in nodes if node.kind == "map"]
            merged = maps[0]
            for other in maps[1:]:
                merged = self._merged(merged, other)
            return merged
        text = "".join(node.text for node in nodes)[:_LONGEST]
        shown = next((node for node in nodes if sockets.mentions(node.text)), first)
        whole = self._scalar(text, shown.start, shown.end)
        return whole.led(shown.via)

    def _merged(self, one: Node, other: Node) -> Node:
        pairs: list[tuple[Node, Node]] = [(k, v.led(one.via)) for k, v in one.pairs]
        for key, value in other.pairs:
            new = value.led(other.via)
            before = one.value(key.text) if key.tag == _ADDED else None
            both = self._joined([before, new]) if before is not None else new
            pairs.append((key, both if isinstance(both, Node) else new))
        self._left -= len(pairs)
        return Node("map", "", (), tuple(pairs), other.start, other.end, self._text)

    def _either(self, values: list[_Value | None]) -> _Value | None:
        known = [value for value in values if value is not None]
        nodes = [value for value in known if isinstance(value, Node)]
        if len(nodes) > 1 and any(node.kind == "list" for node in nodes):
            return self._joined([*nodes])
        telling = (node for node in nodes if node.kind == "scalar" and sockets.mentions(node.text))
        full = (node for node in nodes if node.pairs)
        return next(telling, next(full, known[0] if known else None))


def _parameter(one: Binding) -> str:
    """Return a parameter's name: it stands as a name, or as the value of a positional binding."""
    if one.name:
        return one.name
    return one.value.text if isinstance(one.value, Name) else ""
