"""Templates of a Nomad pack -> the job that they come to, as far as it can be told.

Source: nomad-pack documentation, "Writing Packs" (`[[ … ]]`, `var "name" .`, variables.hcl); Go's
text/template. What only steers the engine is blanked, what fills in a value becomes a reference to
the variable of the pack, so that its default is followed. Lines stay where they are.
"""

import re

from bot.detect import effort

_ACTION = re.compile(r"\[\[-?(?P<body>(?:[^\]]|\](?!\]))*?)-?\]\]")
_CONTROL = re.compile(
    r"\s*(?:/\*|(?:if|else|end|range|with|define|block|template|include)\b|\$\w+\s*:?=|\Z)"
)
_RANGE = re.compile(r"\s*range\s+(?:\$\w+\s*,\s*)?\$(?P<name>\w+)\s*:=\s*(?P<value>[^|]+)")
_SET = re.compile(r"\s*\$(?P<name>\w+)\s*:?=\s*(?P<value>[^|]+)")
_VAR = re.compile(r"\s*var\s+\"(?P<name>[\w.-]+)\"\s+[.$]\w*")
_PATH = re.compile(r"\s*(?P<start>\$\w*)?(?P<keys>(?:\.[\w-]+)+)")
_NAMED_JOB = re.compile(r"\b(?:job|group|task)\s*\Z")
_NOT_LINE_END = re.compile(r"[^\n]")
_MOST = 5_000


def is_pack(text: str) -> bool:
    """Tell whether a text holds actions of a pack's templates."""
    return _ACTION.search(text) is not None


def unpacked(content: str) -> str:
    """Return a template as HCL whose lines are those of the template."""
    known: dict[str, str] = {}  # variables of the template: what they refer to
    parts: list[str] = []
    at = 0
    for number, action in enumerate(_ACTION.finditer(content)):
        if number >= _MOST:
            effort.skip()
            break
        before = content[at : action.start()]
        body = action["body"]
        if found := _RANGE.match(body):
            known[found["name"]] = f"{_reference(found['value'], known) or 'var'}[0]"
        elif found := _SET.match(body):
            known[found["name"]] = _reference(found["value"], known) or "var"
        parts.append(before)
        line = content[content.rfind("\n", 0, action.start()) + 1 : action.start()]
        parts.append(_filled(body, action[0], line, known))
        at = action.end()
    return "".join((*parts, content[at:]))


def _filled(body: str, written: str, line: str, known: dict[str, str]) -> str:
    """Return what stands in the place of an action, `line` being what stands before it there."""
    blank = _NOT_LINE_END.sub(" ", written)
    name = _NAMED_JOB.search(line) is not None
    if _CONTROL.match(body) and not name:
        return blank
    reference = _reference(body, known)
    inside = _ACTION.sub("", line).count('"') % 2 == 1
    if inside:
        return f"${{{reference}}}" if reference else ""
    if name:
        return f'"{reference or "pack"}"'
    return reference or '""'


def _reference(expression: str, known: dict[str, str]) -> str | None:
    """Return the pack's variable that an expression starts with, as Terraform would write it."""
    if found := _VAR.match(expression):
        return f"var.{found['name']}"
    found = _PATH.match(expression)
    if found is None:
        bare = expression.strip()
        return known.get(bare[1:]) if bare[:1] == "$" else None
    keys = found["keys"][1:].split(".")
    start = (found["start"] or "")[1:]
    if start:
        before = known.get(start)
        return ".".join((before, *keys)) if before is not None else None
    # The first key is the pack, which may be the only one.
    return ".".join(("var", *keys[1:]))
