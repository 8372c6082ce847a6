"""Which pull request: the only thing that passes from an event to an evaluation."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PullRef:
    """One pull request of a repository that an installation of the App can see."""

    installation: int
    owner: str
    repo: str
    number: int
