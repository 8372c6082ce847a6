"""Scripts that are only plain words, line by line: most steps of CI files. Read without a grammar.

make build
docker run --rm -v /var/run/docker.sock:/var/run/docker.sock app test
"""

from bot.detect.patterns import pattern
from bot.detect.shell.tree import Literal, Node, Sequence, Simple, Word

_LONGEST = 10_000  # characters; what is longer is left to the grammar
_WORD = r"[\w./:@%+,=-]++"
# A first word is no keyword, no assignment and no command that takes assignments.
_LINES = pattern(
    r"(?:[ \t]*+(?:(?!(?:if|then|elif|else|fi|case|esac|for|select|while|until|do|done|function"
    r"|time|coproc|export|declare|typeset|local|readonly)(?![\w./:@%+,=-]))"
    rf"[\w./:@%+,-]++(?![=])(?:[ \t]++{_WORD})*+[ \t]*+)?+(?:\n|\Z))*+\Z"
)
_EACH = pattern(_WORD)


def plain_commands(text: str) -> Node | None:
    """Return the commands of a script in which no character is special, None for any other one."""
    if len(text) > _LONGEST or not _LINES.match(text):
        return None
    found: list[Node] = []
    start = 0
    for line in text.split("\n"):
        words = tuple(
            [
                Word(
                    (Literal(word[0], start + word.start(), quoted=False),),
                    start + word.start(),
                    start + word.end(),
                )
                for word in _EACH.finditer(line)
            ]
        )
        if words:
            found.append(Simple((), words, (), (), words[0].at, words[-1].end))
        start += len(line) + 1
    return found[0] if len(found) == 1 else Sequence(tuple(found))
