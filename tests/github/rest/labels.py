"""A repository's labels, and those on a pull request."""

from tests.github.model.base import Refused
from tests.github.model.labels import Label
from tests.github.views import repositories

from .route import Answer, Call, route

_ISSUE = "issues:{0}|pull_requests:{0}"
_READ, _WRITE, _ON = (
    _ISSUE.format("read"),
    _ISSUE.format("write"),
    _ISSUE.format("triage"),
)


@route("GET", "/repos/{owner}/{repo}/labels", _READ)
def listed(call: Call) -> Answer:
    """List labels."""
    return call.page(call.repository().labels, lambda one: repositories.label(one, call.urls))


@route("POST", "/repos/{owner}/{repo}/labels", _WRITE)
def create(call: Call) -> Answer:
    """Create a label."""
    label = call.repository().create_label(
        call.body["name"],
        by=call.token.account,
        color=call.body.get("color", "ededed"),
        description=call.body.get("description"),
    )
    return Answer(201, repositories.label(label, call.urls))


def _label(call: Call) -> Label:
    found = call.repository().label(call.path["name"])
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/labels/{name}", _READ)
def show(call: Call) -> Answer:
    """Show one label."""
    return Answer(200, repositories.label(_label(call), call.urls))


@route("PATCH", "/repos/{owner}/{repo}/labels/{name}", _WRITE)
def edit(call: Call) -> Answer:
    """Rename, recolour or describe a label."""
    label = _label(call)
    label.edit(
        by=call.token.account,
        name=call.body.get("new_name"),
        color=call.body.get("color"),
        description=call.body.get("description"),
    )
    return Answer(200, repositories.label(label, call.urls))


@route("DELETE", "/repos/{owner}/{repo}/labels/{name}", _WRITE)
def delete(call: Call) -> Answer:
    """Delete a label, off every pull request too."""
    _label(call).delete(by=call.token.account)
    return Answer(204)


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/labels", _READ)
def on_issue(call: Call) -> Answer:
    """List what is on a pull request."""
    found = call.pull("issue_number").labels
    return call.page(found, lambda one: repositories.label(one, call.urls))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels", _ON)
def add(call: Call) -> Answer:
    """Put labels on."""
    pull = call.pull("issue_number")
    # PyGithub sends the bare list that the API took before it took an object.
    given = call.body if isinstance(call.body, list) else call.body.get("labels", [])
    for one in given:
        name = one if isinstance(one, str) else one["name"]
        pull.label(name, by=call.token.account, app=call.token.app)
    return Answer(200, [repositories.label(label, call.urls) for label in pull.labels])


@route("DELETE", "/repos/{owner}/{repo}/issues/{issue_number}/labels/{name}", _ON)
def remove(call: Call) -> Answer:
    """Take a label off."""
    pull = call.pull("issue_number")
    pull.unlabel(call.path["name"], by=call.token.account, app=call.token.app)
    return Answer(200, [repositories.label(label, call.urls) for label in pull.labels])
