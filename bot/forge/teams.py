"""Whether a person is in a team of the policy, as GitHub has it now."""

from dataclasses import dataclass

from bot.forge.client import Client
from bot.forge.error import ForgeError


@dataclass(frozen=True, slots=True)
class Teams:
    """Of the teams that were asked about, those that a person is in."""

    of: tuple[str, ...] = ()
    known: bool = True  # false where GitHub does not tell of one


def teams_of(
    client: Client, login: str, asked: tuple[str, ...], owner: str, *, owner_is_user: bool
) -> Teams:
    """Look for a person in teams, up to the first that has them. A user account has no teams.

    REST, "get team membership for a user": 404 for who is not in it; members of child teams are;
    an invitation that was not accepted is `pending`. It takes the organisation permission
    `members: read`. Raises ForgeError where trying again can help.
    """
    known = True
    for name in asked:
        organisation, _, slug = name.rpartition("/")
        if not organisation and owner_is_user:
            continue
        path = f"/orgs/{organisation or owner}/teams/{slug}/memberships/{login}"
        try:
            if client.get(path)["state"] == "active":
                return Teams((name,))
        except ForgeError as error:
            if error.retry:
                raise
            known = known and error.gone
    return Teams(known=known)
