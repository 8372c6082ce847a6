"""PURE: one script -> which container or client command gets which daemon.

The one reader of shell for every format: Dockerfile RUN and CMD, `run:` and `script:` of every CI
system, Makefile recipes, Jenkins `sh`, script files. See `Reach` for what comes out. Nothing here
raises for bad input, and time and memory are bounded whatever the input.
"""

from bot.detect.shell.interpreter import docker_options, interpret, interpret_argv
from bot.detect.shell.model import Env, Reach, Script, Value

__all__ = ["Env", "Reach", "Script", "Value", "docker_options", "interpret", "interpret_argv"]
