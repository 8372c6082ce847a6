"""The label of a repository's policy, made where there is none: without it nobody can justify."""

from collections.abc import Iterable
from urllib.parse import quote

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import POLICY
from bot.forge.read import policy_text
from bot.gate.justification import same_label
from bot.gate.policy import STRICT, Policy, read_policy
from bot.wake import Repository

COLOUR = "b60205"
DESCRIPTION = "A maintainer accepts that this change hands over a container daemon"


def make_label(client: Client, at: Repository) -> None:
    """Make the label; one that is there stays as it is.

    A repository where that is not permitted, or that is archived or gone, is left alone. Raises
    ForgeError where trying again can help.
    """
    try:
        name = _name(client, at)
        if not name:
            return
        labels = f"/repos/{at.owner}/{at.repo}/labels"
        if not _is_there(client, f"{labels}/{quote(name, safe='')}"):
            client.send("POST", labels, {"name": name, "color": COLOUR, "description": DESCRIPTION})
    except ForgeError as error:
        if error.retry:
            raise


def is_of_policy(client: Client, at: Repository, labels: Iterable[str]) -> bool:
    """Tell whether one of these is the label of a repository's policy. Raises ForgeError."""
    name = _name(client, at)
    return any(same_label(name, label) for label in labels)


def _name(client: Client, at: Repository) -> str:
    """Return the name of the policy's label, "" where nothing can be changed any more."""
    found = client.graphql(POLICY, {"owner": at.owner, "repo": at.repo}, optional="ownerPolicy")
    if found["repository"]["isArchived"]:
        return ""
    text = policy_text(found["repository"]["policy"], found["ownerPolicy"], at.owner)
    policy = read_policy(text.text) if text is not None else STRICT
    return policy.label if isinstance(policy, Policy) else STRICT.label


def _is_there(client: Client, label: str) -> bool:
    try:
        client.get(label)
    except ForgeError as error:
        if error.gone:
            return False
        raise
    return True
