"""What protects branches: branch protection and rulesets, as far as required checks go."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asked:
    """One required check; ``app`` is the id of its expected source, None for any."""

    name: str
    app: int | None = None


@dataclass(slots=True)
class Protection:
    """Branch protection of one branch."""

    checks: list[Asked] = field(default_factory=list)
    enforce_admins: bool = False
    strict: bool = False


@dataclass(slots=True)
class Ruleset:
    """An active ruleset for the default branch; ``source`` is a repository or an organisation."""

    id: int
    source: str
    checks: list[Asked] = field(default_factory=list)
    merge_queue: bool = False

    @property
    def source_type(self) -> str:
        """Whose it is, as REST says it."""
        return "Repository" if "/" in self.source else "Organization"
