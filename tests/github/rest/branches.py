"""Branches and what protects them."""

from typing import Any

from tests.github.model.base import Refused
from tests.github.model.protection import Protection, Ruleset
from tests.github.model.repositories import Repository
from tests.github.views import repositories

from .route import Answer, Call, route


@route("GET", "/repos/{owner}/{repo}/branches/{branch}", "contents:read")
def branch(call: Call) -> Answer:
    """Show a branch, with the required checks of its protection."""
    here, name = _branch(call)
    own, page = repositories.own(here, call.urls), repositories.page(here, call.urls)
    protection = here.protections.get(name)
    sha = here.branches[name]
    return Answer(
        200,
        {
            "name": name,
            "commit": repositories.commit(here.git.show(sha), here, call.urls),
            "_links": {"self": f"{own}/branches/{name}", "html": f"{page}/tree/{name}"},
            "protected": protection is not None,
            "protection": {
                "enabled": protection is not None,
                "required_status_checks": {
                    "enforcement_level": _level(protection),
                    **_checks(protection or Protection()),
                },
            },
            "protection_url": f"{own}/branches/{name}/protection",
        },
    )


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}")
def rules(call: Call) -> Answer:
    """List what active rulesets ask of a branch."""
    here = call.repository()
    applying = here.rulesets if call.path["branch"] == here.default_branch else []
    return call.page([rule for one in applying for rule in _rules(one)], lambda rule: rule)


def _branch(call: Call) -> tuple[Repository, str]:
    here, name = call.repository(), call.path["branch"]
    if name not in here.branches:
        raise Refused(404, "Branch not found")
    return here, name


def _level(protection: Protection | None) -> str:
    if protection is None or not protection.checks:
        return "off"
    return "everyone" if protection.enforce_admins else "non_admins"


def _checks(protection: Protection) -> dict[str, Any]:
    return {
        "contexts": [one.name for one in protection.checks],
        "checks": [{"context": one.name, "app_id": one.app} for one in protection.checks],
    }


def _rules(one: Ruleset) -> list[dict[str, Any]]:
    source = {
        "ruleset_source_type": one.source_type,
        "ruleset_source": one.source,
        "ruleset_id": one.id,
    }
    found: list[dict[str, Any]] = []
    if one.checks:
        asked = [
            {"context": check.name, **({"integration_id": check.app} if check.app else {})}
            for check in one.checks
        ]
        parameters = {
            "required_status_checks": asked,
            "strict_required_status_checks_policy": False,
            "do_not_enforce_on_create": False,
        }
        found.append({"type": "required_status_checks", "parameters": parameters, **source})
    if one.merge_queue:
        parameters = {
            "check_response_timeout_minutes": 60,
            "grouping_strategy": "ALLGREEN",
            "max_entries_to_build": 5,
            "max_entries_to_merge": 5,
            "merge_method": "MERGE",
            "min_entries_to_merge": 1,
            "min_entries_to_merge_wait_minutes": 5,
        }
        found.append({"type": "merge_queue", "parameters": parameters, **source})
    return found
