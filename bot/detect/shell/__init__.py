"""PURE: one script -> which container or client command gets which daemon.

The one reader of shell for every format: Dockerfile RUN and CMD, `run:` and `script:` of every CI
system, Makefile recipes, Jenkins `sh`, script files. See `Reach` for what comes out. Nothing here
raises for bad input, and time and memory are bounded whatever the input.

The interpreter is loaded with the first script that is read: a diff without scripts starts sooner.
"""

from collections.abc import Sequence
from typing import Literal

from bot.detect.shell.model import Env, Reach, Script, Value

__all__ = ["Env", "Reach", "Script", "Value", "docker_options", "interpret", "interpret_argv"]


def interpret(
    script: Script, env: Env | None = None, *, dialect: Literal["sh", "powershell", "cmd"] = "sh"
) -> tuple[Reach, ...]:
    """Return what the commands of `script` reach, in the order of their lines.

    `env` holds the variables that the file gives (env:, variables:, ARG, ENV); the line of a
    `Value` becomes a step of what it leads to.
    """
    from bot.detect.shell.interpreter import interpret as follow  # noqa: PLC0415 - start-up

    return follow(script, env, dialect=dialect)


def interpret_argv(argv: Sequence[tuple[str, int]], env: Env | None = None) -> tuple[Reach, ...]:
    """Return what one command in exec form reaches; `argv` holds each word with its file line."""
    from bot.detect.shell.interpreter import interpret_argv as follow  # noqa: PLC0415 - start-up

    return follow(argv, env)


def docker_options(
    options: Script | Sequence[tuple[str, int]],
    image: str | None = None,
    env: Env | None = None,
) -> tuple[Reach, ...]:
    """Return what a string of `docker create` options hands to `image`.

    GitHub Actions `options:`, Jenkins `args '-v …'`, TeamCity dockerRunParameters: a Script is
    split like shell words, a sequence holds the words already split, each with its file line.
    """
    from bot.detect.shell.interpreter import docker_options as follow  # noqa: PLC0415 - start-up

    return follow(options, image, env)
