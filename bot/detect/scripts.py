"""Shell text inside a file of any format -> grants: the one bridge to the shell interpreter."""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Literal

from bot.detect.grant import Grant, Step, Undermined
from bot.detect.lines import Text
from bot.detect.positioned import Node
from bot.detect.shell import Reach, Script, Value, interpret, interpret_argv

Environment = Mapping[str, "str | Value"]


def script_grants(
    path: str,
    text: Text,
    subject: str,
    script: Script | Node,
    env: Environment | None = None,
    *,
    dialect: Literal["sh", "powershell", "cmd"] = "sh",
) -> Iterator[Grant]:
    """Yield what a script hands over.

    `script` is shell text with its lines, or the scalar node that holds it. `subject` is whoever
    runs it; where it is "", a grant's subject is the command itself ("docker run").
    """
    shell = Script(*script.script()) if isinstance(script, Node) else script
    for reach in interpret(shell, env, dialect=dialect):
        yield reach_grant(path, text, subject, reach)


def argv_grants(
    path: str,
    text: Text,
    subject: str,
    argv: Sequence[Node] | Sequence[tuple[str, int]],
    env: Environment | None = None,
) -> Iterator[Grant]:
    """Yield what a command in exec form (a list of words) hands over."""
    words = [(word.text, word.line) if isinstance(word, Node) else word for word in argv]
    for reach in interpret_argv(words, env):
        yield reach_grant(path, text, subject, reach)


def reach_grant(path: str, text: Text, subject: str, reach: Reach) -> Grant:
    """Return the grant that says what one command of a script reaches."""
    steps = dict.fromkeys((*reach.steps, reach.line))
    return Grant(
        path=path,
        line=reach.line,
        text=text.line(reach.line),
        subject=subject or reach.command,
        image=reach.image,
        resource=reach.resource,
        how=reach.how,
        severity=reach.severity,
        steps=tuple(Step(path, line) for line in steps),
        undermines=tuple(
            Undermined(flag.split()[0].split("=")[0] if flag else "", flag, path, line)
            for flag, line in reach.undermines
        ),
        definition=sha256(reach.words.encode("utf-8", "surrogatepass")).hexdigest()[:24],
        extent=reach.extent,
    )
