"""Users, bots, organisations and Apps."""

from collections.abc import Callable
from typing import Any, ClassVar

from tests.github.clock import stamp
from tests.github.model.accounts import Account
from tests.github.model.apps import App

from .base import Context, Node, Plain, shows

_ACTOR: dict[str, Callable[[Account], Any]] = {
    "id": lambda one: one.node_id,
    "databaseId": lambda one: one.id,
    "login": lambda one: one.graphql_login,
    "url": lambda one: f"{one.hub.page_url}/{one.graphql_login}",
    "resourcePath": lambda one: f"/{one.graphql_login}",
    "createdAt": lambda one: stamp(one.created_at),
}


class UserNode(Node[Account]):
    """A person; also the viewer behind an installation's token, which shows as ``name[bot]``."""

    typename = "User"
    plain: ClassVar[Plain] = {
        **_ACTOR,
        "login": lambda one: one.login,
        "name": lambda one: one.name,
        "email": lambda _: "",
    }


class BotNode(Node[Account]):
    """An App's bot; its login has no ``[bot]`` here."""

    typename = "Bot"
    plain: ClassVar[Plain] = _ACTOR


class OrganizationNode(Node[Account]):
    """An organisation."""

    typename = "Organization"
    plain: ClassVar[Plain] = {**_ACTOR, "name": lambda one: one.name}


def actor(context: Context, account: Account | None) -> Node[Account] | None:
    """Show an account as what it is."""
    if account is None or account.deleted:
        return None
    kinds = {"User": UserNode, "Bot": BotNode, "Organization": OrganizationNode}
    return kinds[account.kind](context, account)


@shows(App)
class AppNode(Node[App]):
    """A GitHub App."""

    typename = "App"
    plain: ClassVar[Plain] = {
        "id": lambda one: one.node_id,
        "databaseId": lambda one: one.id,
        "slug": lambda one: one.slug,
        "name": lambda one: one.slug,
        "clientId": lambda one: one.client_id,
        "url": lambda one: f"{one.hub.page_url}/apps/{one.slug}",
    }
