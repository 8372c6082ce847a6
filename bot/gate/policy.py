"""`.github/sockgate.yml`: text -> Policy, or what is wrong with it, by line and key."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from bot.detect.lines import Text
from bot.detect.positioned import Node, read_yaml

CHECK = "docker-socket"
DEFAULT_LABEL = "docker-socket-justified"
_LARGEST = 100_000


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ignore(_Model):
    """A place whose grants are not held. Everything ignored is listed in the check."""

    path: str = Field(min_length=1, description="A path, or a pattern with `*`, `**` and `?`.")
    reason: str = Field(min_length=1, description="Why; shown in every check.")
    until: date | None = Field(default=None, description="Last day on which it is ignored.")


class Policy(_Model):
    """What a repository asks of a pull request that hands over a daemon."""

    label: str = Field(
        default=DEFAULT_LABEL,
        min_length=1,
        max_length=50,
        description="The label that justifies.",
    )
    role: Literal["write", "maintain", "admin"] = Field(
        default="maintain", description="The least role of whoever justifies."
    )
    users: tuple[str, ...] = Field(
        default=(), description="People, or Apps by name, who may justify whatever their role is."
    )
    self_justify: bool | None = Field(
        default=None,
        description="Whether an author may justify the own pull request. "
        "By default only where the repository belongs to a user account.",
    )
    require_reason: bool = Field(
        default=False,
        description="Whether a comment of the same person, or a line `Reason: …` in the "
        "description, has to say why.",
    )
    carry: Literal["same-findings", "none"] = Field(
        default="same-findings",
        description="Whether a justification holds for later pushes that add no finding.",
    )
    hold: tuple[Literal["critical", "high"], ...] = Field(
        default=("critical", "high"), description="The severities that hold the check red."
    )
    implicit: bool = Field(
        default=False, description="Report what a platform grants with no line that says so, too."
    )
    ignore: tuple[Ignore, ...] = Field(default=(), description="Places that are not held.")
    trusted_branches: tuple[str, ...] = Field(
        default=(),
        description="Branches, or patterns of them, that change through this check only. What "
        "another base branch has and the default branch has not is held.",
    )

    @field_validator("users", "hold", "ignore", "trusted_branches", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("hold")
    @classmethod
    def _holds_something(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "critical" not in value:
            raise ValueError("critical findings are always held")
        return value


STRICT = Policy()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a policy."""

    line: int  # 1-based
    key: str  # "ignore.0.until"; "" for the whole text
    message: str


def read_policy(text: str) -> Policy | tuple[Problem, ...]:
    """Return the policy that a text says, or every problem with it."""
    if len(text) > _LARGEST:
        return (Problem(1, "", "longer than 100 kB"),)
    tree = read_yaml(Text(text))
    if tree.problem is not None:
        return (Problem(tree.problem.line, "", f"not YAML: {tree.problem.message}"),)
    if len(tree.documents) > 1:
        return (Problem(tree.documents[1].line, "", "more than one document"),)
    try:
        # A pull request may propose a policy, and merged aliases grow without bound.
        for event in yaml.parse(text, yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                line = event.start_mark.line + 1 if event.start_mark else 1
                return (Problem(line, "", "aliases are not used here"),)
        value = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        return (Problem(mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}"),)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return (Problem(1, "", f"not YAML: {error}"),)
    if value is None:
        return STRICT
    if not isinstance(value, dict):
        return (Problem(1, "", "not a mapping of settings"),)
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        root = tree.documents[0]
        return tuple(_problem(root, one["loc"], _message(one)) for one in error.errors())


def _message(error: ErrorDetails) -> str:
    if error["type"] == "extra_forbidden":
        return "no such key"
    return error["msg"].removeprefix("Value error, ").replace("valid tuple", "valid list")


def _problem(root: Node, where: tuple[int | str, ...], message: str) -> Problem:
    node, line = root, root.line
    for part in where:
        below = None
        if isinstance(part, int) and part < len(node.items):
            below = node.items[part]
            line = below.line
        elif isinstance(part, str):
            key = node.key(part)
            line = key.line if key is not None else line
            below = node.get(part)
        if below is None:
            break
        node = below
    return Problem(line, ".".join(map(str, where)), message)


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of the policy, for editors."""
    return Policy.model_json_schema() | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "sockgate policy",
    }
