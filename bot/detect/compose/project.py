"""A Compose project as a value: which files make it up, and what they come to together.

Source: Docker documentation, the names that `docker compose` looks for and "Set or change
pre-defined environment variables" (COMPOSE_FILE, COMPOSE_PATH_SEPARATOR).
"""

from dataclasses import dataclass, field
from posixpath import join, normpath

from bot.detect.compose.interpolation import Variables
from bot.detect.compose.shape import SECTIONS
from bot.detect.compose.values import Value, merged
from bot.detect.grant import Step

BASES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
_MOST_NAMED = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """The files that are merged, in order, and what said so."""

    paths: tuple[str, ...]
    folder: str
    variables: Variables
    named_by: tuple[Step, ...] = ()  # the COMPOSE_FILE line, where there is one


@dataclass(frozen=True, slots=True)
class Span:
    """Where a file speaks about a service: from its key to the end of its value."""

    path: str
    first: int
    last: int


@dataclass(slots=True)
class Model:
    """A project: each section by name, and for services the places that speak about them."""

    sections: dict[str, dict[str, Value]] = field(
        default_factory=lambda: {section: {} for section in SECTIONS}
    )
    spans: dict[str, tuple[Span, ...]] = field(default_factory=dict)

    @property
    def services(self) -> dict[str, Value]:
        """The services by name; those with a `!reset` take away what is merged before them."""
        return self.sections["services"]

    def take(self, other: "Model") -> None:
        """Merge `other` over what is here."""
        for section, values in other.sections.items():
            for name, value in values.items():
                over(self.sections[section], name, value)
        for name, spans in other.spans.items():
            self.spans[name] = (*self.spans.get(name, ()), *spans)


def over(known: dict[str, Value], name: str, value: Value) -> None:
    """Merge a value over the known one of its name.

    A `!reset` takes that away, and stays itself: it may be merged over a further file.
    """
    before = known.get(name)
    alone = before is None or before.taken_away or value.taken_away
    known[name] = value if before is None or alone else merged(before, value)


def beside(folder: str, path: str) -> str | None:
    """Return a path relative to `folder` as a path of the commit, None where it leads outside."""
    if not path or path.startswith(("/", "~", "\\")) or "://" in path or "$" in path:
        return None
    if path.startswith(("git@", "oci:")):
        return None
    found = normpath(join(folder, path.replace("\\", "/")))
    return None if found.startswith("../") or found in {".", ".."} else found


def named_files(folder: str, variables: Variables) -> tuple[str, ...]:
    """Return the files that COMPOSE_FILE lists, as paths of the commit."""
    named = variables.get("COMPOSE_FILE")
    if named is None:
        return ()
    separator = variables.get("COMPOSE_PATH_SEPARATOR")
    mark = separator.text if separator is not None and separator.text else ":"
    if separator is None and ":" not in named.text and ";" in named.text:
        mark = ";"  # what Windows uses
    found = (beside(folder, name.strip()) for name in named.text.split(mark)[:_MOST_NAMED])
    return tuple(dict.fromkeys(path for path in found if path is not None))
