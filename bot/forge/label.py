"""Who put the label on, as GitHub lists it, and what that person may do now."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.queries import PUT_ON
from bot.forge.read import nodes
from bot.forge.teams import Teams, teams_of
from bot.gate.facts import Account, Facts, LabelEvent, Role
from bot.gate.justification import may_by_role, same_label
from bot.gate.policy import Policy
from bot.pull import PullRef

_ADDED = {"labeled": True, "unlabeled": False}


def with_label(client: Client, known: Facts, policy: Policy) -> Facts:
    """Add the label's history, and what whoever put it on last may do now. Raises ForgeError.

    The policy's teams are asked about only where the person's role is not enough.
    """
    listed = tuple(label_events(client, known.pull))
    events = tuple(one for one in listed if same_label(one.name, policy.label))
    actor = events[-1].actor if events else None
    if actor is None:
        return replace(known, events=events)
    if len(listed) > len(events):  # only what was put on as another one can be renamed into ours
        known = _with_ids(client, known)
    role = role_of(client, known.pull.owner, known.pull.repo, actor.login)
    found = Teams()
    if policy.teams and actor.is_person and not may_by_role(role, actor.login, policy):
        owner, is_user = known.pull.owner, known.owner_is_user
        found = teams_of(client, actor.login, policy.teams, owner, owner_is_user=is_user)
    return replace(
        known,
        owner_is_alone=_owner_is_alone(client, known, policy),
        events=events,
        roles=((actor.login, role),),
        teams=found.of,
        teams_known=found.known,
    )


def _with_ids(client: Client, known: Facts) -> Facts:
    """Add which labels were put on when, as far as GitHub tells.

    GraphQL promises a label for each event, and does not say what it is once the label is deleted;
    so an answer that is an error rules nothing out. Raises ForgeError where the limit is reached.
    """
    pull = known.pull
    asked = {"owner": pull.owner, "repo": pull.repo, "number": pull.number}
    try:
        found = client.graphql(PUT_ON, asked)["repository"]["pullRequest"]
    except ForgeError as error:
        if not error.reason.startswith("graphql"):
            raise
        return known
    return replace(
        known,
        label_ids=tuple((one["name"], one["id"]) for one in nodes(found["labels"])),
        put_on=tuple(
            (datetime.fromisoformat(one["createdAt"]).astimezone(UTC), one["label"]["id"])
            for one in nodes(found["timelineItems"])
        ),
    )


def _owner_is_alone(client: Client, known: Facts, policy: Policy) -> bool:
    """Tell whether nobody but the owner may write; asked only where it decides something.

    REST, "list repository collaborators". Where GitHub refuses to tell, it is a no. Raises
    ForgeError where trying again can help.
    """
    if not known.owner_is_user or policy.self_justify is not None or policy.role != "write":
        return False
    path = f"/repos/{known.pull.owner}/{known.pull.repo}/collaborators"
    try:
        return all(one["login"].lower() == known.pull.owner.lower() for one in client.pages(path))
    except ForgeError as error:
        if error.retry:
            raise
        return False


def label_events(client: Client, pull: PullRef) -> Iterator[LabelEvent]:
    """Yield how labels were put on and taken off, oldest first. Raises ForgeError.

    REST, "list issue events": an event keeps the name that the label had then, which GraphQL's
    `LabeledEvent.label` does not promise; so a label that was renamed into ours has no history.
    """
    for event in client.pages(f"/repos/{pull.owner}/{pull.repo}/issues/{pull.number}/events"):
        name = (event.get("label") or {}).get("name")
        if event["event"] in _ADDED and name is not None:
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


def role_of(client: Client, owner: str, repo: str, login: str) -> Role:
    """Return a person's role. A look-up that GitHub refuses is no role.

    REST, "get repository permissions for a user": `role_name`; a custom role counts as the legacy
    `permission` beside it. Raises ForgeError where trying again can help.
    """
    try:
        answer = client.get(f"/repos/{owner}/{repo}/collaborators/{login}/permission")
    except ForgeError as error:
        if error.retry:
            raise
        return Role.NONE
    names = (str(answer.get("role_name", "")), str(answer.get("permission", "")))
    return next(
        (Role[name.upper()] for name in names if name.upper() in Role.__members__), Role.NONE
    )
