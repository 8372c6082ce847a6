"""The conversation of a pull request."""

from tests.github.model.base import Refused
from tests.github.model.comments import IssueComment
from tests.github.views import pulls

from .route import Answer, Call, route

_READ = "issues:read|pull_requests:read"
_WRITE = "issues:write|pull_requests:write"
_SAY = "issues:read|pull_requests:read"  # for users: whoever sees it may comment


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/comments", _READ)
def listed(call: Call) -> Answer:
    """List comments, oldest first."""
    found = call.pull("issue_number").comments
    return call.page(found, lambda one: pulls.issue_comment(one, call.urls))


@route("POST", "/repos/{owner}/{repo}/issues/{issue_number}/comments", _SAY)
def create(call: Call) -> Answer:
    """Write one."""
    pull, token = call.pull("issue_number"), call.token
    if token.installation is not None and not token.permits(pull.repository, _WRITE):
        raise Refused(403, "Resource not accessible by integration")
    comment = pull.comment(call.body["body"], by=token.account, app=token.app)
    return Answer(201, pulls.issue_comment(comment, call.urls))


def _comment(call: Call) -> IssueComment:
    number = call.number("comment_id")
    for pull in call.repository().pulls.values():
        for one in pull.comments:
            if one.id == number:
                return one
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/issues/comments/{comment_id}", _READ)
def show(call: Call) -> Answer:
    """Show one."""
    return Answer(200, pulls.issue_comment(_comment(call), call.urls))


@route("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment_id}", _WRITE)
def edit(call: Call) -> Answer:
    """Change its text."""
    comment = _comment(call)
    comment.edit(call.body["body"], by=call.token.account)
    return Answer(200, pulls.issue_comment(comment, call.urls))


@route("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment_id}", _WRITE)
def delete(call: Call) -> Answer:
    """Remove it."""
    _comment(call).delete(by=call.token.account)
    return Answer(204)
