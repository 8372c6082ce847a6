"""One scan of a default branch, for the register. It judges nobody and writes nothing to GitHub.

An unchanged head costs one request, an unchanged set of files in scope two; nothing is read then.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy.exc import SQLAlchemyError

from bot import __version__
from bot.detect.grant import Grant
from bot.detect.source import SourceError
from bot.forge.branch import BranchFiles, default_branch
from bot.forge.client import Client, GitHub
from bot.forge.error import ForgeError
from bot.forge.label import role_of
from bot.forge.tree import Tree, tree
from bot.records.register import Register, Scanned
from bot.review.compare import in_scope, survey
from bot.wake import Repository

_AT_ONCE = 100  # files of one query
_FRESH = timedelta(days=1)  # a role is not looked up again within
_MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Found:
    """What a scan came to, for the log."""

    head: str
    changed: bool
    failed: str = ""


def scan(
    github: GitHub,
    register: Register,
    at: Repository,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Found:
    """Bring the register up to date with one repository's default branch.

    Raises ForgeError where trying again can help. What cannot be read stays as it was seen last,
    and the register says why; a repository that is gone leaves it.
    """
    try:
        client = github.client(at.installation)
        return _scan(client, register, at, now())
    except SQLAlchemyError as error:
        cause = type(getattr(error, "orig", None) or error).__name__
        raise ForgeError(f"nothing can be recorded: the database: {cause}", retry=True) from error
    except ForgeError as error:
        if not error.gone:
            raise
        register.forget(at.installation, [f"{at.owner}/{at.repo}"])
        return Found("", changed=True, failed=error.reason)


def _scan(client: Client, register: Register, at: Repository, now: datetime) -> Found:
    branch = default_branch(client, at)
    head, digest = register.known(branch.id)
    here = Scanned(
        branch.id,
        at.installation,
        at.owner,
        at.repo,
        branch.is_private,
        branch.name,
        branch.head,
        "",
    )
    if branch.head == head and digest.startswith(f"{__version__} "):
        register.seen(replace(here, digest=digest), now)
        _look_up(client, register, at, branch.id, now)
        return Found(head, changed=False)
    try:
        files = _files(client, at, branch.head)
        here = replace(here, digest=_digest(files))
        changed = here.digest != digest
        if changed:
            register.found(here, list(_grants(client, at, files)), now)
        else:
            register.seen(here, now)
    except (ForgeError, SourceError) as error:
        cause = error.__cause__ if isinstance(error, SourceError) else error
        if not isinstance(cause, ForgeError) or cause.retry:
            raise cause or error from error
        register.seen(replace(here, failed=cause.reason), now)
        return Found(branch.head, changed=False, failed=cause.reason)
    _look_up(client, register, at, branch.id, now)
    return Found(branch.head, changed=changed)


def _files(client: Client, at: Repository, head: str) -> Tree:
    """List the files of a commit, all of them; an empty repository has none."""
    if not head:
        return Tree({}, complete=True)
    found = tree(client, at.owner, at.repo, head)
    if not found.complete:
        raise ForgeError("GitHub does not list all of its files", retry=False)
    return found


def _digest(files: Tree) -> str:
    """Tell by the version that reads them and by their content whether files were read already."""
    of_them = sorted((path, blob) for path, blob in files.blobs.items() if in_scope(path))
    return f"{__version__} {sha256(repr(of_them).encode()).hexdigest()[:32]}"


def _grants(client: Client, at: Repository, files: Tree) -> Iterator[Grant]:
    source = BranchFiles(client, at, files)
    paths = [path for path in source.paths() if in_scope(path)]
    end = time.monotonic() + _MOST_SECONDS
    for start in range(0, len(paths), _AT_ONCE):
        if time.monotonic() > end:
            raise ForgeError("reading its files takes too long", retry=False)
        together = paths[start : start + _AT_ONCE]
        source.fetch(together)
        yield from (finding.grant for finding in survey(source, together).findings)


def _look_up(
    client: Client, register: Register, at: Repository, repository: int, now: datetime
) -> None:
    """Look up the roles that those have now who justified what is there."""
    logins = register.to_look_up(repository, now - _FRESH)
    found = {login: role_of(client, at.owner, at.repo, login).name.lower() for login in logins}
    register.roles(repository, found, now)
