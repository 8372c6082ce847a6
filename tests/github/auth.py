"""Who asks: an App with its signed token, an installation, or a user; and what each may do.

Messages are GitHub's ("Authenticating as a GitHub App", "Resource not accessible by integration").
"""

import datetime as dt
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from .model.accounts import Account
from .model.apps import App, Installation
from .model.base import Refused

if TYPE_CHECKING:
    from .hub import SmallGitHub
    from .model.repositories import Repository

LIFETIME = dt.timedelta(hours=1)
LONGEST_JWT = 10 * 60
_LEVELS = ("read", "write", "admin")
_ROLE = {"read": "read", "write": "write", "triage": "triage", "admin": "admin"}


@dataclass(frozen=True, slots=True)
class Token:
    """What a token stands for: an installation with at most its permissions, or a user."""

    value: str
    account: Account
    expires_at: dt.datetime | None = None
    installation: Installation | None = None
    permissions: Mapping[str, str] | None = None
    repositories: frozenset["Repository"] | None = None

    @property
    def app(self) -> App | None:
        """The App that acts, if it is one."""
        return self.installation.app if self.installation else None

    def sees(self, repository: "Repository") -> bool:
        """Whether a repository exists for this token."""
        if repository.deleted:
            return False
        if self.installation is None:
            return not repository.private or repository.may(self.account, "read")
        return not repository.private or self.reaches(repository)

    def reaches(self, repository: "Repository") -> bool:
        """Whether an installation's token is for this repository."""
        if self.installation is None or not self.installation.covers(repository):
            return False
        return self.repositories is None or repository in self.repositories

    def level(self, permission: str) -> str | None:
        """Return the installation's level of a permission, now and when the token was made."""
        if self.installation is None:
            return None
        now = self.installation.permissions.get(permission)
        then = now if self.permissions is None else self.permissions.get(permission)
        if now is None or then is None:
            return None
        return min(now, then, key=_LEVELS.index)

    def permits(self, repository: "Repository", needs: str) -> bool:
        """Say whether ``needs`` ("checks:write", alternatives with "|") is granted.

        For users the level is a role. Where an installation reaches a repository only because it
        is public, it may read; stricter than GitHub, its own repositories ask for the permission
        also when they are public, so that a missing one shows.
        """
        if self.installation is None:
            return any(
                repository.may(self.account, _ROLE[need.partition(":")[2]])
                for need in needs.split("|")
            )
        if not self.reaches(repository):
            return not repository.private and all(
                need.endswith(":read") for need in needs.split("|")
            )
        return any(self._holds(need) for need in needs.split("|"))

    def _holds(self, need: str) -> bool:
        permission, _, level = need.partition(":")
        held = self.level(permission)
        if permission == "metadata":
            return True
        return held in ("write", "admin") or (held == "read" and level == "read")


class Tokens:
    """All tokens handed out."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub
        self._tokens: dict[str, Token] = {}

    def issue(
        self,
        installation: Installation,
        permissions: Mapping[str, str] | None = None,
        repositories: frozenset["Repository"] | None = None,
    ) -> Token:
        """Make an installation token that lasts an hour."""
        token = Token(
            value=f"ghs_{secrets.token_hex(18)}",
            account=installation.app.bot,
            expires_at=self.hub.clock.now() + LIFETIME,
            installation=installation,
            permissions=dict(installation.permissions if permissions is None else permissions),
            repositories=repositories,
        )
        self._tokens[token.value] = token
        return token

    def for_user(self, user: Account) -> str:
        """Make a personal token, with which a test acts as a user over HTTP."""
        token = Token(value=f"ghp_{secrets.token_hex(18)}", account=user)
        self._tokens[token.value] = token
        return token.value

    def nobody(self) -> Token:
        """Return what stands for a request without a token."""
        return Token(value="", account=self.hub.user("ghost"))

    def expire_all(self) -> None:
        """End every token handed out so far: 401 from now on."""
        self._tokens.clear()

    def find(self, headers: Mapping[str, str]) -> Token | App:
        """Say who sent a request with these headers."""
        if "user-agent" not in headers:
            raise Refused(403, "Request forbidden by administrative rules.")
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() not in ("bearer", "token") or not value:
            raise Refused(401, "Requires authentication")
        if value.count(".") == 2:
            return self._app(value)
        token = self._tokens.get(value)
        if token is None:
            raise Refused(401, "Bad credentials")
        if token.expires_at is not None and token.expires_at <= self.hub.clock.now():
            raise Refused(401, "Bad credentials")
        one = token.installation
        if one is not None:
            if one not in one.app.installations:
                raise Refused(401, "Bad credentials")
            if one.suspended_at is not None:
                raise Refused(403, "This installation has been suspended")
        return token

    def _app(self, value: str) -> App:
        try:
            claims = jwt.decode(value, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise Refused(401, "A JSON web token could not be decoded") from None
        app = self.hub.app_by(str(claims.get("iss")))
        if app is None:
            raise Refused(404, "Integration not found")
        try:
            claims = jwt.decode(
                value, app.public_key, algorithms=["RS256"], options={"require": ["iat", "exp"]}
            )
        except jwt.ExpiredSignatureError:
            raise Refused(401, _CLAIM.format("exp", "Expiration time")) from None
        except jwt.ImmatureSignatureError:
            raise Refused(401, _CLAIM.format("iat", "Issued at")) from None
        except jwt.InvalidTokenError:
            raise Refused(401, "A JSON web token could not be decoded") from None
        # Real time, not the scenario's: the App that asks knows no other.
        if claims["exp"] > time.time() + LONGEST_JWT:
            message = "'Expiration time' claim ('exp') is too far in the future"
            raise Refused(401, message)
        return app


_CLAIM = "'{1}' claim ('{0}') must be a numeric value representing a time that is still valid"
