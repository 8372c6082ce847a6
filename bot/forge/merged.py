"""What merging a pull request would give, as GitHub has tried it."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import MERGED
from bot.forge.read import nodes
from bot.gate.facts import Facts

_LOOKS = 3  # times that a merge is asked for that GitHub has not tried yet
_PAUSE = 2.0  # seconds between them


@dataclass(frozen=True, slots=True)
class Merged:
    """GitHub's own test merge: a commit that lies on no branch."""

    base: str  # what it merged into: the base branch, as it was then
    commit: str


def merged(client: Client, known: Facts, pause: Callable[[float], None]) -> Merged | None:
    """Return the test merge of the head; None where nothing can be merged.

    GraphQL, `potentialMergeCommit`: none "if the test merge commit is still being generated", and
    asking for `mergeable` has it generated. Raises ForgeError, also where it stays away: then it
    may come later.
    """
    pull = known.pull
    asked = {"owner": pull.owner, "repo": pull.repo, "number": pull.number}
    for look in range(_LOOKS):
        if look:
            pause(_PAUSE)
        found = client.graphql(MERGED, asked)["repository"]["pullRequest"]
        if found["baseRef"] is None or found["mergeable"] == "CONFLICTING":
            return None
        commit = found["potentialMergeCommit"]
        parents = [one["oid"] for one in nodes(commit["parents"])] if commit else []
        if found["mergeable"] == "MERGEABLE" and parents[1:] == [known.head]:
            return Merged(parents[0], commit["oid"])
    why = "it has not tried yet to merge this; bring the branch up to date with its base"
    raise ForgeError(why, retry=False, status=404)
