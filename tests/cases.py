"""Cases as data: a base folder, a head folder, what is expected; run the production way."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.detect.lines import Text, decode
from bot.local import between, repository
from bot.review.compare import compare
from bot.review.model import Finding, Review

CASES = Path(__file__).parent / "cases"
_AUTHOR = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One folder of `tests/cases`."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.relative_to(CASES).as_posix()

    @property
    def format(self) -> str:
        return self.folder.parent.name

    @property
    def expected(self) -> dict[str, Any]:
        found = yaml.safe_load((self.folder / "expected.yaml").read_text("utf-8"))
        assert isinstance(found, dict), f"{self.name}: expected.yaml is no mapping"
        return found

    def review(self, work: Path) -> Review:
        """Commit base and head in a new repository and compare them as `sockgate diff` does."""
        trees = [_tree(work, self.folder / side) for side in ("base", "head")]
        with repository(work) as git:
            it = between(git, *trees)
            return compare(
                it.base, it.head, it.changes, implicit=bool(self.expected.get("implicit"))
            )


def _git(work: Path, *arguments: str, tree: Path | None = None) -> str:
    environment = os.environ | _AUTHOR
    if tree is not None:
        environment |= {
            "GIT_WORK_TREE": str(tree),
            "GIT_INDEX_FILE": str(work / f"{tree.name}.idx"),
        }
    done = subprocess.run(
        ["git", "--git-dir", str(work), "-c", "core.autocrlf=false", *arguments],
        env=environment, capture_output=True, check=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()


def _tree(work: Path, folder: Path) -> str:
    """Write the files of a folder as a git tree and return its name."""
    if not (work / "HEAD").exists():
        subprocess.run(["git", "init", "-q", "--bare", str(work)], check=True)
    if folder.is_dir():
        _git(work, "add", "--force", "--all", ".", tree=folder)
    return _git(work, "write-tree", tree=folder)


def cases() -> Iterator[Case]:
    """Yield every case, by name."""
    for expected in sorted(CASES.rglob("expected.yaml")):
        yield Case(expected.parent)


def shown(case: Case, finding: Finding) -> dict[str, Any]:
    """Return a finding in the words of expected.yaml."""
    data = (case.folder / "head" / finding.path).read_bytes()
    text = Text(decode(data) or "")
    return {
        "at": f"{finding.path}:{finding.line}",
        "line": text.line(finding.line).strip(),
        "subject": ", ".join(dict.fromkeys(grant.subject for grant in finding.grants)),
        "resource": ", ".join(dict.fromkeys(grant.resource for grant in finding.grants)),
        "severity": str(finding.severity),
        "how": str(finding.grant.how),
        "image": finding.grant.image,
        "steps": [f"{step.path}:{step.line}" for step in finding.grant.steps],
        "undermines": [one.text for one in finding.grant.undermines],
    }
