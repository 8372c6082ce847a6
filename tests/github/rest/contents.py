"""Trees, blobs and file contents."""

import base64

from tests.github.model.base import Refused
from tests.github.views import repositories
from tests.github.views.base import Json

from .route import Answer, Call, route

MOST_INLINE = 1024 * 1024  # larger contents come without text
MOST_CONTENT = 100 * 1024 * 1024


@route("GET", "/repos/{owner}/{repo}/git/trees/{tree_sha}", "contents:read")
def tree(call: Call) -> Answer:
    """List a tree, wholly with ``recursive``; cut at a number of entries, which it says."""
    here = call.repository()
    sha = here.tree_of(call.path["tree_sha"])
    if sha is None:
        raise Refused(404, "Not Found")
    entries = here.git.tree(sha, recursive="recursive" in call.query)
    most = call.hub.limits.tree_entries
    view = repositories.tree(sha, entries[:most], here, call.urls, cut=len(entries) > most)
    return Answer(200, view)


@route("GET", "/repos/{owner}/{repo}/git/blobs/{file_sha}", "contents:read")
def blob(call: Call) -> Answer:
    """Show a blob in base64."""
    here, sha = call.repository(), call.path["file_sha"]
    found = here.git.read(sha)
    if found is None or found[1] != "blob":
        raise Refused(404, "Not Found")
    return Answer(200, repositories.blob(found[0], found[2], here, call.urls))


@route("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read")
def contents(call: Call) -> Answer:
    """Show a file, or list a folder."""
    here, path = call.repository(), call.path["path"].strip("/")
    ref = call.query.get("ref", here.default_branch)
    tree_sha = here.tree_of(ref)
    if tree_sha is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    parent, _, name = path.rpartition("/")
    folder = f"{tree_sha}:{parent}" if parent else tree_sha
    if here.git.read(folder) is None:
        raise Refused(404, "Not Found")
    for entry in here.git.tree(folder, recursive=False):
        if entry.path != name:
            continue
        if entry.kind == "tree":
            below = here.git.tree(entry.sha, recursive=False)
            listed = [_entry(call, f"{path}/{one.path}", one.sha, one.size, one) for one in below]
            return Answer(200, listed)
        view = _entry(call, path, entry.sha, entry.size, entry)
        found = here.git.read(entry.sha)
        if found is None:
            return Answer(200, view | {"submodule_git_url": "git://example.com/sub.git"})
        if entry.mode == "120000":
            return Answer(200, view | {"target": found[2].decode(errors="replace")})
        large = len(found[2]) > MOST_INLINE
        content = "" if large else base64.encodebytes(found[2]).decode()
        return Answer(200, view | {"content": content, "encoding": "none" if large else "base64"})
    raise Refused(404, "Not Found")


def _entry(call: Call, path: str, sha: str, size: int | None, entry: object) -> Json:
    here = call.repository()
    own, html = repositories.own(here, call.urls), repositories.page(here, call.urls)
    mode = getattr(entry, "mode", "100644")
    kinds = {"040000": "dir", "120000": "symlink", "160000": "submodule"}
    kind = kinds.get(mode, "file")
    ref = call.query.get("ref", here.default_branch)
    url = f"{own}/contents/{path}?ref={ref}"
    git_url = f"{own}/git/{'trees' if kind == 'dir' else 'blobs'}/{sha}"
    page = f"{html}/{'tree' if kind == 'dir' else 'blob'}/{ref}/{path}"
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": size or 0,
        "url": url,
        "html_url": page,
        "git_url": git_url,
        "download_url": f"{html}/raw/{ref}/{path}" if kind == "file" else None,
        "type": kind,
        "_links": {"self": url, "git": git_url, "html": page},
    }
