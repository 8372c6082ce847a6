"""Compose files and everything they are merged with; a `.env` whose COMPOSE_FILE names them.

Files: `compose*.y*ml`, `docker-compose*.y*ml`, stack files, templates of them, and any YAML with a
`services:` mapping (or, as in version 1, a top) of container definitions. Source: Compose
specification (compose-spec), Docker's documentation of `docker compose`. What a grant's way runs
through, file by file, is in `bot/detect/compose/`.

    services:
      web:
        image: nginx
        volumes:
          - /var/run/docker.sock:/var/run/docker.sock
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from posixpath import dirname

from bot.detect.ci.commands import Commands, worth_reading
from bot.detect.ci.places import Places
from bot.detect.ci.steps import Nesting
from bot.detect.compose.hints import may_reach
from bot.detect.compose.loader import Loader
from bot.detect.compose.project import named_files
from bot.detect.compose.references import references
from bot.detect.compose.service import Services
from bot.detect.compose.shape import composed
from bot.detect.engine import unread
from bot.detect.format import Format, nameless, plain_name
from bot.detect.grant import Grant, Step, Unknown
from bot.detect.lines import Text
from bot.detect.patterns import pattern
from bot.detect.positioned import Tree
from bot.detect.sockets import mentions
from bot.detect.source import Source

_NAMED = pattern(
    r"(?:.*[._-])?(?:(?:docker|podman)[._-]?)?compose(?!r)[^/]*|(?:.*[._-])?stack(?:[._-].*)?"
    r"|fig\.ya?ml",
    re.IGNORECASE,
)
_YAML = pattern(r"\.(?:ya?ml)(?:[._-][\w.-]*)?\Z", re.IGNORECASE)
_BARE = pattern(r"(?:docker[._-]?)?compose(?:[._-][\w-]+)?(?:\.json)?\Z", re.IGNORECASE)
_SERVICES = pattern(r"^[\"']?services[\"']?[ \t]*:", re.MULTILINE)
_FIRST_VERSION = pattern(r"^[ \t]+(?:volumes|volumes_from)[ \t]*:", re.MULTILINE)
_IMAGE = pattern(r"^[ \t]+(?:image|build)[ \t]*:", re.MULTILINE)
# Files of other systems that have services of their own.
_ELSEWHERE = pattern(
    r"(?:^|/)\.(?:github|gitea|forgejo)/workflows/|(?:^|/)\.(?:woodpecker|codefresh)/"
    r"|(?:^|/)\.?(?:gitlab-ci|drone|woodpecker|travis|appveyor|codefresh|bitbucket-pipelines"
    r"|azure-pipelines|lando|cirrus)\b[^/]*\Z",
    re.IGNORECASE,
)
_FOREIGN = pattern(
    r"^(?:apiVersion|kind|jobs|steps|pipeline|stages|openapi|swagger|pipelines|jenkins"
    r"|platforms)[ \t]*:",
    re.MULTILINE,
)
_DEEPEST = 40
_OVERRUN = "The file puts together more, by extends and include, than is followed."
_SETTINGS = pattern(r"^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*[=:]", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    if name == ".env":
        return bool(_SETTINGS.search(text))
    plain = plain_name(path)
    if _ELSEWHERE.search(path):
        return False
    bare = "." not in plain and _SERVICES.search(text)
    if _BARE.match(plain) and (plain != name or plain.endswith(".json") or bare):
        return True
    if not _YAML.search(plain) and not nameless(path):
        return False
    if _named(plain) and _YAML.search(plain):
        return True
    if _FOREIGN.search(text):
        return False
    return bool(_SERVICES.search(text) or (_FIRST_VERSION.search(text) and _IMAGE.search(text)))


def _named(plain: str) -> bool:
    return bool(_NAMED.match(plain))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    loader = Loader(source)
    if path.rsplit("/", 1)[-1] == ".env":
        yield from _settings(path, loader)
        return
    content = loader.content(path)
    plan = loader.plan(path)
    if content is None or not may_reach(content, plan, loader):
        return
    tree = loader.tree(path)
    named = _named(plain_name(path))
    if tree is None:
        return
    if not any(composed(document, named=named) for document in tree.documents):
        if not named and worth_reading(content):
            yield from _elsewhere(path, tree)
        return
    found: list[Grant] = []
    for grant in Services(loader.model(plan), plan, loader).grants(path.__eq__):
        found.append(grant)
        yield grant
    mention = mentions(tree.text.content) if loader.overrun else None
    if mention is not None:
        yield Unknown(path, None, _OVERRUN, mention)
    if tree.problem is not None:
        why = f"line {tree.problem.line}: {tree.problem.message}"
        unknown = unread(path, tree.text, why, found)
        if unknown is not None:
            yield unknown


def _elsewhere(path: str, tree: Tree) -> Iterator[Grant]:
    """Yield what a file of another tool says: LinuxKit's, those of some CI systems."""
    commands, nesting = Commands(Places(path, tree.text)), Nesting(deepest=_DEEPEST)
    for document in tree.documents:
        yield from commands.below(document, (), nesting)


def _settings(path: str, loader: Loader) -> Iterator[Grant]:
    """Yield what the files reach that only a COMPOSE_FILE in `.env` makes part of the project."""
    folder = dirname(path)
    variables = loader.variables(path)
    listed = named_files(folder, variables)
    usual = loader.usual(folder)
    if not listed:
        return
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


FORMAT = Format("compose", _matches, _grants, references)
