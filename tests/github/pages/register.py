"""The pages on which a person registers an App from a manifest, and installs it."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

from tests.github.model.base import Refused

from . import show

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub
    from tests.github.model.accounts import Account
    from tests.github.model.apps import App


def ask(hub: "SmallGitHub", organization: str | None, query: str, form: Mapping[str, str]) -> str:
    """Show the App that a manifest describes, with its name to confirm."""
    owner = hub.manifests.owner(organization)
    return show.register(
        owner=owner.login,
        organization=organization or "",
        manifest=_manifest(form),
        text=form.get("manifest", ""),
        state=parse_qs(query).get("state", [""])[0],
    )


def create(hub: "SmallGitHub", form: Mapping[str, str]) -> str:
    """Create the App; return where the browser goes then."""
    manifest = _manifest(form)
    owner = hub.manifests.owner(form.get("organization") or None)
    code = hub.manifests.register(manifest, form.get("name", "").strip(), owner)
    answer = {"code": code} | ({"state": form["state"]} if form.get("state") else {})
    return _with(manifest["redirect_url"], answer)


def choose(hub: "SmallGitHub", slug: str) -> str:
    """Show where an App can be installed: a private one only on its owner's account."""
    app = _app(hub, slug)
    accounts = _accounts(hub, app)
    here = [one for one in hub.repositories() if one.owner in accounts]
    return show.install(app=app, accounts=accounts, repositories=here)


def install(hub: "SmallGitHub", slug: str, form: Mapping[str, str], chosen: list[str]) -> str:
    """Install it; return where the browser goes then."""
    app = _app(hub, slug)
    account = next((one for one in _accounts(hub, app) if one.login == form.get("on")), None)
    if account is None:
        raise Refused(404, "There is no such account.")
    selected = None
    if form.get("which") == "selected":
        selected = [one for one in hub.repositories() if one.full_name in chosen]
        if not selected:
            raise Refused(422, "Choose at least one repository.")
    installation = app.install(account, selected)
    if not app.setup_url:
        return f"{hub.page_url}/apps/{slug}"
    return _with(app.setup_url, {"installation_id": installation.id, "setup_action": "install"})


def _manifest(form: Mapping[str, str]) -> dict[str, object]:
    try:
        manifest = json.loads(form.get("manifest", ""))
    except ValueError:
        raise Refused(422, "The manifest is no JSON.") from None
    if not isinstance(manifest, dict):
        raise Refused(422, "The manifest is no object.")
    return manifest


def _app(hub: "SmallGitHub", slug: str) -> "App":
    found = hub.app_called(slug)
    if found is None:
        raise Refused(404, "There is no such App.")
    return found


def _accounts(hub: "SmallGitHub", app: "App") -> list["Account"]:
    return [one for one in hub.accounts() if app.public or one is app.owner]


def _with(address: object, values: Mapping[str, object]) -> str:
    url = urlsplit(str(address))
    query = "&".join(part for part in (url.query, urlencode(values)) if part)
    return urlunsplit(url._replace(query=query))
