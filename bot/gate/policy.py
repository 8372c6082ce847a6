"""`.github/sockgate.yml`: text -> Policy, or what is wrong with it, by line and key."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from bot.detect.lines import Text
from bot.detect.positioned import Node
from bot.detect.yaml_tree import read_yaml

CHECK = "docker-socket"
DEFAULT_LABEL = "docker-socket-justified"
_LARGEST = 100_000
_TEAM = re.compile(r"(?:[A-Za-z0-9-]{1,100}/)?[A-Za-z0-9_.-]{1,100}")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Ignore(_Model):
    """A place whose grants are not held. Everything ignored is listed in the check."""

    path: str = Field(
        min_length=1,
        description="A path, or a pattern with `*`, `**` and `?`; a folder ends with `/`.",
        examples=["examples/**"],
    )
    reason: str = Field(
        min_length=1,
        description="Why; shown in every check.",
        examples=["shown in the documentation, run by nobody"],
    )
    until: date | None = Field(
        default=None,
        description="Last day on which it is ignored, in UTC. After it, what it would ignore is "
        "held again, and the check says so.",
        examples=["2027-06-30"],
    )


class Policy(_Model):
    """What a repository asks of a pull request that hands over a daemon."""

    label: str = Field(
        default=DEFAULT_LABEL,
        min_length=1,
        max_length=50,
        description="The label that justifies.",
        examples=[DEFAULT_LABEL],
    )
    role: Literal["write", "maintain", "admin"] = Field(
        default="maintain",
        description="The least role of whoever justifies.",
        examples=["admin"],
    )
    users: tuple[str, ...] = Field(
        default=(),
        description="People, or Apps by name, who may justify whatever their role is.",
        examples=[["octocat"]],
    )
    teams: tuple[str, ...] = Field(
        default=(),
        description="Teams whose members may justify whatever their role is: `security`, of the "
        "organisation that owns the repository, or `organisation/security`. Who is in them now is "
        "asked each time, for which the App needs the organisation permission to read members.",
        examples=[["security"]],
    )
    self_justify: bool | None = Field(
        default=None,
        description="Whether an author may justify the own pull request. Left out: only the owner "
        "of a repository that belongs to a user account, and only while nobody else has a role "
        "there that may justify.",
        examples=[False],
    )
    require_reason: bool = Field(
        default=False,
        description="Whether a comment of the same person, or a line `Reason: …` in the "
        "description, has to say why.",
        examples=[True],
    )
    carry: Literal["same-findings", "none"] = Field(
        default="same-findings",
        description="Whether a justification holds for later pushes that add no finding; `none` "
        "asks for the label again after every push.",
        examples=["none"],
    )
    hold: tuple[Literal["critical", "high"], ...] = Field(
        default=("critical", "high"),
        description="The severities that hold the check red; `critical` always does.",
        examples=[["critical"]],
    )
    implicit: bool = Field(
        default=False,
        description="Report what a platform grants with no line that says so, too.",
        examples=[True],
    )
    ignore: tuple[Ignore, ...] = Field(
        default=(),
        description="Places that are not held. Each is listed in every check, with its reason.",
        examples=[[{"path": "examples/**", "reason": "run by nobody", "until": "2027-06-30"}]],
    )
    trusted_branches: tuple[str, ...] = Field(
        default=(),
        description="Branches, or patterns of them, that change through this check only. What "
        "another base branch has and the default branch has not is held.",
        examples=[["release/*"]],
    )

    @field_validator("users", "teams", "hold", "ignore", "trusted_branches", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return tuple(value) if isinstance(value, list) else value

    @field_validator("label")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        if value != value.strip() or not value.isprintable():
            raise ValueError(
                "no label can have this name: it has spaces around it, or letters that do not show"
            )
        return value

    @field_validator("teams")
    @classmethod
    def _are_slugs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not _TEAM.fullmatch(name):
                raise ValueError(
                    f"{name!r} is no team: write `security` or `organisation/security`"
                )
        return value

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


def read_policy(text: str | None) -> Policy | tuple[Problem, ...]:
    """Return the policy that a text says, or every problem with it; None is what is no text."""
    if text is None:
        return (Problem(1, "", "not a text file"),)
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
    if twice := tuple(_twice(tree.documents[0])):
        return twice
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        root = tree.documents[0]
        return tuple(_problem(root, one["loc"], _message(one)) for one in error.errors())


def _twice(root: Node) -> Iterator[Problem]:
    """Yield keys that stand twice: YAML readers take the last, people the first."""
    ignore = root.get("ignore")
    for node in (root, *(ignore.items if ignore is not None else ())):
        known: set[str] = set()
        for key, _ in node.pairs:
            if key.text in known:
                yield Problem(key.line, key.text, "stands twice")
            known.add(key.text)


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
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:sockgate:policy",
    } | (Policy.model_json_schema() | {"title": "sockgate policy"})
