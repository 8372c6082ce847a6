"""The timeline of a pull request, and the events in it.

A forced push is in both lists, a change of the base branch only among the events
(docs.github.com, "Issue event types").
"""

from tests.github.model.base import Refused
from tests.github.model.pulls import TimelineEvent
from tests.github.views import pulls
from tests.github.views.base import Json

from .route import Answer, Call, route

_READ = "issues:read|pull_requests:read"
_NO_EVENTS = ("committed", "commented", "reviewed")


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", _READ)
def issue(call: Call) -> Answer:
    """Show a pull request as the issue that it also is."""
    return Answer(200, pulls.issue(call.pull("issue_number"), call.urls))


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/timeline", _READ)
def timeline(call: Call) -> Answer:
    """List everything that happened, oldest first."""
    shown = [
        event for event in call.pull("issue_number").timeline if event.kind != "base_ref_changed"
    ]
    return call.page(shown, lambda event: pulls.timeline_event(event, call.urls))


@route("GET", "/repos/{owner}/{repo}/issues/events/{event_id}", _READ)
def event(call: Call) -> Answer:
    """Show one event."""
    number = call.number("event_id")
    for pull in call.repository().pulls.values():
        for one in pull.timeline:
            if one.id == number and one.kind not in _NO_EVENTS:
                return Answer(200, pulls.timeline_event(one, call.urls))
    raise Refused(404, "Not Found")


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/events", _READ)
def events(call: Call) -> Answer:
    """List events, without commits, comments and reviews."""
    shown = [e for e in call.pull("issue_number").timeline if e.kind not in _NO_EVENTS]

    def view(event: TimelineEvent) -> Json:
        view = pulls.timeline_event(event, call.urls)
        view.pop("state_reason", None)  # of the timeline only
        return view

    return call.page(shown, view)
