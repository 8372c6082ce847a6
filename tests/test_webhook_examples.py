"""GitHub's own examples of the webhooks that the App subscribes to, judged by its own schemas."""

import pytest

from tests.github import examples
from tests.github.truth import hooks

SUBSCRIBED = (
    "check_run",
    "check_suite",
    "installation",
    "installation_repositories",
    "issue_comment",
    "label",
    "merge_group",
    "pull_request",
    "push",
)


# What examples recorded years ago may differ in: properties that GitHub added since, and the
# spelling of an App's dates.
OF_OLD = ("is a required property", "is not a 'date-time'")


@pytest.mark.parametrize("event", SUBSCRIBED)
def test_each_example_of_a_subscribed_event_fits_its_schema(event: str) -> None:
    payloads = [payload for name, payload in examples() if name == event]
    found = [hooks.problems(event, payload.get("action"), payload) for payload in payloads]
    assert [] in found
    assert [problem for one in found for problem in one if not problem.endswith(OF_OLD)] == []


def test_most_examples_fit_wholly() -> None:
    chosen = [(name, payload) for name, payload in examples() if name in SUBSCRIBED]
    fitting = [
        payload
        for name, payload in chosen
        if hooks.problems(name, payload.get("action"), payload) == []
    ]
    assert len(fitting) > 0.8 * len(chosen)


def test_a_payload_that_lost_a_field_does_not_fit() -> None:
    payload = next(
        payload
        for name, payload in examples()
        if name == "pull_request" and hooks.problems(name, payload["action"], payload) == []
    )
    del payload["pull_request"]["head"]
    problems = hooks.problems("pull_request", payload["action"], payload)
    assert problems == ["pull_request: 'head' is a required property"]


def test_an_event_that_github_does_not_have_does_not_fit() -> None:
    assert hooks.problems("pull_request", "exploded", {}) == [
        "GitHub has no event pull_request.exploded"
    ]
