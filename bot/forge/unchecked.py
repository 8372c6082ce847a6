"""Open pull requests whose head has no check of ours, whatever became of their events."""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.forge.client import Client
from bot.forge.error import ForgeError
from bot.forge.read import nodes
from bot.pull import PullRef

SPARED = 0.5  # of the rate limit: no more than the rest is used for looking around

UNCHECKED = """
query Unchecked($owner: String!, $repo: String!, $app: Int!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequests(states: OPEN, first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number
        commits(last: 1) {
          nodes {
            commit {
              checkSuites(last: 3, filterBy: {appId: $app}) {
                nodes {
                  checkRuns(last: 1, filterBy: {checkType: ALL, checkName: "docker-socket"}) {
                    nodes { completedAt }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
}
"""


def unchecked(
    client: Client, installation: int, owner: str, repo: str, app_id: int
) -> Iterator[PullRef]:
    """Yield those of a repository, fifty a request. Raises ForgeError."""
    after: str | None = None
    while True:
        variables = {"owner": owner, "repo": repo, "app": app_id, "after": after}
        page = client.graphql(UNCHECKED, variables)["repository"]["pullRequests"]
        for pull in nodes(page):
            if not _is_checked(pull):
                yield PullRef(installation, owner, repo, pull["number"])
        if not page["pageInfo"]["hasNextPage"]:
            return
        after = page["pageInfo"]["endCursor"]


def has_room(client: Client) -> bool:
    """Tell whether enough of the rate limit is left to look around; asking costs nothing of it.

    A GitHub Enterprise Server without a limit answers 404. Raises ForgeError.
    """
    try:
        resources = client.get("/rate_limit")["resources"]
    except ForgeError as error:
        if error.gone:
            return True
        raise
    kinds = (resources["core"], resources.get("graphql", resources["core"]))
    return all(kind["remaining"] >= kind["limit"] * SPARED for kind in kinds)


def _is_checked(pull: Mapping[str, Any]) -> bool:
    return any(
        run["completedAt"]
        for one in nodes(pull["commits"])
        for suite in nodes(one["commit"]["checkSuites"])
        for run in nodes(suite["checkRuns"])
    )
