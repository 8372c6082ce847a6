"""The GraphQL queries, checked against GitHub's schema in the tests."""

FACTS = """
query Facts($owner: String!, $repo: String!, $number: Int!, $app: Int!) {
  repository(owner: $owner, name: $repo) {
    owner { __typename }
    defaultBranchRef { name }
    policy: object(expression: "HEAD:.github/sockgate.yml") { ... on Blob { text isTruncated } }
    pullRequest(number: $number) {
      id
      state
      body
      author { __typename login }
      headRefOid
      baseRefOid
      labels(first: 100) { nodes { name } }
      commits(last: 100) {
        totalCount
        nodes {
          commit {
            oid
            authors(first: 10) { nodes { user { login } } }
            committer { user { login } }
            checkSuites(first: 5, filterBy: {appId: $app}) {
              nodes {
                checkRuns(last: 20, filterBy: {checkType: ALL, checkName: "docker-socket"}) {
                  nodes { databaseId conclusion completedAt title summary externalId }
                }
              }
            }
          }
        }
      }
      head: commits(last: 1) {
        nodes {
          commit {
            associatedPullRequests(first: 10) { nodes { number state headRefOid } }
          }
        }
      }
      timelineItems(last: 100, itemTypes: [LABELED_EVENT, UNLABELED_EVENT]) {
        nodes {
          __typename
          ... on LabeledEvent { createdAt actor { __typename login } label { name } }
          ... on UnlabeledEvent { createdAt actor { __typename login } label { name } }
        }
      }
      reviewThreads(last: 100) {
        nodes {
          id
          path
          line
          comments(first: 20) {
            nodes { databaseId viewerDidAuthor body }
          }
        }
      }
      comments(last: 100) {
        nodes {
          databaseId viewerDidAuthor body createdAt includesCreatedEdit
          author { __typename login }
        }
      }
    }
  }
  ownerPolicy: repository(owner: $owner, name: ".github") {
    object(expression: "HEAD:sockgate.yml") { ... on Blob { text isTruncated } }
  }
}
"""

BLOBS = """
query Blobs($owner: String!, $repo: String!, $number: Int!) {{
  repository(owner: $owner, name: $repo) {{
    pullRequest(number: $number) {{ headRefOid }}
{objects}
  }}
}}
"""

PATH = (
    "    {alias}: object(expression: {expression}) "
    "{{ ... on Blob {{ text isBinary isTruncated oid }} }}"
)

HEAD = """
query Head($owner: String!, $repo: String!, $number: Int!) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) { headRefOid state }
  }
}
"""

OPEN = """
query Open($owner: String!, $repo: String!, $after: String) {
  repository(owner: $owner, name: $repo) {
    pullRequests(states: OPEN, first: 100, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { number headRefOid labels(first: 50) { nodes { name } } }
    }
  }
}
"""
