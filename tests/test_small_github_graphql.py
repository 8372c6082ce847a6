"""The small GitHub's GraphQL API, through the real client and GitHub's own schema."""

from typing import Any

import pytest
from github import GithubException

from tests.github import Draft
from tests.github.fixtures import AFTER, BEFORE, World, github, world

__all__ = ["github", "world"]


def ask(world: World, query: str, **variables: Any) -> Any:
    """Return the data of an answer that has no errors."""
    _, answer = world.client().requester.graphql_query(query, variables)
    return answer["data"]


def refused(world: World, query: str, **variables: Any) -> Any:
    """Return the answer to a query that has errors."""
    with pytest.raises(GithubException) as raised:
        world.client().requester.graphql_query(query, variables)
    return raised.value.data


def of_pull(world: World, fields: str, number: int = 1) -> Any:
    query = f"""
        query($number: Int!) {{
          repository(owner: "acme", name: "shop") {{ pullRequest(number: $number) {{ {fields} }} }}
        }}
    """
    return ask(world, query, number=number)["repository"]["pullRequest"]


def test_a_repository_tells_who_and_what_it_is(world: World) -> None:
    data = ask(
        world,
        """{
          viewer { login }
          repository(owner: "Acme", name: "Shop") {
            databaseId nameWithOwner isPrivate
            owner { __typename login }
            defaultBranchRef { name target { oid } }
            label(name: "nope") { name }
          }
        }""",
    )
    assert data == {
        "viewer": {"login": "sockgate[bot]"},
        "repository": {
            "databaseId": world.shop.id,
            "nameWithOwner": "acme/shop",
            "isPrivate": True,
            "owner": {"__typename": "Organization", "login": "acme"},
            "defaultBranchRef": {"name": "main", "target": {"oid": world.shop.head}},
            "label": None,
        },
    }


def test_a_pull_request_with_its_commits_checks_and_events(world: World) -> None:
    world.shop.post_check(world.app, world.pull.head_sha, "docker-socket", "failure")
    other = world.github.app("other", permissions={"checks": "write"})
    world.shop.post_check(other, world.pull.head_sha, "docker-socket", "success")
    world.pull.label("docker-socket-justified", by=world.mia)
    world.pull.unlabel("docker-socket-justified", by=world.app.bot)
    seen = of_pull(
        world,
        """
        number state isDraft isCrossRepository mergeable
        author { __typename login ... on User { databaseId } }
        headRefOid baseRefName headRepository { nameWithOwner } baseRepository { nameWithOwner }
        labels(first: 5) { nodes { name } }
        commits(last: 10) {
          totalCount
          nodes { commit {
            oid author { user { login } } committer { user { login } }
            checkSuites(first: 5, filterBy: {appId: APP}) { nodes {
              app { databaseId slug }
              checkRuns(first: 5, filterBy: {checkName: "docker-socket", checkType: ALL}) {
                nodes { name status conclusion }
              }
            } }
          } }
        }
        timelineItems(last: 10, itemTypes: [LABELED_EVENT, UNLABELED_EVENT]) { nodes {
          __typename
          ... on LabeledEvent { actor { __typename login } label { name } }
          ... on UnlabeledEvent { actor { __typename login } label { name } }
        } }
        files(first: 10) { totalCount nodes { path changeType additions deletions } }
        """.replace("APP", str(world.app.id)),
    )
    assert seen["author"] == {"__typename": "User", "login": "dev", "databaseId": world.dev.id}
    assert (seen["state"], seen["mergeable"], seen["isCrossRepository"]) == (
        "OPEN",
        "MERGEABLE",
        False,
    )
    (node,) = seen["commits"]["nodes"]
    assert node["commit"]["oid"] == world.pull.head_sha
    assert node["commit"]["author"] == {"user": {"login": "dev"}}
    (suite,) = node["commit"]["checkSuites"]["nodes"]
    assert suite["app"] == {"databaseId": world.app.id, "slug": "sockgate"}
    assert suite["checkRuns"]["nodes"] == [
        {"name": "docker-socket", "status": "COMPLETED", "conclusion": "FAILURE"}
    ]
    label = {"name": "docker-socket-justified"}
    assert seen["timelineItems"]["nodes"] == [
        {
            "__typename": "LabeledEvent",
            "actor": {"__typename": "User", "login": "mia"},
            "label": label,
        },
        {
            "__typename": "UnlabeledEvent",
            "actor": {"__typename": "Bot", "login": "sockgate"},
            "label": label,
        },
    ]
    assert seen["labels"]["nodes"] == []
    assert seen["files"] == {
        "totalCount": 1,
        "nodes": [
            {"path": "compose.yml", "changeType": "MODIFIED", "additions": 2, "deletions": 0}
        ],
    }


def test_files_come_as_blobs_and_folders_as_trees(world: World) -> None:
    world.github.limits.blob_text = 40
    world.shop.commit(
        {
            "d/text": "ä\r\n",
            "d/latin": "ä".encode("latin-1"),
            "d/bin": b"a\0b",
            "d/large": "é" * 30,
            "d/more": "x" * 39 + "é",
        },
        by=world.mia,
    )
    names = ("text", "latin", "bin", "large", "more", "none")
    fields = "... on Blob { text isBinary isTruncated byteSize oid }"
    objects = "\n".join(
        f'{name}: object(expression: "HEAD:d/{name}") {{ {fields} }}' for name in names
    )
    data = ask(
        world,
        f"""{{ repository(owner: "acme", name: "shop") {{
          {objects}
          folder: object(expression: "main:d") {{ ... on Tree {{ entries {{ name type mode }} }} }}
        }} }}""",
    )["repository"]
    shown = {name: data[name] and (data[name]["text"], data[name]["isTruncated"]) for name in names}
    assert shown == {
        "text": ("ä\r\n", False),
        "latin": ("ä", False),
        "bin": (None, False),
        "large": ("é" * 20, True),
        "more": ("x" * 39, True),
        "none": None,
    }
    assert data["bin"]["isBinary"]
    assert data["folder"]["entries"][0] == {"name": "bin", "type": "blob", "mode": 0o100644}
    by_oid = ask(
        world,
        'query($oid: GitObjectID!) { repository(owner: "acme", name: "shop") '
        "{ object(oid: $oid) { ... on Blob { text } } } }",
        oid=data["text"]["oid"],
    )
    assert by_oid["repository"]["object"] == {"text": "ä\r\n"}


def test_a_forks_file_is_read_through_the_base_repository(world: World) -> None:
    eve = world.github.user("eve")
    fork = world.shop.fork(eve)
    pull = world.shop.pull({"compose.yml": AFTER}, by=eve, source=fork, branch="mine")
    fork.delete()
    data = ask(
        world,
        f"""{{ repository(owner: "acme", name: "shop") {{
          object(expression: "{pull.head_sha}:compose.yml") {{ ... on Blob {{ text }} }}
          pullRequest(number: {pull.number}) {{ headRepository {{ name }} headRefOid }}
        }} }}""",
    )["repository"]
    assert data["object"]["text"] == AFTER
    assert data["pullRequest"] == {"headRepository": None, "headRefOid": pull.head_sha}


def test_coauthors_are_authors(world: World) -> None:
    message = f"Together\n\nCo-authored-by: Mia <{world.mia.email}>\n"
    world.pull.push({"x": "y"}, message=message, committer=world.acme.signature())
    seen = of_pull(
        world,
        "commits(last: 1) { nodes { commit { message "
        "authors(first: 5) { nodes { user { login } } } committer { user { login } } } } }",
    )
    commit = seen["commits"]["nodes"][0]["commit"]
    assert [one["user"]["login"] for one in commit["authors"]["nodes"]] == ["dev", "mia"]


def test_threads_and_comments_say_who_wrote_them(world: World) -> None:
    world.pull.review(by=world.app.bot, body="Look.", comments=[Draft("compose.yml", "Here.", 5)])
    (thread,) = world.pull.threads
    world.pull.reply(thread.comments[0], "Why?", by=world.dev)
    world.pull.comment("Because.", by=world.mia).edit("Because!", by=world.dev)
    seen = of_pull(
        world,
        """
        reviewThreads(first: 5) { nodes {
          isResolved isOutdated path line subjectType
          comments(first: 5) { nodes {
            databaseId author { __typename login } viewerDidAuthor body replyTo { databaseId }
          } }
        } }
        comments(last: 5) { nodes { body includesCreatedEdit editor { login } author { login } } }
        reviews(first: 5, states: [COMMENTED]) { nodes { body viewerDidAuthor } }
        """,
    )
    first, second = thread.comments
    assert seen["reviewThreads"]["nodes"] == [
        {
            "isResolved": False,
            "isOutdated": False,
            "path": "compose.yml",
            "line": 5,
            "subjectType": "LINE",
            "comments": {
                "nodes": [
                    {
                        "databaseId": first.id,
                        "author": {"__typename": "Bot", "login": "sockgate"},
                        "viewerDidAuthor": True,
                        "body": "Here.",
                        "replyTo": None,
                    },
                    {
                        "databaseId": second.id,
                        "author": {"__typename": "User", "login": "dev"},
                        "viewerDidAuthor": False,
                        "body": "Why?",
                        "replyTo": {"databaseId": first.id},
                    },
                ]
            },
        }
    ]
    assert seen["comments"]["nodes"] == [
        {
            "body": "Because!",
            "includesCreatedEdit": True,
            "editor": {"login": "dev"},
            "author": {"login": "mia"},
        }
    ]
    assert [one["viewerDidAuthor"] for one in seen["reviews"]["nodes"]] == [True, False]


RESOLVE = """
mutation($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) {
  thread { isResolved resolvedBy { login } }
} }
"""


def test_resolving_a_thread_takes_more_than_writing_comments(world: World) -> None:
    world.pull.review(by=world.mia, comments=[Draft("compose.yml", "Here.", 5)])
    (thread,) = world.pull.threads
    answer = refused(world, RESOLVE, thread=thread.node_id)
    assert [one["type"] for one in answer["errors"]] == ["FORBIDDEN"]
    assert thread.resolved_by is None
    world.installation.accept({"metadata": "read", "contents": "write"})
    done = ask(world, RESOLVE, thread=thread.node_id)["resolveReviewThread"]["thread"]
    assert done == {"isResolved": True, "resolvedBy": {"login": "sockgate[bot]"}}
    back = ask(world, RESOLVE.replace("resolveR", "unresolveR"), thread=thread.node_id)
    assert back["unresolveReviewThread"]["thread"]["isResolved"] is False


def test_a_comment_can_be_folded_away(world: World) -> None:
    comment = world.pull.comment("Old.", by=world.app.bot)
    mutation = """
    mutation($comment: ID!) {
      minimizeComment(input: {subjectId: $comment, classifier: OUTDATED}) {
        minimizedComment { isMinimized minimizedReason }
      }
    }
    """
    done = ask(world, mutation, comment=comment.node_id)["minimizeComment"]["minimizedComment"]
    assert done == {"isMinimized": True, "minimizedReason": "outdated"}


def test_what_is_not_there_is_null_with_an_error_beside_the_rest(world: World) -> None:
    answer = refused(
        world,
        """{
          here: repository(owner: "acme", name: "shop") {
            name gone: pullRequest(number: 99) { id }
          }
          there: repository(owner: "acme", name: "nowhere") { name }
        }""",
    )
    assert answer["data"] == {"here": {"name": "shop", "gone": None}, "there": None}
    assert [(one["type"], one["path"]) for one in answer["errors"]] == [
        ("NOT_FOUND", ["here", "gone"]),
        ("NOT_FOUND", ["there"]),
    ]
    assert "Could not resolve to a Repository" in answer["errors"][1]["message"]


def test_a_missing_permission_leaves_a_hole(world: World) -> None:
    world.installation.accept({"metadata": "read", "contents": "read"})
    answer = refused(
        world,
        """{ repository(owner: "acme", name: "shop") {
          object(expression: "HEAD:compose.yml") { ... on Blob { text } }
          pullRequest(number: 1) { title }
        } }""",
    )
    assert answer["data"]["repository"] == {"object": {"text": BEFORE}, "pullRequest": None}
    assert answer["errors"][0]["type"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("page", "kind"),
    [("", "MISSING_PAGINATION_BOUNDARIES"), ("(first: 101)", "EXCESSIVE_PAGINATION")],
)
def test_a_list_wants_a_size(world: World, page: str, kind: str) -> None:
    fields = f'{{ repository(owner: "acme", name: "shop") {{ labels{page} {{ totalCount }} }} }}'
    assert refused(world, fields)["errors"][0]["type"] == kind


def test_lists_go_on_from_a_cursor(world: World) -> None:
    for number in range(5):
        world.shop.create_label(f"label-{number}", by=world.mia)
    query = """
    query($after: String) { repository(owner: "acme", name: "shop") {
      labels(first: 2, after: $after) {
        totalCount nodes { name } pageInfo { hasNextPage hasPreviousPage endCursor }
      }
    } }
    """
    seen: list[str] = []
    after, more = None, True
    while more:
        page = ask(world, query, after=after)["repository"]["labels"]
        seen += [one["name"] for one in page["nodes"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert seen == [f"label-{number}" for number in range(5)]
    assert page["totalCount"] == 5
    assert page["pageInfo"]["hasPreviousPage"]


def test_a_query_for_too_many_nodes_is_refused(world: World) -> None:
    query = """{ repository(owner: "acme", name: "shop") { pullRequests(first: 100) { nodes {
      commits(first: 100) { nodes { commit { parents(first: 100) { nodes { oid } } } } }
    } } } }"""
    assert refused(world, query)["errors"][0]["type"] == "MAX_NODE_LIMIT_EXCEEDED"


def test_a_query_tells_its_cost(world: World) -> None:
    query = """{
      rateLimit { cost remaining nodeCount limit }
      repository(owner: "acme", name: "shop") { pullRequests(first: 50) { nodes {
        labels(first: 60) { nodes { name } }
      } } }
    }"""
    cost = ask(world, query)["rateLimit"]
    assert cost == {"cost": 1, "remaining": 4999, "nodeCount": 50 + 50 * 60, "limit": 5000}
    world.github.rates.exhaust(world.installation, "graphql")
    with pytest.raises(GithubException) as raised:
        ask(world, query)
    assert raised.value.status == 403


def test_anything_is_found_by_its_id(world: World) -> None:
    run = world.shop.post_check(world.app, world.pull.head_sha, "x")
    for thing, kind in ((world.pull, "PullRequest"), (world.dev, "User"), (run, "CheckRun")):
        found = ask(world, "query($id: ID!) { node(id: $id) { __typename id } }", id=thing.node_id)
        assert found["node"] == {"__typename": kind, "id": thing.node_id}
    hidden = world.github.user("eve").repository("secret", private=True)
    answer = refused(world, "query($id: ID!) { node(id: $id) { id } }", id=hidden.node_id)
    assert answer["data"] == {"node": None}


@pytest.mark.parametrize(("shown", "name"), [("then", "harmless"), ("now", "justified")])
def test_an_events_label_is_named_as_then_or_as_now(world: World, shown: Any, name: str) -> None:
    world.github.label_in_events = shown
    label = world.shop.create_label("harmless", by=world.mia)
    world.pull.label("harmless", by=world.dev)
    label.edit(by=world.dev, name="justified")
    events = of_pull(
        world,
        "timelineItems(first: 5, itemTypes: [LABELED_EVENT]) "
        "{ nodes { ... on LabeledEvent { label { name } } } }",
    )
    assert events["timelineItems"]["nodes"] == [{"label": {"name": name}}]


def test_the_whole_timeline_has_a_type_for_each_event(world: World) -> None:
    world.pull.comment("Hm.", by=world.mia)
    world.pull.review(by=world.mia, body="No.", state="CHANGES_REQUESTED")
    before = world.pull.head_sha
    world.pull.push({"more.txt": "more\n"}, force=True)
    world.shop.push("old", world.shop.head, by=world.mia)
    world.pull.edit(by=world.dev, title="Another", base="old")
    world.pull.mark_ready(by=world.dev)
    world.pull.close(by=world.dev)
    world.pull.reopen(by=world.dev)
    world.pull.merge(by=world.mia)
    seen = of_pull(
        world,
        """timelineItems(first: 50) { totalCount nodes {
          __typename
          ... on HeadRefForcePushedEvent { beforeCommit { oid } afterCommit { oid } }
          ... on BaseRefChangedEvent { previousRefName currentRefName }
          ... on RenamedTitleEvent { previousTitle currentTitle }
          ... on PullRequestCommit { commit { oid } }
        } }
        mergedBy { login } mergeCommit { oid }
        """,
    )
    kinds = [one["__typename"] for one in seen["timelineItems"]["nodes"]]
    assert kinds == [
        "PullRequestCommit",
        "IssueComment",
        "PullRequestReview",
        "HeadRefForcePushedEvent",
        "PullRequestCommit",
        "RenamedTitleEvent",
        "BaseRefChangedEvent",
        "ReadyForReviewEvent",
        "ClosedEvent",
        "ReopenedEvent",
        "MergedEvent",
        "ClosedEvent",
    ]
    forced = seen["timelineItems"]["nodes"][3]
    assert (forced["beforeCommit"]["oid"], forced["afterCommit"]["oid"]) == (
        before,
        world.pull.head_sha,
    )
    assert seen["mergeCommit"]["oid"] == world.shop.branches["old"]


def test_a_merge_queue_names_every_member(world: World) -> None:
    second = world.shop.pull({"b.txt": "b\n"}, by=world.dev)
    group = world.shop.queue(world.pull, second, by=world.mia)
    data = ask(
        world,
        """{ repository(owner: "acme", name: "shop") {
          mergeQueue(branch: "main") { entries(first: 10) { nodes {
            position state pullRequest { number } headCommit { oid } baseCommit { oid }
          } } }
          pullRequest(number: 2) { isInMergeQueue mergeQueueEntry { position } }
        } }""",
    )["repository"]
    entries = data["mergeQueue"]["entries"]["nodes"]
    assert [(one["position"], one["pullRequest"]["number"]) for one in entries] == [(1, 1), (2, 2)]
    assert [one["headCommit"]["oid"] for one in entries] == list(group.heads)
    assert data["pullRequest"] == {"isInMergeQueue": True, "mergeQueueEntry": {"position": 2}}


def test_a_field_that_github_does_not_have_is_found(world: World) -> None:
    with pytest.raises(GithubException) as raised:
        ask(world, "{ viewer { shoeSize } }")
    assert raised.value.status == 500
    (violation,) = world.github.violations
    assert "Cannot query field 'shoeSize' on type 'User'" in violation
    world.github.violations.clear()


def test_a_field_that_only_github_has_is_found(world: World) -> None:
    answer = refused(world, "{ viewer { bio } }")
    assert "does not offer User.bio" in answer["errors"][0]["message"]
    assert world.github.violations != []
    world.github.violations.clear()


def test_the_signed_token_of_an_app_is_no_use_here(world: World) -> None:
    with pytest.raises(GithubException) as raised:
        world.integration().requester.graphql_query("{ viewer { login } }", {})
    assert raised.value.status == 401
