"""Apps that are created from a manifest: the page's answer is a code, good once and for an hour.

GitHub Docs, "Registering a GitHub App from a manifest".
"""

import datetime as dt
import re
import secrets
from typing import TYPE_CHECKING, Any

from .base import Refused, Thing, change

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .apps import App

LIFETIME = dt.timedelta(hours=1)
LONGEST_NAME = 34


class Manifests(Thing):
    """The codes handed out, and the Apps they stand for."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub
        self._codes: dict[str, tuple[App, dt.datetime]] = {}

    def owner(self, organization: str | None) -> "Account":
        """Return the account that an App would belong to; who registers is signed in as its owner.

        An organisation that one does not own looks as if there were none.
        """
        if organization is None:
            return self.hub.user("app-owner")
        found = self.hub.find_account(organization)
        if found is None or found.kind != "Organization":
            raise Refused(404, "There is no such organization.")
        return found

    @change
    def register(self, manifest: Any, name: str, owner: "Account") -> str:
        """Create the App, send its ping, and return a code."""
        if not isinstance(manifest, dict) or not isinstance(manifest.get("url"), str):
            raise Refused(422, "The manifest has no url.")
        if not 0 < len(name) <= LONGEST_NAME:
            raise Refused(422, f"A name has up to {LONGEST_NAME} characters.")
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
        if self.hub.app_called(slug) is not None:
            raise Refused(422, "Name is already taken.")
        hook = manifest.get("hook_attributes") or {}
        app = self.hub.app(
            slug,
            permissions=manifest.get("default_permissions", {}),
            events=manifest.get("default_events", ()),
            webhook_url=hook.get("url"),
            secret=secrets.token_hex(20),
            owner=owner,
        )
        app.name = name
        app.hook_active = hook.get("active", True)
        app.public = manifest.get("public", False)
        app.setup_url = manifest.get("setup_url")
        app.callback_urls = list(manifest.get("callback_urls", ()))
        code = secrets.token_hex(20)
        self._codes[code] = (app, self.hub.clock.now() + LIFETIME)
        app.ping()
        return code

    @change
    def convert(self, code: str) -> "App":
        """Return the App of a code, once."""
        app, until = self._codes.pop(code, (None, None))
        if app is None or until is None or self.hub.clock.now() > until:
            raise Refused(404, "Not Found")
        return app
