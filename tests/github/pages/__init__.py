"""Pages for people: a pull request as a reviewer sees it, with buttons to try what happens.

Plain server-rendered HTML. Whoever opens it acts as whom they choose; it listens on loopback only.
"""

import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode

from tests.github.model.base import Refused
from tests.github.rest.route import Answer

from . import actions, register, show

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub
    from tests.github.log import LoggedRequest
    from tests.github.model.pulls import PullRequest
    from tests.github.model.repositories import Repository

_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
_PULL = r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/pull/(?P<number>\d+)"
_PAGES = {
    ("GET", "start"): re.compile(r"/\Z"),
    ("GET", "pull"): re.compile(_PULL + r"(?:/files)?\Z"),
    ("GET", "checks"): re.compile(_PULL + r"/checks\Z"),
    ("GET", "run"): re.compile(r"/(?P<owner>[^/]+)/(?P<name>[^/]+)/runs/(?P<run>\d+)\Z"),
    ("POST", "act"): re.compile(_PULL + r"/act\Z"),
    ("POST", "register"): re.compile(
        r"(?:/organizations/(?P<organization>[^/]+))?/settings/apps/new\Z"
    ),
    ("POST", "create"): re.compile(r"/settings/apps/create\Z"),
    ("GET", "choose"): re.compile(r"/apps/(?P<slug>[^/]+)(?:/installations/new)?\Z"),
    ("GET", "authorize"): re.compile(r"/login/oauth/authorize\Z"),
    ("POST", "token"): re.compile(r"/login/oauth/access_token\Z"),
    ("POST", "install"): re.compile(r"/apps/(?P<slug>[^/]+)/installations/new\Z"),
}


def find(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Find the page of a path."""
    for (wanted, name), pattern in _PAGES.items():
        found = pattern.match(path) if method == wanted else None
        if found:
            named = {key: text for key, text in found.groupdict().items() if text is not None}
            return name, {key: unquote(text) for key, text in named.items()}
    return None


def answer(hub: "SmallGitHub", entry: "LoggedRequest", origin: str | None, body: bytes) -> Answer:
    """Answer a request for a page; forms are taken from our own pages only."""
    found = find(entry.method, entry.path)
    if found is None:
        return _page(404, show.missing())
    name, path = found
    if name in ("act", "create", "install") and origin not in (None, hub.page_url):
        return _page(403, show.refusal("This form is not ours."))
    try:
        if name in ("register", "create", "choose", "install"):
            return _registering(hub, name, path, entry, body)
        if name == "authorize":
            query = dict(parse_qsl(entry.query))
            back = hub.signing_in.authorize(query) | {"state": query.get("state", "")}
            return Answer(302, "", {"location": f"{query['redirect_uri']}?{urlencode(back)}"})
        if name == "token":
            return Answer(200, hub.signing_in.exchange(dict(parse_qsl(body.decode()))))
        if name == "act":
            form = dict(parse_qsl(body.decode(errors="replace")))
            pull = _pull(hub, path)
            actions.act(pull, form)
            return _moved(f"{show.address(pull)}?wait=1#checks")
        with hub.changed:
            return _shown(hub, name, path, waiting="wait=1" in entry.query)
    except Refused as refused:
        return _page(refused.status, show.refusal(refused.message))


def _registering(
    hub: "SmallGitHub", name: str, path: dict[str, str], entry: "LoggedRequest", body: bytes
) -> Answer:
    """Answer on registering and installing an App; what was sent leads back to its server."""
    text = body.decode(errors="replace")
    form = dict(parse_qsl(text, keep_blank_values=True))
    # A form's policy holds for where its answer leads to as well (Content Security Policy 3).
    anywhere = _HEADERS["content-security-policy"].replace("form-action 'self'; ", "")
    headers = _HEADERS | {"content-security-policy": anywhere}
    match name:
        case "register":
            page = register.ask(hub, path.get("organization"), entry.query, form)
        case "choose":
            page = register.choose(hub, path["slug"])
        case "create":
            return Answer(302, "", headers | {"location": register.create(hub, form)})
        case _:
            chosen = parse_qs(text).get("repository", [])
            to = register.install(hub, path["slug"], form, chosen)
            return Answer(302, "", headers | {"location": to})
    return Answer(200, page, headers)


def _shown(hub: "SmallGitHub", name: str, path: dict[str, str], *, waiting: bool) -> Answer:
    if name == "start":
        return _page(200, show.start(hub))
    if name == "run":
        repository = _repository(hub, path)
        for pull in repository.pulls.values():
            for run in repository.check_runs(pull.head_sha):
                if str(run.id) == path["run"]:
                    return _moved(f"{show.address(pull)}/checks#run-{run.id}")
        raise Refused(404, "There is no such check run on an open pull request.")
    view = show.pull if name == "pull" else show.checks
    return _page(200, view(_pull(hub, path), waiting=waiting))


def _repository(hub: "SmallGitHub", path: dict[str, str]) -> "Repository":
    found = hub.find_repository(path["owner"], path["name"])
    if found is None:
        raise Refused(404, "There is no such repository.")
    return found


def _pull(hub: "SmallGitHub", path: dict[str, str]) -> "PullRequest":
    found = _repository(hub, path).pulls.get(int(path["number"]))
    if found is None:
        raise Refused(404, "There is no such pull request.")
    return found


def _page(status: int, text: str) -> Answer:
    return Answer(status, text, _HEADERS)


def _moved(to: str) -> Answer:
    return Answer(303, "", _HEADERS | {"location": to})
