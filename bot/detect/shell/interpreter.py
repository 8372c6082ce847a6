"""The three ways in: a script, an exec form, and a string of docker options."""

from collections.abc import Sequence
from typing import Literal

from bot.detect.shell.model import Env, Reach, Script

Dialect = Literal["sh", "powershell", "cmd"]


def interpret(
    script: Script, env: Env | None = None, *, dialect: Dialect = "sh"
) -> tuple[Reach, ...]:
    """Return what the commands of `script` reach, in the order of their lines.

    `env` holds the variables that the file gives (env:, variables:, ARG, ENV); the line of a
    `Value` becomes a step of what it leads to.
    """
    del script, env, dialect
    return ()


def interpret_argv(argv: Sequence[tuple[str, int]], env: Env | None = None) -> tuple[Reach, ...]:
    """Return what one command in exec form reaches; `argv` holds each word with its file line.

    No shell reads these words, so variables in them stay as they are, except inside `sh -c`.
    """
    del argv, env
    return ()


def docker_options(
    options: Script | Sequence[tuple[str, int]],
    image: str | None = None,
    env: Env | None = None,
) -> tuple[Reach, ...]:
    """Return what a string of `docker create` options hands to `image`.

    GitHub Actions `options:`, Jenkins `args '-v …'`, TeamCity dockerRunParameters: a Script is
    split like shell words, a sequence holds the words already split, each with its file line.
    """
    del options, image, env
    return ()
