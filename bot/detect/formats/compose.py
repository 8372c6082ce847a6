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
from collections.abc import Iterable, Iterator

from bot.detect.format import Format, nameless, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
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
_SETTINGS = pattern(r"^[ \t]*(?:export[ \t]+)?COMPOSE_FILE[ \t]*[=:]", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    if name == ".env":
        return bool(_SETTINGS.search(text))
    plain = plain_name(path)
    if _ELSEWHERE.search(path):
        return False
    bare = "." not in plain and _SERVICES.search(text)
    if (plain != name or plain.endswith(".json") or bare) and _BARE.match(plain):
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
    from bot.detect.compose.grants import file_grants, settings_grants  # noqa: PLC0415 - start-up

    if path.rsplit("/", 1)[-1] == ".env":
        yield from settings_grants(path, source)
    else:
        yield from file_grants(path, source, named=_named(plain_name(path)))


def _references(path: str, text: str) -> Iterable[str]:
    from bot.detect.compose.references import references  # noqa: PLC0415 - start-up

    return references(path, text)


FORMAT = Format("compose", _matches, _grants, _references)
