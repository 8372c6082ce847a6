"""Which files have to be compared: those that changed, and those whose meaning depends on them."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from posixpath import dirname

from bot.detect.format import ending, formats_of, nameless, plain_name
from bot.detect.lines import LARGEST, decode
from bot.detect.source import Source
from bot.review.model import Change

_SCOPE = re.compile(
    r"""(?:
        \.(?:ya?ml|json|jsonc|json5|jsonnet|libsonnet|star|toml|hcl|tf|tfvars|nomad|conf|env|cfg
          |sh|bash|zsh|ksh|ash|dash|fish|ps1|psm1|bat|cmd|mk|mak|make|groovy|kts?|gradle|xml
          |service|socket|container|pod|build|volume|kube|network|timer|path|preset
          |dapper|earth|sigil|mustache|bats|tpl|gotmpl|cue|dockerfile|containerfile|jenkinsfile
          |envrc|init|run|command|hook|vagrantfile|rb|j2|nix|just|ini|bu|fcc|ign)
      | (?:docker|container|jenkins|make|earth|gnumake|vagrant|just|proc|task|cask)file[^/]*
      | \.env[^/]* | \.drone[^/]* | [^/]*entrypoint[^/]* | \.envrc | Tiltfile | \.fish | rc\.local
      | compose[^/]*\.ya?ml[^/]*
    )\Z
    | \A\.?[^.]+\Z""",
    re.VERBOSE | re.IGNORECASE,
)
_NOT = re.compile(
    r"(?:^|/)(?:node_modules|\.git)/"
    r"|(?:^|/)(?:package-lock\.json|pnpm-lock\.yaml|yarn\.lock|composer\.lock|devcontainer-lock\.json"
    r"|LICENSE|COPYING|NOTICE|AUTHORS|CHANGELOG|README|CODEOWNERS|OWNERS|VERSION)\Z"
    # What is compiled or packed, however it is called before the dot.
    r"|\.(?:py[co]|pyd|class|jar|war|whl|egg|o|a|so|dll|exe|bin|zip|gz|tgz|bz2|xz|zst|7z|tar|rpm|deb"
    r"|png|jpe?g|gif|ico|webp|pdf|woff2?|ttf|otf|eot|mp[34]|webm|mov|sqlite3?|db)\Z",
    re.IGNORECASE,
)
# Files whose change can alter what another file means, and files that refer to others.
_FRAGMENT = re.compile(
    r"\.(?:ya?ml|json|env|tpl|tf|tfvars|toml|j2)\Z|(?:^|/)\.env[^/]*\Z", re.IGNORECASE
)
_REFERRING = re.compile(
    r"compose|gitlab|azure|pipelines|(?:^|/)\.(?:github|gitea|forgejo)/(?:workflows|actions)/|stack"
    r"|(?:^|/)templates/|(?:^|/)tasks/|playbook|devcontainer",
    re.IGNORECASE,
)
_MOST_REFERRING = 400


def in_scope(path: str) -> bool:
    """Tell by its name alone whether a file may be of any format that we read."""
    named = _SCOPE.search(plain_name(path)) or nameless(path)
    return bool(named) and not _NOT.search(path)


def wanted(changes: Sequence[Change], paths: Iterable[str]) -> frozenset[str]:
    """Return the unchanged files that may refer to a changed one: worth reading beforehand.

    `paths` are all files of the head.
    """
    touched = {p for change in changes for p in (change.old, change.new) if p is not None}
    fragments = {
        path for path in touched if _FRAGMENT.search(plain_name(path)) or _FRAGMENT.search(path)
    }
    if not fragments:
        return frozenset()
    folders = {dirname(path) for path in fragments}
    found = [
        path
        for path in paths
        if path not in touched
        and in_scope(path)
        and (_REFERRING.search(path) or dirname(path) in folders)
        and _FRAGMENT.search(plain_name(path))
    ]
    found.sort(key=lambda path: (dirname(path) not in folders, path.count("/"), path))
    return frozenset(found[:_MOST_REFERRING])


def affected(head: Source, changes: Sequence[Change]) -> list[tuple[str | None, str | None]]:
    """Return the files to compare as (path in the base, path in the head).

    Raises SourceError where the head's files could not be listed or read.
    """
    pairs: list[tuple[str | None, str | None]] = []
    for change in changes:
        old = change.old if change.old and in_scope(change.old) else None
        new = change.new if change.new and in_scope(change.new) else None
        if old or new:
            pairs.append((old, new))
    touched = {path for change in changes for path in (change.old, change.new) if path is not None}
    referring = _references(head, changes)
    concerned: set[str] = set()
    growing = True
    while growing:
        growing = False
        for path, refers_to in referring.items():
            if path not in concerned and _refers(refers_to, touched | concerned):
                concerned.add(path)
                growing = True
    return pairs + [(path, path) for path in sorted(concerned)]


def _refers(named: frozenset[str], paths: set[str]) -> bool:
    """Tell whether one of the paths is named, by itself or by a pattern (`ci/*.yml`)."""
    if named & paths:
        return True
    patterns = [name for name in named if "*" in name]
    return any(fnmatchcase(path, pattern) for pattern in patterns for path in paths)


def _references(head: Source, changes: Sequence[Change]) -> dict[str, frozenset[str]]:
    """Return what each unchanged file of the head refers to."""
    if not any(
        _FRAGMENT.search(plain_name(path)) or _FRAGMENT.search(path)
        for change in changes
        for path in (change.old, change.new)
        if path is not None
    ):
        return {}
    found: dict[str, frozenset[str]] = {}
    for path in wanted(changes, head.paths()):
        data = head.read(path)
        content = decode(data) if data is not None and len(data) <= LARGEST else None
        if content is None:
            continue
        named: set[str] = set()
        for form in formats_of(ending(path)):
            if form.matches(path, content):
                named.update(form.references(path, content))
        if named:
            found[path] = frozenset(named)
    return found
