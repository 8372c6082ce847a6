"""The files that the meaning of a Compose file depends on, found in its own text."""

from collections.abc import Iterator
from posixpath import dirname, join

from bot.detect.compose.dotenv import read_dotenv
from bot.detect.compose.project import BASES, OVERRIDES, beside, named_files
from bot.detect.compose.shape import sections
from bot.detect.compose.values import File, Value
from bot.detect.lines import Text
from bot.detect.patterns import pattern
from bot.detect.yaml_tree import read_yaml

_REFERS = pattern(r"\b(?:extends|include|env_file)\b")
_MOST = 200


def references(path: str, content: str) -> frozenset[str]:
    """Return the paths that a file refers to, whether they exist or not.

    `extends`, `include`, `env_file`; the `.env` beside it; the base and override files that are
    merged with it by their names; for a `.env` what COMPOSE_FILE lists.
    """
    folder, _, name = path.rpartition("/")
    if name == ".env":
        return frozenset(named_files(folder, read_dotenv(path, content, {})))
    found = {join(folder, ".env")}
    if name in BASES or name in OVERRIDES:
        found |= {join(folder, other) for other in (*BASES, *OVERRIDES)} - {path}
    if _REFERS.search(content):
        text = Text(content)
        file = File(path, folder, text, {})
        for document in read_yaml(text).documents:
            found.update(_named(Value(document, file)))
    return frozenset(found)


def _named(top: Value) -> Iterator[str]:
    folder = top.file.folder
    include = top.get("include")
    for entry in include.listed()[:_MOST] if include is not None else ():
        yield from _included(entry, folder)
    for service in sections(top)["services"].values():
        other = service.get("extends", "file")
        files = service.get("env_file")
        named = [] if other is None else [other]
        for one in files.listed()[:_MOST] if files is not None else ():
            at = one.get("path") if one.kind == "map" else one
            named += [] if at is None else [at]
        for value in named:
            path = beside(folder, value.text)
            if path is not None:
                yield path


def _included(entry: Value, folder: str) -> Iterator[str]:
    whole = entry.get("path") if entry.kind == "map" else entry
    paths = [beside(folder, value.text) for value in whole.listed()] if whole is not None else []
    given = entry.get("env_file") if entry.kind == "map" else None
    paths += [beside(folder, value.text) for value in given.listed()] if given is not None else []
    asked = entry.get("project_directory") if entry.kind == "map" else None
    below = beside(folder, asked.text) if asked is not None else None
    yield from (path for path in paths if path is not None)
    if below is not None or (paths and paths[0] is not None):
        yield join(below if below is not None else dirname(paths[0] or ""), ".env")
