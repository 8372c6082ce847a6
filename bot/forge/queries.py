"""The GraphQL queries, checked against GitHub's schema in the tests."""

# Our own runs on a commit. They tell what was shown when, so all of them are read.
_OWN_CHECKS = """
fragment ownChecks on Commit {
  oid
  checkSuites(last: 3, filterBy: {appId: $app}) {
    nodes {
      status
      checkRuns(last: 20, filterBy: {checkType: ALL, checkName: "docker-socket"}) {
        nodes { databaseId completedAt summary externalId }
      }
    }
  }
}
"""

_CONTRIBUTORS = """
fragment contributors on Commit {
  authors(first: 20) { totalCount nodes { user { login } } }
  committer { user { login } }
}
"""

# The three lists that may be longer than a page have a cursor each.
_FACTS = """
query Facts(
  $owner: String!, $repo: String!, $number: Int!, $app: Int!
  $commits: String, $reviewThreads: String, $comments: String
) {
  repository(owner: $owner, name: $repo) {
    owner { __typename }
    defaultBranchRef { name target { oid } }
    policy: object(expression: "HEAD:.github/sockgate.yml") { ... on Blob { text } }
    pullRequest(number: $number) {
      state
      isInMergeQueue
      closedAt
      mergedBy { login }
      body
      updatedAt
      author { __typename login }
      headRefOid
      headRefName
      baseRefOid
      baseRefName
      baseRef { target { oid } }
      labels(first: 100) { nodes { name } }
      commits(last: 100, before: $commits) {
        totalCount
        pageInfo { hasPreviousPage startCursor }
        nodes { commit { ...ownChecks ...contributors parents(first: 1) { totalCount } } }
      }
      timelineItems(last: 50, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) {
        nodes {
          ... on HeadRefForcePushedEvent { createdAt beforeCommit { ...ownChecks } }
        }
      }
      reviewThreads(last: 100, before: $reviewThreads) {
        pageInfo { hasPreviousPage startCursor }
        nodes {
          id
          path
          line
          comments(first: 20) {
            nodes { databaseId viewerDidAuthor body }
          }
        }
      }
      comments(last: 100, before: $comments) {
        pageInfo { hasPreviousPage startCursor }
        nodes {
          databaseId viewerDidAuthor body createdAt includesCreatedEdit
          author { __typename login }
        }
      }
    }
  }
  ownerPolicy: repository(owner: $owner, name: ".github") {
    object(expression: "HEAD:sockgate.yml") { ... on Blob { text } }
  }
}
"""
FACTS = _OWN_CHECKS + _CONTRIBUTORS + _FACTS

_COMMIT = """
query Commit($owner: String!, $repo: String!, $oid: GitObjectID!, $app: Int!) {
  repository(owner: $owner, name: $repo) {
    object(oid: $oid) { ... on Commit { ...ownChecks ...contributors } }
  }
}
"""
COMMIT = _OWN_CHECKS + _CONTRIBUTORS + _COMMIT

# The head as it is now, and the open pull requests that share it: those that GitHub associates with
# the commit, and those of the same branch. Each of the two lists has a cursor.
_ASKED = """(
  $owner: String!, $repo: String!, $number: Int!, $branch: String!, $head: GitObjectID!
  $ofCommit: String, $ofBranch: String
)"""
_NOW = """
    pullRequest(number: $number) { headRefOid }
    object(oid: $head) {
      ... on Commit {
        associatedPullRequests(first: 100, after: $ofCommit) {
          pageInfo { hasNextPage endCursor }
          nodes { number state headRefOid }
        }
      }
    }
    pullRequests(states: OPEN, first: 100, after: $ofBranch, headRefName: $branch) {
      pageInfo { hasNextPage endCursor }
      nodes { number state headRefOid }
    }
"""
NOW = f"""
query Now{_ASKED} {{
  repository(owner: $owner, name: $repo) {{{_NOW}  }}
}}
"""

# Which labels were put on when. A label keeps its id when it is renamed.
PUT_ON = """
query PutOn($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      labels(first: 100) { nodes { id name } }
      timelineItems(last: 100, itemTypes: [LABELED_EVENT]) {
        nodes { ... on LabeledEvent { createdAt label { id } } }
      }
    }
  }
}
"""

# The test merge is made for whoever asks whether there can be one.
MERGED = """
query Merged($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      baseRef { name }
      mergeable
      potentialMergeCommit { oid parents(first: 2) { nodes { oid } } }
    }
  }
}
"""

_BLOBS = f"""
query Blobs{_ASKED} {{
  repository(owner: $owner, name: $repo) {{{_NOW}%s
  }}
}}
"""
_BLOB = "    %s: object(expression: %s) { ... on Blob { text byteSize oid } }"


def blobs(expressions: list[str]) -> str:
    """Return the query that reads files, given as JSON strings "commit:path", as f0 and on."""
    return _BLOBS % "\n".join(_BLOB % (f"f{n}", one) for n, one in enumerate(expressions))


OPEN = """
query Open($owner: String!, $repo: String!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequests(states: OPEN, first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { number headRefOid }
    }
  }
}
"""

# What is known of a commit that a merge queue made, and what stands in the queue. The entries are
# GitHub's own: neither a message nor a branch's name says who is in a group.
_GROUP = """
query Group(
  $owner: String!, $repo: String!, $branch: String, $ref: String!, $head: GitObjectID!
  $app: Int!, $after: String
) {
  repository(owner: $owner, name: $repo) {
    owner { __typename }
    defaultBranchRef { name target { oid } }
    policy: object(expression: "HEAD:.github/sockgate.yml") { ... on Blob { text } }
    ref(qualifiedName: $ref) { target { oid } }
    object(oid: $head) { ... on Commit { ...ownChecks } }
    refs(refPrefix: "refs/heads/gh-readonly-queue/", first: 100) { nodes { target { oid } } }
    mergeQueue(branch: $branch) {
      entries(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { position headCommit { oid } pullRequest { number headRefName } }
      }
    }
  }
  ownerPolicy: repository(owner: $owner, name: ".github") {
    object(expression: "HEAD:sockgate.yml") { ... on Blob { text } }
  }
}
"""
GROUP = _OWN_CHECKS + _GROUP

# The branch that a pull request is queued for, and what stands in each queue that there is.
QUEUED = """
query Queued($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      baseRefName
      mergeQueueEntry { position mergeQueue { entries(first: 100) { nodes {
        position baseCommit { oid } headCommit { oid }
      } } } }
    }
  }
}
"""

# The branches that merge queues made. Their names say for which branch: "gh-readonly-queue/main/…".
QUEUE_BRANCHES = """
query QueueBranches($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
    refs(refPrefix: "refs/heads/gh-readonly-queue/", first: 100) {
      nodes { name target { oid } }
    }
  }
}
"""

POLICY = """
query Policy($owner: String!, $repo: String!) {
  repository(owner: $owner, name: $repo) {
    isArchived
    policy: object(expression: "HEAD:.github/sockgate.yml") { ... on Blob { text } }
  }
  ownerPolicy: repository(owner: $owner, name: ".github") {
    object(expression: "HEAD:sockgate.yml") { ... on Blob { text } }
  }
}
"""
