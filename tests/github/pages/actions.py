"""What the buttons of a pull request's page do."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tests.github.model.base import Refused

if TYPE_CHECKING:
    from tests.github.model.accounts import Account
    from tests.github.model.checks import CheckRun
    from tests.github.model.pulls import PullRequest


def act(pull: "PullRequest", form: Mapping[str, str]) -> None:
    """Do what a form asks for, as the person it names."""
    who = _person(pull, form.get("by", ""))
    match form.get("do"):
        case "label":
            _allowed(pull, who, "triage", "put labels on")
            pull.label(form.get("label", ""), by=who)
        case "unlabel":
            _allowed(pull, who, "triage", "take labels off")
            pull.unlabel(form.get("label", ""), by=who)
        case "comment":
            if not form.get("body"):
                raise Refused(422, "A comment needs words.")
            pull.comment(form["body"], by=who)
        case "rerun":
            _allowed(pull, who, "write", "run checks again")
            _run(pull, form).rerequest(by=who)
        case "press":
            _allowed(pull, who, "write", "press a check's buttons")
            run, button = _run(pull, form), form.get("button", "")
            if button not in {one["identifier"] for one in run.actions}:
                raise Refused(422, "The check has no such button.")
            run.request_action(button, by=who)
        case "merge":
            _allowed(pull, who, "write", "merge")
            if not pull.hub.mergeable(pull):
                raise Refused(405, "A required check is not green.")
            pull.merge(by=who)
        case other:
            raise Refused(422, f"There is no button for {other!r}.")


def people(pull: "PullRequest") -> list["Account"]:
    """List whom one may act as: everyone with a role, and the author."""
    here = pull.repository
    known = {here.owner} if here.owner.kind == "User" else set(here.owner.owners)
    known |= set(here.collaborators) | {pull.author}
    return sorted(
        (one for one in known if one.kind == "User"),
        key=lambda one: (one is pull.author, one.login),
    )


def _run(pull: "PullRequest", form: Mapping[str, str]) -> "CheckRun":
    for run in pull.repository.check_runs(pull.head_sha):
        if str(run.id) == form.get("run"):
            return run
    raise Refused(404, "The head has no such check run.")


def _person(pull: "PullRequest", login: str) -> "Account":
    for one in people(pull):
        if one.login == login:
            return one
    raise Refused(403, f"{login} has nothing to do with this repository.")


def _allowed(pull: "PullRequest", who: "Account", role: str, what: str) -> None:
    if not pull.repository.may(who, role):
        raise Refused(403, f"{who.login} may not {what}: it takes the {role} role.")
