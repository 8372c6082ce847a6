"""What a person's token asks about the person: who it is, and what an App shows to them."""

from tests.github.model.apps import Installation
from tests.github.model.base import Refused
from tests.github.views import accounts, repositories

from .route import Answer, Call, route


@route("GET", "/user")
def user(call: Call) -> Answer:
    """Describe who asks, as anybody may see it."""
    who = call.token.account
    blank = ("name", "company", "blog", "location", "email", "hireable", "bio")
    counts = ("public_repos", "public_gists", "followers", "following")
    made = "2026-01-01T00:00:00Z"
    return Answer(
        200,
        accounts.user(who, call.urls)
        | dict.fromkeys(blank)
        | dict.fromkeys(counts, 0)
        | {"created_at": made, "updated_at": made},
    )


@route("GET", "/user/installations")
def installations(call: Call) -> Answer:
    """List where the App is installed and the person may see something."""
    return call.page(
        _installations(call),
        lambda one: accounts.installation(one, call.urls),
        wrap="installations",
    )


@route("GET", "/user/installations/{installation_id}/repositories")
def installation_repositories(call: Call) -> Answer:
    """List what both the installation and the person may see."""
    for one in _installations(call):
        if one.id == call.number("installation_id"):
            seen = [each for each in one.repositories() if each.may(call.token.account, "read")]
            view = lambda each: repositories.repository(each, call.urls)  # noqa: E731
            return call.page(seen, view, wrap="repositories")
    raise Refused(404, "Not Found")


def _installations(call: Call) -> list[Installation]:
    app = call.hub.signing_in.app_of(call.token.value)
    if app is None:
        raise Refused(403, "You must authenticate with an access token authorized to a GitHub App")
    who = call.token.account
    return [
        one
        for one in app.installations
        if any(each.may(who, "read") for each in one.repositories())
    ]
