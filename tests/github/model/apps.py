"""GitHub Apps: their key, their webhook, and where they are installed."""

import functools
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .base import Thing, change

if TYPE_CHECKING:
    import datetime as dt

    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .repositories import Repository

Level = Literal["read", "write", "admin"]
Permissions = Mapping[str, str]


@functools.cache
def key_pair(number: int) -> tuple[str, str]:
    """Make (private, public) PEM texts; the same numbers share a pair, since making one is slow."""
    del number
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        ).decode(),
        private.public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        .decode(),
    )


@dataclass(eq=False, slots=True, repr=False)
class App(Thing):
    """A GitHub App as registered; its bot is the account that its tokens act as."""

    hub: "SmallGitHub"
    slug: str
    owner: "Account"
    permissions: dict[str, str]
    events: list[str]
    webhook_url: str | None
    secret: str
    private_key: str
    public_key: str
    bot: "Account"
    id: int = field(init=False)
    node_id: str = field(init=False)
    client_id: str = field(init=False)
    created_at: "dt.datetime" = field(init=False)
    installations: list["Installation"] = field(default_factory=list)
    name: str = ""  # as people wrote it; empty for one called like its slug
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    public: bool = True
    callback_urls: list[str] = field(default_factory=list)
    setup_url: str | None = None
    hook_active: bool = True
    content_type: str = "json"
    insecure_ssl: str = "0"

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new() % 10_000_000
        self.node_id = self.hub.ids.node("A", self.id, self)
        self.client_id = f"Iv23li{secrets.token_hex(7)}"
        self.created_at = self.hub.clock.now()

    @change
    def install(
        self,
        account: "Account",
        repositories: Iterable["Repository"] | None = None,
        *,
        by: "Account | None" = None,
        permissions: Permissions | None = None,
    ) -> "Installation":
        """Install on an account: on all its repositories, or on the given ones only."""
        installation = Installation(
            hub=self.hub,
            app=self,
            account=account,
            permissions=dict(self.permissions if permissions is None else permissions),
            events=list(self.events),
            selected=None if repositories is None else set(repositories),
        )
        self.installations.append(installation)
        self.hub.events.installation("created", installation, by or self.hub.root_of(account))
        return installation

    def ping(self) -> None:
        """Send the event that GitHub sends when a webhook is set up."""
        self.hub.events.ping(self)


@dataclass(eq=False, slots=True, repr=False)
class Installation(Thing):
    """An App on an account; ``selected`` is None for "all repositories"."""

    hub: "SmallGitHub"
    app: App
    account: "Account"
    permissions: dict[str, str]
    events: list[str]
    selected: set["Repository"] | None
    id: int = field(init=False)
    node_id: str = field(init=False)
    created_at: "dt.datetime" = field(init=False)
    updated_at: "dt.datetime" = field(init=False)
    suspended_by: "Account | None" = None
    suspended_at: "dt.datetime | None" = None

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new() % 100_000_000
        self.node_id = self.hub.ids.node("IN", self.id, self)
        self.created_at = self.updated_at = self.hub.clock.now()

    def repositories(self) -> list["Repository"]:
        """List the repositories that it reaches, in the order they were made."""
        return [repository for repository in self.hub.repositories() if self.covers(repository)]

    def covers(self, repository: "Repository") -> bool:
        """Say whether a repository is one of this installation's."""
        if repository.owner is not self.account or repository.deleted:
            return False
        return self.selected is None or repository in self.selected

    @change
    def add(self, repository: "Repository", *, by: "Account | None" = None) -> None:
        """Select one more repository."""
        if self.selected is None:
            raise ValueError("the installation is on all repositories already")
        self.selected.add(repository)
        sender = by or self.hub.root_of(self.account)
        self.hub.events.installation_repositories(self, sender, added=[repository])

    @change
    def remove(self, repository: "Repository", *, by: "Account | None" = None) -> None:
        """Take one repository out."""
        if self.selected is None:
            self.selected = set(self.repositories())
        self.selected.discard(repository)
        sender = by or self.hub.root_of(self.account)
        self.hub.events.installation_repositories(self, sender, removed=[repository])

    @change
    def suspend(self, *, by: "Account | None" = None) -> None:
        """Stop its tokens and its events until ``unsuspend``."""
        self.suspended_by = by or self.hub.root_of(self.account)
        self.suspended_at = self.hub.clock.now()
        self.hub.events.installation("suspend", self, self.suspended_by)

    @change
    def unsuspend(self, *, by: "Account | None" = None) -> None:
        """Let it work again."""
        self.suspended_by = self.suspended_at = None
        self.hub.events.installation("unsuspend", self, by or self.hub.root_of(self.account))

    @change
    def delete(self, *, by: "Account | None" = None) -> None:
        """Uninstall: its tokens are void from now on."""
        self.app.installations.remove(self)
        self.hub.events.installation("deleted", self, by or self.hub.root_of(self.account))

    @change
    def accept(self, permissions: Permissions, *, by: "Account | None" = None) -> None:
        """Accept a new set of permissions."""
        self.permissions = dict(permissions)
        sender = by or self.hub.root_of(self.account)
        self.hub.events.installation("new_permissions_accepted", self, sender)
