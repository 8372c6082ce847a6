"""Users, Apps and installations."""

from typing import TYPE_CHECKING

from tests.github.clock import stamp, stamp_or_none

from .base import Json, Urls

if TYPE_CHECKING:
    from tests.github.model.accounts import Account, Role
    from tests.github.model.apps import App, Installation

_LISTS = (
    ("followers_url", "/followers"),
    ("following_url", "/following{/other_user}"),
    ("gists_url", "/gists{/gist_id}"),
    ("starred_url", "/starred{/owner}{/repo}"),
    ("subscriptions_url", "/subscriptions"),
    ("organizations_url", "/orgs"),
    ("repos_url", "/repos"),
    ("events_url", "/events{/privacy}"),
    ("received_events_url", "/received_events"),
)


def user(account: "Account", urls: Urls) -> Json:
    """``simple-user``, which stands for users, organisations and bots alike.

    An account that was deleted shows as GitHub's user "ghost".
    """
    account = account.hub.user("ghost") if account.deleted else account
    path = account.login.replace("[", "%5B").replace("]", "%5D")
    own = f"{urls.api}/users/{path}"
    html = f"apps/{account.graphql_login}" if account.kind == "Bot" else account.login
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "avatar_url": f"{urls.html}/avatars/u/{account.id}?v=4",
        "gravatar_id": "",
        "url": own,
        "html_url": f"{urls.html}/{html}",
        **{name: own + tail for name, tail in _LISTS},
        "type": account.kind,
        "site_admin": False,
    }


def organization(account: "Account", urls: Urls) -> Json:
    """Write an organisation the way webhooks carry it."""
    own = f"{urls.api}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": account.node_id,
        "url": own,
        "repos_url": f"{own}/repos",
        "events_url": f"{own}/events",
        "hooks_url": f"{own}/hooks",
        "issues_url": f"{own}/issues",
        "members_url": f"{own}/members{{/member}}",
        "public_members_url": f"{own}/public_members{{/member}}",
        "avatar_url": f"{urls.html}/avatars/u/{account.id}?v=4",
        "description": "",
    }


def permission(account: "Account", role: "Role", urls: Urls) -> Json:
    """``repository-collaborator-permission``: the legacy word and the real role."""
    return {
        "permission": role.permission,
        "role_name": role.name,
        "user": collaborator(account, role, urls),
    }


def collaborator(account: "Account", role: "Role", urls: Urls) -> Json:
    """``collaborator``: someone with the role."""
    return {
        **user(account, urls),
        "permissions": capabilities(role),
        "role_name": role.name,
    }


def capabilities(role: "Role") -> Json:
    """List what a role can do, lowest to highest."""
    order = ("read", "triage", "write", "maintain", "admin")
    reached = order[: order.index(role.base) + 1] if role.base in order else ()
    return {
        "admin": "admin" in reached,
        "maintain": "maintain" in reached,
        "push": "write" in reached,
        "triage": "triage" in reached,
        "pull": "read" in reached,
    }


def app(app: "App", urls: Urls) -> Json:
    """``integration``: an App as it shows on what it did."""
    return {
        "id": app.id,
        **({} if urls.webhook else {"client_id": app.client_id}),
        "slug": app.slug,
        "node_id": app.node_id,
        "owner": user(app.owner, urls),
        "name": app.name or app.slug,
        "description": "",
        "external_url": "https://example.com",
        "html_url": f"{urls.html}/apps/{app.slug}",
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation(one: "Installation", urls: Urls) -> Json:
    """``installation``."""
    organisation = one.account.kind == "Organization"
    settings = f"organizations/{one.account.login}/settings" if organisation else "settings"
    return {
        "id": one.id,
        **({} if urls.webhook else {"client_id": one.app.client_id}),
        "account": user(one.account, urls),
        "repository_selection": "all" if one.selected is None else "selected",
        "access_tokens_url": f"{urls.api}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{urls.api}/installation/repositories",
        "html_url": f"{urls.html}/{settings}/installations/{one.id}",
        "app_id": one.app.id,
        "app_slug": one.app.slug,
        "target_id": one.account.id,
        "target_type": one.account.kind,
        "permissions": dict(one.permissions),
        "events": list(one.events),
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": user(one.suspended_by, urls) if one.suspended_by else None,
        "suspended_at": stamp_or_none(one.suspended_at),
    }
