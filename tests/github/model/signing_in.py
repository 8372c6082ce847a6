"""Signing in to an App: codes, good once and for ten minutes, and the tokens they are changed for.

GitHub Docs, "Generating a user access token for a GitHub App".
"""

import base64
import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base import Refused, Thing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .apps import App

LIFETIME = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Code:
    app: "App"
    who: "Account"
    callback: str
    challenge: str
    until: dt.datetime


class SigningIn(Thing):
    """Who is at the browser, and what was handed out. `person` None denies the access."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub
        self.person: Account | None = None
        self._codes: dict[str, _Code] = {}
        self._apps: dict[str, App] = {}

    def authorize(self, query: "Mapping[str, str]") -> dict[str, str]:
        """Answer what goes back to the callback, besides the state."""
        app = self._app(query.get("client_id", ""))
        if query.get("redirect_uri") not in app.callback_urls:
            raise Refused(404, "The redirect_uri is not associated with this application.")
        if self.person is None:
            return {"error": "access_denied"}
        code = secrets.token_hex(10)
        challenge = query.get("code_challenge", "")
        until = self.hub.clock.now() + LIFETIME
        self._codes[code] = _Code(app, self.person, query["redirect_uri"], challenge, until)
        return {"code": code}

    def exchange(self, form: "Mapping[str, str]") -> dict[str, str]:
        """Change a code for a token. GitHub answers mistakes with 200 and an error."""
        app = self._app(form.get("client_id", ""))
        if form.get("client_secret") != app.client_secret:
            return {"error": "incorrect_client_credentials"}
        found = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            found is None
            or found.app is not app
            or found.until < self.hub.clock.now()
            or found.challenge != challenge
            or found.callback != form.get("redirect_uri")
        ):
            return {"error": "bad_verification_code"}
        token = self.hub.tokens.for_user(found.who)
        self._apps[token] = app
        return {"access_token": token, "token_type": "bearer", "scope": ""}

    def app_of(self, token: str) -> "App | None":
        """Return the App that a person's token was made for."""
        return self._apps.get(token)

    def _app(self, client: str) -> "App":
        found = self.hub.app_by(client)
        if found is None or found.client_id != client:
            raise Refused(404, "Not Found")
        return found
