"""Who put the label on, as GitHub lists it, and what that person may do now."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.gate.facts import Account, Facts, LabelEvent, Role
from bot.gate.justification import same_label
from bot.pull import PullRef

_ADDED = {"labeled": True, "unlabeled": False}


def with_label(client: Client, known: Facts, label: str) -> Facts:
    """Add a label's history and the present role of whoever put it on last. Raises ForgeError."""
    events = tuple(label_events(client, known.pull, label))
    actor = events[-1].actor if events else None
    roles = () if actor is None else ((actor.login, _role(client, known.pull, actor.login)),)
    return replace(known, events=events, roles=roles)


def label_events(client: Client, pull: PullRef, label: str) -> Iterator[LabelEvent]:
    """Yield how a label was put on and taken off, oldest first. Raises ForgeError.

    REST, "list issue events": an event keeps the name that the label had then, which GraphQL's
    `LabeledEvent.label` does not promise; so a label that was renamed into ours has no history.
    """
    for event in client.pages(f"/repos/{pull.owner}/{pull.repo}/issues/{pull.number}/events"):
        name = (event.get("label") or {}).get("name")
        if event["event"] in _ADDED and name is not None and same_label(name, label):
            yield LabelEvent(
                name=name,
                added=_ADDED[event["event"]],
                actor=_account(event["actor"]),
                at=datetime.fromisoformat(event["created_at"]).astimezone(UTC),
                id=event["id"],
                through=(event.get("performed_via_github_app") or {}).get("slug") or "",
            )


def _account(user: Mapping[str, Any] | None) -> Account | None:
    return None if user is None else Account(user["login"], user["type"] == "User")


def _role(client: Client, pull: PullRef, login: str) -> Role:
    """Return a person's role. A look-up that GitHub refuses is no role.

    REST, "get repository permissions for a user": `role_name`; a custom role counts as the legacy
    `permission` beside it. Raises ForgeError where trying again can help.
    """
    try:
        answer = client.get(f"/repos/{pull.owner}/{pull.repo}/collaborators/{login}/permission")
    except ForgeError as error:
        if error.retry:
            raise
        return Role.NONE
    names = (str(answer.get("role_name", "")), str(answer.get("permission", "")))
    return next(
        (Role[name.upper()] for name in names if name.upper() in Role.__members__), Role.NONE
    )
