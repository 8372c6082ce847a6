"""A wake that is wider than one pull request -> the open pull requests it means."""

from collections.abc import Callable, Iterator
from typing import assert_never

from bot.forge import read
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.groups import groups_at, groups_with
from bot.forge.make_label import is_of_policy, make_label
from bot.forge.read import OpenPull
from bot.pull import PullRef
from bot.wake import (
    Repository,
    Target,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakeLeave,
    WakePull,
    WakeRepository,
    WakeScan,
)


def expand(github: GitHub, target: Target) -> Iterator[PullRef]:
    """Yield the pull requests to evaluate; then make labels that are missing. Raises ForgeError.

    A label that is renamed or deleted is a matter of all of them where it is, or was, the policy's:
    none carries a deleted label any more. The label of a policy is made where a repository was
    added or its policy changed, but not where somebody deleted it.
    """
    match target:
        case WakePull(pull):
            yield pull
        case WakeHead(repository, sha):
            yield from _open(github, repository, lambda pull: pull.head == sha)
        case WakeRepository(repository, labels):
            client = github.client(repository.installation)
            if labels and not is_of_policy(client, repository, labels):
                return
            yield from _open(github, repository)
            if not labels:
                make_label(client, repository)
        case WakeInstallation(installation, repositories):
            meant = tuple(repositories or _seen(github, installation))
            for repository in meant:
                yield from _open_if_there(github, repository)
            for repository in meant:
                make_label(github.client(installation), repository)
        case WakeGroup() | WakeScan() | WakeLeave():
            return
        case _:
            assert_never(target)


def groups(github: GitHub, target: Target) -> Iterator[WakeGroup]:
    """Yield the merge groups to evaluate: what the queue would merge next. Raises ForgeError.

    Those that a pull request is in, or whose own commit was meant ("Re-run" on a group's check). A
    branch of the queue's kind at a pull request's head is nobody's group.
    """
    match target:
        case WakePull(pull):
            yield from groups_with(github.client(pull.installation), pull)
        case WakeHead(repository, sha):
            if not any(expand(github, target)):
                yield from groups_at(github.client(repository.installation), repository, sha)
        case WakeGroup():
            yield target
        case WakeScan() | WakeLeave():
            return
        case WakeRepository() | WakeInstallation():
            return  # the pull requests that these mean tell of their groups
        case _:
            assert_never(target)


def scans(github: GitHub, target: Target) -> Iterator[Repository]:
    """Yield the repositories to scan for the register besides. Raises ForgeError.

    That of a pull request once it is closed: a merge brings what was justified.
    """
    match target:
        case WakePull(pull):
            yield Repository(pull.installation, pull.owner, pull.repo)
        case WakeRepository(repository, labels):
            if not labels:
                yield repository
        case WakeInstallation(installation, repositories):
            yield from repositories or _seen(github, installation)
        case WakeHead() | WakeGroup() | WakeScan() | WakeLeave():
            return
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
