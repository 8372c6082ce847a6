"""What an App asks about itself: installations, tokens, deliveries, the rate left."""

import json
from typing import TYPE_CHECKING

from tests.github.clock import stamp
from tests.github.model.apps import Installation
from tests.github.model.base import Refused
from tests.github.views import accounts, repositories
from tests.github.views.base import Json

from .route import Answer, Call, route

if TYPE_CHECKING:
    from tests.github.hooks.deliveries import Delivery


@route("GET", "/app")
def app(call: Call) -> Answer:
    """Describe the App that asks."""
    view = accounts.app(call.app, call.urls)
    return Answer(200, view | {"installations_count": len(call.app.installations)})


@route("POST", "/app-manifests/{code}/conversions")
def conversion(call: Call) -> Answer:
    """Hand out what an App needs to know of itself, once; whoever has the code may ask."""
    app = call.hub.manifests.convert(call.path["code"])
    secret = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "webhook_secret": app.secret,
        "pem": app.private_key,
    }
    return Answer(201, accounts.app(app, call.urls) | secret)


@route("GET", "/app/hook/config")
def hook_config(call: Call) -> Answer:
    """Show where deliveries go, and how."""
    app = call.app
    return Answer(
        200,
        {
            "content_type": app.content_type,
            "insecure_ssl": app.insecure_ssl,
            "secret": "********",
            **({"url": app.webhook_url} if app.webhook_url else {}),
        },
    )


@route("GET", "/app/installations")
def installations(call: Call) -> Answer:
    """List where it is installed."""
    return call.page(call.app.installations, lambda one: accounts.installation(one, call.urls))


def _installation(call: Call) -> Installation:
    number = call.number("installation_id")
    for one in call.app.installations:
        if one.id == number:
            return one
    raise Refused(404, "Not Found")


@route("GET", "/app/installations/{installation_id}")
def installation(call: Call) -> Answer:
    """Describe one installation."""
    return Answer(200, accounts.installation(_installation(call), call.urls))


@route("POST", "/app/installations/{installation_id}/access_tokens")
def access_token(call: Call) -> Answer:
    """Hand out a token for an hour, narrowed to repositories or permissions if asked."""
    one = _installation(call)
    if one.suspended_at is not None:
        raise Refused(403, "This installation has been suspended")
    # An empty object asks for nothing less than all (PyGithub always sends one).
    wanted: dict[str, str] | None = call.body.get("permissions") or None
    for name, level in (wanted or {}).items():
        if one.permissions.get(name) not in (level, "write", "admin"):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    names, numbers = call.body.get("repositories"), call.body.get("repository_ids")
    chosen = None
    if names or numbers:
        reached = one.repositories()
        chosen = frozenset(
            repository
            for repository in reached
            if repository.name in (names or ()) or repository.id in (numbers or ())
        )
        if len(chosen) < len(names or ()) + len(numbers or ()):
            message = "There is at least one repository that does not exist or is not accessible"
            raise Refused(422, f"{message} to the parent installation.")
    token = call.hub.tokens.issue(one, wanted, chosen)
    body: Json = {
        "token": token.value,
        "expires_at": stamp(token.expires_at or call.hub.clock.now()),
        "permissions": dict(token.permissions or {}),
        "repository_selection": "selected" if chosen or one.selected is not None else "all",
    }
    if chosen:
        body["repositories"] = [repositories.repository(each, call.urls) for each in chosen]
    return Answer(201, body)


@route("GET", "/repos/{owner}/{repo}/installation")
def repository_installation(call: Call) -> Answer:
    """Find the App's installation of a repository."""
    repository = call.hub.find_repository(call.path["owner"], call.path["repo"])
    for one in call.app.installations:
        if repository is not None and one.covers(repository):
            return Answer(200, accounts.installation(one, call.urls))
    raise Refused(404, "Not Found")


@route("GET", "/installation/repositories")
def installation_repositories(call: Call) -> Answer:
    """List the repositories that the token is for."""
    one = call.token.installation
    if one is None:
        raise Refused(403, "You must authenticate with an installation access token.")
    reached = [each for each in one.repositories() if call.token.reaches(each)]
    return call.page(
        reached,
        lambda each: repositories.repository(each, call.urls),
        wrap="repositories",
    )


@route("GET", "/rate_limit")
def rate_limit(call: Call) -> Answer:
    """Tell what is left; asking costs nothing."""
    core, graphql = (
        call.hub.rates.left(call.actor, "core"),
        call.hub.rates.left(call.actor, "graphql"),
    )
    search = {"limit": 30, "used": 0, "remaining": 30, "reset": core["reset"]}
    return Answer(
        200, {"resources": {"core": core, "graphql": graphql, "search": search}, "rate": core}
    )


@route("GET", "/app/hook/deliveries")
def deliveries(call: Call) -> Answer:
    """List deliveries, newest first, page by page with a cursor."""
    mine = [one for one in reversed(call.hub.webhooks.log) if one.app is call.app]
    mine = [one for one in mine if one.status != "pending"]
    if "status" in call.query:
        failed = call.query["status"] == "failure"
        mine = [one for one in mine if (one.status != "OK") == failed]
    size = min(max(int(call.query.get("per_page", "30")), 1), 100)
    start = 0
    if "cursor" in call.query:
        wanted = call.query["cursor"].removeprefix("v1_")
        start = next((n for n, one in enumerate(mine) if str(one.id) == wanted), len(mine))
    body = [_delivery(one) for one in mine[start : start + size]]
    headers = {}
    if start + size < len(mine):
        after = f"{call.url}?per_page={size}&cursor=v1_{mine[start + size].id}"
        headers["link"] = f'<{after}>; rel="next"'
    return Answer(200, body, headers)


def _delivery(one: "Delivery") -> Json:
    return {
        "id": one.id,
        "guid": one.guid,
        "delivered_at": stamp(one.delivered_at),
        "redelivery": one.redelivery,
        "duration": one.duration,
        "status": one.status,
        "status_code": one.status_code,
        "event": one.event,
        "action": one.action,
        "installation_id": one.installation_id,
        "repository_id": one.repository_id,
        "throttled_at": None,
    }


def _found(call: Call) -> "Delivery":
    number = call.number("delivery_id")
    for one in call.hub.webhooks.log:
        if one.id == number and one.app is call.app:
            return one
    raise Refused(404, "Not Found")


@route("GET", "/app/hook/deliveries/{delivery_id}")
def delivery(call: Call) -> Answer:
    """Show one delivery with what was sent and answered."""
    one = _found(call)
    return Answer(
        200,
        _delivery(one)
        | {
            "url": one.app.webhook_url or "",
            "request": {"headers": one.headers, "payload": json.loads(one.body)},
            "response": {"headers": one.response_headers, "payload": one.response_body},
        },
    )


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts")
def redeliver(call: Call) -> Answer:
    """Try again."""
    call.hub.webhooks.redeliver(_found(call))
    return Answer(202, {})
