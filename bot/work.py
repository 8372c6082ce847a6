"""What the queue does, injected: evaluations, and whatever else a delivery may ask for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from bot.forge.error import ForgeError
from bot.pull import PullRef
from bot.wake import Repository, Target, WakeGroup, WakeLeave, WakeScan


class Outcome(StrEnum):
    """What became of one evaluation."""

    DONE = "done"
    MOVED = "moved"  # the head is another one by now: once more, at once
    GONE = "gone"  # closed: nothing is to be done for it
    QUEUED = "queued"  # done, and in a merge queue: what that would merge next is looked at, too
    UNREAD = "unread"  # red, since a part of it was not to be seen; that may pass
    MISSING = "missing"  # not to be seen; of a pull request just announced that may pass


def _no_queues(group: WakeGroup) -> Outcome:
    raise ForgeError(f"merge groups are not evaluated here: {group.head_sha}", retry=False)


@dataclass(frozen=True, slots=True)
class Work:
    """What the queue does. All raise ForgeError where GitHub fails."""

    evaluate: Callable[[PullRef], Outcome]
    expand: Callable[[Target], Iterable[PullRef]]  # the pull requests that a wider wake means
    group: Callable[[WakeGroup], Outcome] = _no_queues
    groups: Callable[[Target], Iterable[WakeGroup]] = lambda _target: ()  # that rest on it
    # For the register: what else to scan, and doing it.
    scans: Callable[[Target], Iterable[Repository]] = lambda _target: ()
    register: Callable[[WakeScan | WakeLeave], None] = lambda _asked: None
