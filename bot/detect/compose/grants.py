"""A Compose file, or a `.env` whose COMPOSE_FILE names some -> what its services are handed.

A file that could hand nothing over is not parsed, and what reads services is not even loaded.
"""

from collections.abc import Iterator
from dataclasses import replace
from posixpath import dirname

from bot.detect.ci.commands import worth_reading
from bot.detect.ci.places import Places
from bot.detect.compose.hints import may_reach
from bot.detect.compose.loader import Loader
from bot.detect.compose.project import named_files
from bot.detect.compose.shape import composed
from bot.detect.engine import told
from bot.detect.grant import Grant, Step, Unknown
from bot.detect.lines import Text
from bot.detect.positioned import Tree
from bot.detect.source import Source

_DEEPEST = 40


def file_grants(path: str, source: Source, *, named: bool) -> Iterator[Grant | Unknown]:
    """Yield what a Compose file hands over; `named` says that its name claims to be one."""
    loader = Loader(source)
    content = loader.content(path)
    plan = loader.plan(path)
    if content is None or not may_reach(content, plan, loader):
        return
    tree = loader.tree(path)
    if tree is None:
        return
    if not any(composed(document, named=named) for document in tree.documents):
        if not named and worth_reading(content):
            yield from _elsewhere(path, tree)
        return
    from bot.detect.compose.service import Services  # noqa: PLC0415 - start-up

    yield from told(path, tree, Services(loader.model(plan), plan, loader).grants(path.__eq__))


def _elsewhere(path: str, tree: Tree) -> Iterator[Grant]:
    """Yield what a file of another tool says: LinuxKit's, those of some CI systems."""
    from bot.detect.ci.commands import Commands  # noqa: PLC0415 - start-up
    from bot.detect.ci.steps import Nesting  # noqa: PLC0415 - start-up

    commands, nesting = Commands(Places(path, tree.text)), Nesting(deepest=_DEEPEST)
    for document in tree.documents:
        yield from commands.below(document, (), nesting)


def settings_grants(path: str, source: Source) -> Iterator[Grant]:
    """Yield what the files reach that only a COMPOSE_FILE in `.env` makes part of the project."""
    loader = Loader(source)
    folder = dirname(path)
    variables = loader.variables(path)
    listed = named_files(folder, variables)
    usual = loader.usual(folder)
    if not listed:
        return
    from bot.detect.compose.service import Services  # noqa: PLC0415 - start-up

    here = variables["COMPOSE_FILE"].steps[-1]
    plan = replace(loader.named(folder, listed, variables), named_by=())
    for grant in Services(loader.model(plan), plan, loader).grants(lambda at: at not in usual):
        yield replace(
            grant,
            path=path,
            line=here.line,
            text=_line(loader, here),
            steps=tuple(dict.fromkeys((*grant.steps, here))),
            extent=(here.line, here.line),
        )


def _line(loader: Loader, step: Step) -> str:
    return Text(loader.content(step.path) or "").line(step.line)
