"""Teams of organisations."""

from tests.github.model.base import Refused

from .route import Answer, Call, route


@route("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}")
def membership(call: Call) -> Answer:
    """Tell whether someone is in a team; it takes an organisation permission, ``members``."""
    token = call.token
    here = call.hub.find_account(call.path["org"])
    if here is None or here.kind != "Organization":
        return Answer(404)  # GitHub's description of this operation gives it no body
    if token.installation is not None and (
        token.installation.account is not here or token.level("members") is None
    ):
        raise Refused(403, "Resource not accessible by integration")
    team = here.teams.get(call.path["team_slug"].lower())
    person = call.hub.find_account(call.path["username"])
    if team is None or person is None or person not in team:
        return Answer(404)
    own = f"{call.urls.api}/orgs/{here.login}/teams/{call.path['team_slug']}"
    role = "maintainer" if person in here.owners else "member"
    view = {"url": f"{own}/memberships/{person.login}", "role": role, "state": team[person]}
    return Answer(200, view)
