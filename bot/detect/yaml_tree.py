"""YAML (and so JSON, also with comments) as trees: whatever the file is like, there is one.

What libyaml refuses is read by indentation (`outline.py`), so that a broken file still shows what
it says.
"""

import re

from bot.detect.lines import Text
from bot.detect.positioned import Problem, Tree
from bot.detect.yaml_nodes import RefusedError, read_documents


def read_yaml(text: Text) -> Tree:
    """Read YAML or JSON. Never raises: what libyaml refuses is read by indentation."""
    try:
        return Tree(read_documents(text), text)
    except RefusedError as refused:
        offset, message = refused.offset, str(refused)
    from bot.detect.outline import read_outline  # noqa: PLC0415 - only for broken files

    problem = Problem(text.line_of(min(offset, len(text.content))), message)
    return Tree(read_outline(text), text, problem)


_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7}|\|{7})(?:[ \t][^\n]*)?$", re.MULTILINE)
_TEMPLATE = re.compile(r'"(?:\\.|[^"\\])*"|\{\{(?P<steers>[#^/!>-]?)[^{}\n]*\}\}')
_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|/\*.*?\*/|//[^\n]*', re.DOTALL)


def read_json(text: Text) -> Tree:
    """Read JSON, also with comments and trailing commas (JSONC)."""

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found[0] == '"' else re.sub(r"[^\n]", " ", found)

    bare = Text(_COMMENT.sub(blank, text.content))
    tree = read_yaml(bare)
    if tree.problem is None or text.content.lstrip()[:1] != "{":
        return Tree(tree.documents, text, tree.problem)
    from bot.detect.hcl.reader import read_object  # noqa: PLC0415 - only for broken files

    # A comma that lacks, a merge conflict: its reader skips what is no entry.
    merged = Text(_TEMPLATE.sub(_rendered, _CONFLICT.sub(blank, bare.content)))
    return Tree((read_object(merged),), text, tree.problem)


def _rendered(match: re.Match[str]) -> str:
    """Return a template's tag outside strings as a value, or as nothing, of the same length."""
    found = match[0]
    if found[0] == '"':
        return found
    return ("" if match["steers"] else "null").ljust(len(found))
