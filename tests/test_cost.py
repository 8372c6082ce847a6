"""What an evaluation costs: requests and, of GitHub's hourly allowance, points of GraphQL."""

import pytest

from tests.github import SmallGitHub
from tests.github.fixtures import github
from tests.pulls import GRANTED, LABEL, Team, team

__all__ = ["github"]


@pytest.fixture
def acme(github: SmallGitHub) -> Team:
    return team(github)


def test_a_justified_pull_request_costs_no_more_than_one_with_findings(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    pull.label(LABEL, by=acme.mia)
    before = len(acme.requests())
    acme.done(pull)
    assert acme.mergeable(pull)
    assert len(acme.requests()) - before <= 8


def test_looking_again_writes_nothing(acme: Team) -> None:
    pull = acme.open({"compose.yaml": GRANTED})
    acme.done(pull)
    before = len(acme.github.requests.writes())
    acme.done(pull)
    assert len(acme.github.requests.writes()) == before


def test_points_of_graphql_last_for_many_evaluations_an_hour(acme: Team) -> None:
    token = acme.github.tokens.issue(acme.app.installations[0])
    pull = acme.open({"compose.yaml": GRANTED})
    before = acme.github.rates.left(token, "graphql")["used"]
    acme.done(pull)
    used = acme.github.rates.left(token, "graphql")["used"] - before
    assert 0 < used <= 25
