"""A repository's labels."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .base import Thing, change

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub

    from .accounts import Account
    from .repositories import Repository


@dataclass(eq=False, slots=True, repr=False)
class Label(Thing):
    """A label as it is now; events keep the name that it had when they happened."""

    hub: "SmallGitHub"
    repository: "Repository"
    name: str
    color: str
    description: str | None = None
    id: int = field(init=False)
    node_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = self.hub.ids.new()
        self.node_id = self.hub.ids.node("LA", self.id, self)

    @change
    def edit(
        self,
        *,
        by: "Account",
        name: str | None = None,
        color: str | None = None,
        description: str | None = None,
    ) -> None:
        """Rename or recolour; pull requests keep it under the new name."""
        changes: dict[str, object] = {}
        if name is not None and name != self.name:
            changes["name"] = {"from": self.name}
            self.name = name
        if color is not None and color != self.color:
            changes["color"] = {"from": self.color}
            self.color = color
        if description is not None and description != self.description:
            changes["description"] = {"from": self.description or ""}
            self.description = description
        self.hub.events.label("edited", self, by, changes=changes)

    @change
    def delete(self, *, by: "Account") -> None:
        """Delete it; pull requests lose it, with an ``unlabeled`` event that names no label."""
        self.repository.labels.remove(self)
        self.hub.ids.forget(self.node_id)
        self.hub.events.label("deleted", self, by)
        for pull in self.repository.pulls.values():
            if self in pull.labels:
                pull.labels.remove(self)
                self.hub.events.pull_request("unlabeled", pull, by)
