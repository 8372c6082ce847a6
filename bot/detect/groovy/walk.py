"""Every expression of a pipeline with where it stands: its stage, its environment, its call."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bot.detect.ci.places import Environment
from bot.detect.groovy.tree import (
    Argument,
    Assignment,
    Block,
    Call,
    Expression,
    Literal,
    Member,
    dotted,
    inside,
)
from bot.detect.groovy.values import Values, plain, text_of
from bot.detect.shell import Value

# Steps whose strings are told to people or looked for, not run.
_TALK = frozenset(
    {"echo", "println", "print", "printf", "error", "warn", "warning", "info", "debug", "log",
     "unstable", "catchError", "slackSend", "mail", "emailext", "hipchatSend",
     "office365ConnectorSend",
     "input", "description", "addBadge", "assert", "contains", "startsWith", "endsWith", "matches",
     "indexOf", "fileExists", "findFiles", "findAll", "find", "replace", "replaceAll", "equals",
     "archiveArtifacts", "stash", "label", "displayName", "IllegalArgumentException", "Exception",
     "githubNotify", "discordSend", "telegramSend", "jiraComment", "pullRequest.comment"}
)  # fmt: skip
_CONFIGURATION = frozenset(
    {"parameters", "options", "triggers", "properties", "when", "expression"}
)


@dataclass(frozen=True, slots=True)
class Around:
    """Where an expression stands."""

    where: str = "pipeline"  # "pipeline" or "stage Build"
    env: Environment = field(default_factory=dict)
    call: Call | None = None  # the innermost call whose argument or closure it is in
    blocks: tuple[str, ...] = ()  # names of the calls whose closures it is in, outermost first
    talk: bool = False  # it is only told or looked for


def walk(everything: Block, values: Values) -> Iterator[tuple[Expression, Around]]:
    """Yield every expression in the order of the text."""
    stack: list[tuple[Expression, Around]] = [(everything, Around())]
    while stack:
        one, around = stack.pop()
        yield one, around
        below: list[tuple[Expression, Around]]
        if isinstance(one, Call):
            below = list(_of_call(one, around, values))
        elif isinstance(one, Block):
            env = environment_of(one, values)
            within = replace(around, env=around.env | env) if env else around
            below = [(statement, within) for statement in one.statements]
        else:
            below = [(part, around) for part in inside(one)]
        stack.extend(reversed(below))


def name_of(call: Call) -> str:
    """Return the last part of what is called: "inside" of `docker.image('x').inside`."""
    callee = call.callee
    return callee.name if isinstance(callee, Member) else dotted(callee)


def _of_call(call: Call, around: Around, values: Values) -> Iterator[tuple[Expression, Around]]:
    name = name_of(call)
    talk = around.talk or name in _TALK or dotted(call.callee).startswith(("log.", "logger."))
    yield call.callee, replace(around, call=call, talk=talk and name in _TALK)
    told = replace(around, call=call, talk=talk or name in {"string", "choice", "text"})
    for argument in call.arguments:
        quiet = argument.name in {"description", "message", "label", "name"}
        yield argument.value, replace(told, talk=told.talk or quiet)
    if not call.blocks:
        return
    below = replace(around, call=call, blocks=(*around.blocks, name))
    if name in _CONFIGURATION:
        below = replace(below, talk=True)
    if name in {"stage", "node"} and (label := _label(call, values)) and name == "stage":
        below = replace(below, where=f"stage {label}")
    if name == "withEnv" and call.arguments:
        below = replace(below, env=around.env | assigned_list(call.arguments[0].value, values))
    for block in call.blocks:
        yield block, below


def _label(call: Call, values: Values) -> str:
    first = next((one.value for one in call.arguments if one.name in {"", "name"}), None)
    if isinstance(first, Literal):
        return plain(first)
    return text_of(values.said(first)) if first is not None else ""


def environment_of(block: Block, values: Values) -> Environment:
    """Return the variables of the `environment { }` right inside a block."""
    found: Environment = {}
    for statement in block.statements:
        if isinstance(statement, Call) and name_of(statement) == "environment":
            for inner in statement.blocks:
                for one in inner.statements:
                    if isinstance(one, Assignment) and (value := variable(one, values)):
                        found[one.target.removeprefix("env.")] = value
    return found


def variable(one: Assignment, values: Values) -> Value | None:
    """Return what an assignment gives a variable, or None where the file does not say."""
    said = values.said(one.value)
    if not said:
        return None
    return Value(text_of(said).removesuffix("\n"), said[0][1])


def assigned_list(expression: Expression, values: Values) -> Environment:
    """Return the variables of `["NAME=value", …]`, as `withEnv` takes them."""
    found: Environment = {}
    for item in values.listed(expression):
        said = values.said(item)
        name, equals, text = text_of(said).partition("=")
        if said and equals:
            found[name.strip().removesuffix("+")] = Value(text, said[0][1])
    return found


def settings(call: Call) -> dict[str, Expression]:
    """Return what a call is told, by named arguments or by the statements of its closure."""
    found = {one.name: one.value for one in _named(call.arguments)}
    for block in call.blocks:
        for statement in block.statements:
            if isinstance(statement, Call) and len(statement.arguments) == 1:
                found.setdefault(name_of(statement), statement.arguments[0].value)
            elif isinstance(statement, Assignment):
                found.setdefault(statement.target, statement.value)
    return found


def _named(arguments: tuple[Argument, ...]) -> Iterator[Argument]:
    return (one for one in arguments if one.name)
