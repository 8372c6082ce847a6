"""Whether a branch waits for our check, by branch protection and by rulesets.

REST, "Get a branch" (contents: read) tells the required checks of branch protection with their
expected source, and for whom they hold; "Get rules for a branch" (metadata: read) tells what
rulesets ask, and is refused where the owner's plan has neither for this repository. Who may bypass
a ruleset is told only to those who may edit it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bot.forge.client import Client
from bot.forge.error import ForgeError

_EVERYONE = "everyone"  # `enforcement_level`: off, non_admins, everyone


@dataclass(frozen=True, slots=True)
class Required:
    """One place that makes the check required; `source` is an App's id, None for any."""

    where: str  # "branch protection", "the ruleset of acme/shop"
    source: int | None
    admins: bool | None  # whether it holds for administrators, None where that cannot be seen


@dataclass(frozen=True, slots=True)
class Branch:
    """What protects one branch, as far as our check goes."""

    name: str
    required: tuple[Required, ...]
    protected: bool  # by branch protection
    merge_queue: bool
    offered: bool = True  # whether the owner's plan lets a check be required here

    def held_by(self, app: int) -> bool:
        """Say whether only this App's check lets a change in."""
        return any(one.source == app for one in self.required)


def branch(client: Client, owner: str, repo: str, name: str, check: str) -> Branch:
    """Read what protects a branch. Raises ForgeError."""
    path = f"/repos/{owner}/{repo}"
    known = client.get(f"{path}/branches/{quote(name, safe='')}")
    offered, rules = True, []
    try:
        rules = list(client.pages(f"{path}/rules/branches/{quote(name, safe='')}"))
    except ForgeError as error:
        if error.status != 403 or "Upgrade" not in error.reason:
            raise
        offered = False
    return Branch(
        name,
        (*_protection(known, check), *_rulesets(rules, check)),
        bool(known.get("protected")) and known.get("protection", {}).get("enabled", True),
        any(rule["type"] == "merge_queue" for rule in rules),
        offered,
    )


def _protection(known: dict[str, Any], check: str) -> Iterator[Required]:
    asked = (known.get("protection") or {}).get("required_status_checks") or {}
    level = asked.get("enforcement_level", "")
    if not known.get("protected") or level == "off":
        return
    sources = {one["context"]: one.get("app_id") for one in asked.get("checks", ())}
    if check in sources or check in asked.get("contexts", ()):
        source = sources.get(check)
        # -1 and null both stand for "any source" (REST, "Update status check protection").
        chosen = source if source is not None and source > 0 else None
        yield Required("branch protection", chosen, level == _EVERYONE if level else None)


def _rulesets(rules: list[dict[str, Any]], check: str) -> Iterator[Required]:
    for rule in rules:
        if rule["type"] != "required_status_checks":
            continue
        for one in (rule.get("parameters") or {}).get("required_status_checks", ()):
            if one["context"] == check:
                source = one.get("integration_id")
                where = f"a ruleset of {rule.get('ruleset_source', 'the repository')}"
                yield Required(where, source if source and source > 0 else None, None)
