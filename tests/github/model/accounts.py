"""Users, organisations and bots, and what each may do in a repository."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.github.git import File, Signature

from .base import Thing

if TYPE_CHECKING:
    import datetime as dt

    from tests.github.hub import SmallGitHub

    from .repositories import Repository

Kind = Literal["User", "Organization", "Bot"]
_PREFIX = {"User": "U", "Organization": "O", "Bot": "BOT"}
_LEGACY = {"triage": "read", "maintain": "write"}


@dataclass(frozen=True, slots=True)
class Role:
    """A role in a repository: its own name, and the built-in one that it is based on."""

    name: str
    base: str

    @property
    def permission(self) -> str:
        """The legacy word: maintain counts as write, triage as read (REST, collaborators)."""
        return _LEGACY.get(self.base, self.base)


NO_ROLE = Role("none", "none")


@dataclass(eq=False, slots=True, repr=False)
class Account(Thing):
    """Someone who can own repositories or act; made by ``SmallGitHub.user`` and its siblings."""

    hub: "SmallGitHub"
    login: str
    kind: Kind
    id: int = 0
    node_id: str = ""
    name: str = ""
    created_at: "dt.datetime" = field(init=False)
    owners: set["Account"] = field(default_factory=set)
    roles: dict[str, str] = field(default_factory=dict)
    teams: dict[str, dict["Account", Literal["active", "pending"]]] = field(default_factory=dict)
    deleted: bool = False

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node(_PREFIX[self.kind], self.id, self)
        self.name = self.name or self.login.removesuffix("[bot]").title()
        self.created_at = self.hub.clock.now()

    @property
    def email(self) -> str:
        """The address in commits by which GitHub recognises its author."""
        return f"{self.id}+{self.login}@users.noreply.github.com"

    @property
    def graphql_login(self) -> str:
        """GraphQL names a bot without the suffix that REST shows."""
        return self.login.removesuffix("[bot]")

    def signature(self, at: "dt.datetime | None" = None) -> Signature:
        """Return how a commit of this account is signed."""
        return Signature(self.name, self.email, at or self.hub.clock.now())

    def delete(self) -> None:
        """Delete the account: what it did shows as nobody's, and it has no role anywhere."""
        self.deleted = True
        for repository in self.hub.repositories():
            repository.collaborators.pop(self, None)

    def add_owner(self, user: "Account") -> None:
        """Make a user an owner of this organisation, with admin rights in all its repositories."""
        self.owners.add(user)

    def custom_role(self, name: str, base: str) -> None:
        """Define an organisation's own role on top of read, triage, write or maintain."""
        self.roles[name] = base

    def team(
        self, slug: str, *members: "Account", state: Literal["active", "pending"] = "active"
    ) -> None:
        """Make a team of this organisation, or add people to it; pending ones were only invited."""
        self.teams.setdefault(slug, {}).update(dict.fromkeys(members, state))

    def repository(
        self,
        name: str,
        files: Mapping[str, File] | None = None,
        *,
        private: bool = False,
        default_branch: str = "main",
    ) -> "Repository":
        """Create a repository whose first commit holds ``files``."""
        return self.hub.create_repository(
            self, name, files or {}, private=private, default_branch=default_branch
        )
