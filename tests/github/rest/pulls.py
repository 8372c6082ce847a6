"""Pull requests: read, list, open, edit, merge."""

from tests.github.diffs import FileDiff
from tests.github.model.base import Refused
from tests.github.model.pulls import PullRequest
from tests.github.views import pulls, repositories
from tests.github.views.base import Json

from .repositories import limited
from .route import Answer, Call, route

MOST_FILES = 3_000
MOST_COMMITS = 250


def _full(call: Call, pull: PullRequest) -> Json:
    """Write a pull request after GitHub has tried to merge it."""
    if pull.state != "open":
        return pulls.full(pull, call.urls)
    base = pull.repository.branches[pull.base_branch]
    clean = pull.repository.git.merge_tree(base, pull.head_sha) is not None
    return pulls.full(pull, call.urls, mergeable=clean)


@route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read")
def listed(call: Call) -> Answer:
    """List pull requests: open ones unless asked otherwise, newest first."""
    state, base, head = (call.query.get(name) for name in ("state", "base", "head"))
    found = [
        pull
        for pull in call.repository().pulls.values()
        if (state == "all" or pull.state == (state or "open"))
        and (base is None or pull.base_branch == base)
        and (head is None or head == f"{pull.head_owner.login}:{pull.head_branch}")
    ]
    by_update = call.query.get("sort") == "updated"
    ascending = call.query.get("direction") == "asc"
    found.sort(key=lambda pull: pull.updated_at if by_update else pull.created_at)
    found.sort(key=lambda pull: pull.number if not by_update else 0)
    if not ascending:
        found.reverse()
    return call.page(found, lambda pull: pulls.simple(pull, call.urls))


@route("POST", "/repos/{owner}/{repo}/pulls", "pull_requests:write")
def open_pull(call: Call) -> Answer:
    """Open one from a branch here or, as ``owner:branch``, in a fork."""
    here = call.repository()
    owner, _, branch = call.body["head"].rpartition(":")
    source = here
    for other in call.hub.repositories():
        if owner and other.git is here.git and other.owner.login == owner:
            source = other
    pull = here.open_pull(
        source,
        branch,
        call.body["base"],
        by=call.token.account,
        title=call.body.get("title", ""),
        body=call.body.get("body"),
        draft=call.body.get("draft", False),
    )
    return Answer(201, pulls.full(pull, call.urls))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:read")
def one(call: Call) -> Answer:
    """Describe one pull request."""
    return Answer(200, _full(call, call.pull()))


@route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:write")
def edit(call: Call) -> Answer:
    """Change title, body, base or state."""
    pull, who = call.pull(), call.token.account
    texts = {name: call.body.get(name) for name in ("title", "body", "base")}
    if any(text is not None for text in texts.values()):
        pull.edit(by=who, **texts)
    if call.body.get("state") == "closed":
        pull.close(by=who)
    if call.body.get("state") == "open" and pull.state == "closed":
        pull.reopen(by=who)
    return Answer(200, _full(call, pull))


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", "contents:write")
def merge(call: Call) -> Answer:
    """Merge with a merge commit."""
    pull = call.pull()
    if pull.state != "open":
        raise Refused(405, "Pull Request is not mergeable")
    if call.body.get("sha") not in (None, pull.head_sha):
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    sha = pull.merge(by=call.token.account)
    message = "Pull Request successfully merged"
    return Answer(200, {"sha": sha, "merged": True, "message": message})


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests:read")
def files(call: Call) -> Answer:
    """List changed files, 3,000 at most; patches are limited for each page by itself."""
    pull = call.pull()
    changed = pull.files()[:MOST_FILES]
    size = min(max(int(call.query.get("per_page", "30")), 1), 100)
    start = (max(int(call.query.get("page", "1")), 1) - 1) * size
    shown = changed[start : start + size]
    cut = dict(zip(shown, limited(call, shown), strict=True))

    def view(file: FileDiff) -> Json:
        return repositories.file(cut[file], pull.repository, pull.head_sha, call.urls)

    return call.page(changed, view)


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", "pull_requests:read")
def commits(call: Call) -> Answer:
    """List commits, oldest first, 250 at most."""
    pull = call.pull()
    git = pull.repository.git
    return call.page(
        pull.commits()[:MOST_COMMITS],
        lambda sha: repositories.commit(git.show(sha), pull.repository, call.urls),
    )
