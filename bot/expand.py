"""A wake that is wider than one pull request -> the open pull requests it means."""

from collections.abc import Callable, Iterator
from typing import assert_never

from bot.forge import read
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.read import OpenPull
from bot.pull import PullRef
from bot.wake import (
    Repository,
    Target,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakePull,
    WakeRepository,
)


def expand(github: GitHub, target: Target) -> Iterator[PullRef]:
    """Yield the pull requests to evaluate. Raises ForgeError."""
    match target:
        case WakePull(pull):
            yield pull
        case WakeHead(repository, sha):
            yield from _open(github, repository, lambda pull: pull.head == sha)
        case WakeRepository(repository, labels):
            wanted = set(labels)
            yield from _open(
                github, repository, lambda pull: not wanted or not wanted.isdisjoint(pull.labels)
            )
        case WakeInstallation(installation, repositories):
            for repository in repositories or _seen(github, installation):
                yield from _open_if_there(github, repository)
        case WakeGroup(head_sha=sha):
            raise ForgeError(f"merge groups are not evaluated: {sha}", retry=False)
        case _:
            assert_never(target)


def _seen(github: GitHub, installation: int) -> Iterator[Repository]:
    for owner, repo in read.repositories(github.client(installation)):
        yield Repository(installation, owner, repo)


def _open(
    github: GitHub, at: Repository, fits: Callable[[OpenPull], bool] = lambda _: True
) -> Iterator[PullRef]:
    client = github.client(at.installation)
    for pull in read.open_pulls(client, at.installation, at.owner, at.repo):
        if fits(pull):
            yield pull.ref


def _open_if_there(github: GitHub, at: Repository) -> Iterator[PullRef]:
    """Skip a repository of many that is gone by now, or that nothing may be read of."""
    try:
        yield from _open(github, at)
    except ForgeError as error:
        if error.retry:
            raise
