"""Reviews and review comments."""

from collections.abc import Mapping
from typing import Any

from tests.github.model.base import Refused, invalid
from tests.github.model.comments import ReviewComment
from tests.github.model.reviewing import Draft
from tests.github.views import pulls

from .route import Answer, Call, route

_STATE = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}


def _draft(given: Mapping[str, Any]) -> Draft:
    return Draft(
        path=given["path"],
        body=given["body"],
        line=given.get("line"),
        side=given.get("side", "RIGHT"),
        start_line=given.get("start_line"),
        start_side=given.get("start_side"),
        subject_type=given.get("subject_type"),
        position=given.get("position"),
    )


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:read")
def reviews(call: Call) -> Answer:
    """List reviews, oldest first."""
    return call.page(call.pull().reviews, lambda one: pulls.review(one, call.urls))


@route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:write")
def create(call: Call) -> Answer:
    """Submit a review; one comment outside the diff and nothing of it is stored."""
    pull = call.pull()
    event, body = call.body.get("event"), call.body.get("body") or ""
    comments = [_draft(one) for one in call.body.get("comments", ())]
    if event is None:
        raise Refused(422, "Unprocessable Entity", ["Pending reviews are not offered here"])
    if event != "APPROVE" and not body and not comments:
        raise Refused(422, "Unprocessable Entity", ["Body can't be blank"])
    if event != "COMMENT" and call.token.account is pull.author:
        words = "approve" if event == "APPROVE" else "request changes on"
        raise Refused(
            422, "Unprocessable Entity", [f"Review Can not {words} your own pull request"]
        )
    review = pull.review(
        by=call.token.account,
        body=body,
        state=_STATE[event],
        comments=comments,
        commit_id=call.body.get("commit_id"),
        app=call.token.app,
    )
    return Answer(200, pulls.review(review, call.urls))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", "pull_requests:read")
def review(call: Call) -> Answer:
    """Show one review."""
    number = call.number("review_id")
    for one in call.pull().reviews:
        if one.id == number:
            return Answer(200, pulls.review(one, call.urls))
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/comments", "pull_requests:read")
def comments(call: Call) -> Answer:
    """List review comments, oldest first."""
    found = call.pull().review_comments
    return call.page(found, lambda one: pulls.review_comment(one, call.urls))


@route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/comments", "pull_requests:write")
def comment(call: Call) -> Answer:
    """Write one: on a line, on a file, or with ``in_reply_to`` an answer."""
    pull, who = call.pull(), call.token
    answered = call.body.get("in_reply_to")
    if answered is not None:
        for one in pull.review_comments:
            if one.id == answered:
                new = pull.reply(one, call.body["body"], by=who.account, app=who.app)
                return Answer(201, pulls.review_comment(new, call.urls))
        raise invalid("PullRequestReviewComment", "in_reply_to", "in_reply_to is invalid")
    # A comment on a line must not name its subject (PyGithub#3293, octokit.rb#1748).
    if call.body.get("subject_type") == "line":
        raise invalid("PullRequestReviewComment", "subject_type", "subject_type is not permitted")
    new = pull.review_comment(
        _draft(call.body), by=who.account, commit_id=call.body["commit_id"], app=who.app
    )
    return Answer(201, pulls.review_comment(new, call.urls))


@route(
    "POST",
    "/repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies",
    "pull_requests:write",
)
def reply(call: Call) -> Answer:
    """Answer in a thread."""
    pull, number = call.pull(), call.number("comment_id")
    for one in pull.review_comments:
        if one.id == number:
            new = pull.reply(one, call.body["body"], by=call.token.account, app=call.token.app)
            return Answer(201, pulls.review_comment(new, call.urls))
    raise Refused(404, "Not Found")


def _comment(call: Call) -> ReviewComment:
    number = call.number("comment_id")
    for pull in call.repository().pulls.values():
        for one in pull.review_comments:
            if one.id == number:
                return one
    raise Refused(404, "Not Found")


def _own(call: Call, comment: ReviewComment) -> None:
    """Refuse to touch someone else's comment without the role to."""
    token = call.token
    if comment.author is token.account:
        return
    if token.installation is None and comment.pull.repository.may(token.account, "write"):
        return
    if token.installation is not None and token.level("pull_requests") == "write":
        return
    raise Refused(403, "Resource not accessible by integration")


@route("GET", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", "pull_requests:read")
def show(call: Call) -> Answer:
    """Show one review comment."""
    return Answer(200, pulls.review_comment(_comment(call), call.urls))


@route("PATCH", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", "pull_requests:write")
def edit(call: Call) -> Answer:
    """Change its text."""
    found = _comment(call)
    _own(call, found)
    found.edit(call.body["body"], by=call.token.account)
    return Answer(200, pulls.review_comment(found, call.urls))


@route("DELETE", "/repos/{owner}/{repo}/pulls/comments/{comment_id}", "pull_requests:write")
def delete(call: Call) -> Answer:
    """Remove it."""
    found = _comment(call)
    _own(call, found)
    found.delete(by=call.token.account)
    return Answer(204)
