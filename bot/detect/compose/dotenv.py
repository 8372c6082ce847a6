"""`.env` and `env_file` texts -> variables with their lines.

Source: Compose specification, "Env_file format": `KEY=value`, `KEY: value`, `export KEY=value`,
quotes (also over several lines), ` #` comments, `${OTHER}` in all but single quotes.
"""

import re
from collections import ChainMap

from bot.detect.compose.interpolation import Variable, Variables, interpolate
from bot.detect.grant import Step
from bot.detect.lines import Text
from bot.detect.patterns import pattern

_ASSIGNMENT = pattern(
    r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*"
    r"(?:'(?P<single>(?:\\'|[^']){0,2000})'|\"(?P<double>(?:\\[\s\S]|[^\"\\]){0,2000})\""
    r"|(?P<bare>[^\n]*))"
)
_ESCAPE = pattern(r"\\(?P<what>[\"\\$nrt])")
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", "$": "$$"}
_LARGEST = 256_000  # characters; no file of settings is longer


def read_dotenv(path: str, content: str, outer: Variables) -> dict[str, Variable]:
    """Return the variables that a file sets. `outer` gives what its values may refer to."""
    text = Text(content[:_LARGEST])
    found: dict[str, Variable] = {}
    known = ChainMap(dict(outer), found)
    at = 0
    while at < len(text.content):
        assigned = _ASSIGNMENT.match(text.content, at)
        if assigned is None:
            newline = text.content.find("\n", at)
            at = newline + 1 if newline >= 0 else len(text.content)
            continue
        here = Step(path, text.line_of(assigned.start("name")))
        found[assigned["name"]] = _variable(assigned, here, known)
        newline = text.content.find("\n", assigned.end())
        at = newline + 1 if newline >= 0 else len(text.content)
    return found


def _variable(assigned: re.Match[str], here: Step, known: Variables) -> Variable:
    if assigned["single"] is not None:
        return Variable(assigned["single"].replace("\\'", "'"), (here,))
    if assigned["double"] is not None:
        value = _ESCAPE.sub(lambda m: _ESCAPED.get(m["what"], m["what"]), assigned["double"])
    else:
        value = re.split(r"\s#|\A#", assigned["bare"], maxsplit=1)[0].strip()
    said = interpolate(value, known)
    steps = dict.fromkeys(step for variable in said.variables for step in variable.steps)
    return Variable(said.text, (*steps, here))
