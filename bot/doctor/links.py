"""Where on GitHub something is mended."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Links:
    """The pages of one App and of its repositories."""

    web: str
    slug: str
    owner: str
    is_organization: bool

    @property
    def app(self) -> str:
        """The App's settings."""
        place = f"/organizations/{self.owner}" if self.is_organization else ""
        return f"{self.web}{place}/settings/apps/{self.slug}"

    @property
    def permissions(self) -> str:
        """Its permissions and events."""
        return f"{self.app}/permissions"

    @property
    def deliveries(self) -> str:
        """Its recent deliveries."""
        return f"{self.app}/advanced"

    @property
    def install(self) -> str:
        """Where it is installed."""
        return f"{self.app}/installations"

    def repository(self, name: str, page: str) -> str:
        """Return a page of a repository."""
        return f"{self.web}/{name}/{page}"


def links(web: str, app: dict[str, Any]) -> Links:
    """Return the links of the App that GitHub described."""
    owner = app["owner"]
    return Links(web, app["slug"], owner.get("login", ""), owner.get("type") == "Organization")
