"""Every folder of tests/cases, both ways: each expectation a finding, each finding an expectation.

ACCEPT=1 rewrites what differs and still fails; it is refused in CI.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.detect.format import formats
from tests.cases import CASES, Case, cases, shown

_ALWAYS = ("at", "line", "subject", "resource", "severity")
_ALL = tuple(cases())


@pytest.mark.parametrize("case", _ALL, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    expected = case.expected
    assert set(expected) <= {"why", "findings", "unknowns", "implicit"}, "an unknown key"
    assert expected.get("why"), "say why in expected.yaml"
    review = case.review(tmp_path / "repository")
    wanted = expected.get("findings") or []
    found = [shown(case, finding) for finding in review.findings]
    known = {one["at"]: one for one in wanted}
    got = [{k: one[k] for k in known.get(one["at"], dict.fromkeys(_ALWAYS))} for one in found]
    unknowns = [
        {"at": f"{one.path}:{one.line}" if one.line else one.path, "mentions": one.mentions}
        for one in review.unknowns
    ]
    if os.environ.get("ACCEPT") and (got != wanted or unknowns != (expected.get("unknowns") or [])):
        assert not os.environ.get("CI"), "ACCEPT is for people who read the difference"
        _accept(case, expected, got, unknowns)
    assert _by_place(got) == _by_place(wanted)
    assert unknowns == (expected.get("unknowns") or [])


def _by_place(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(findings, key=lambda one: (str(one.get("at")), str(one.get("subject"))))


def _accept(
    case: Case, expected: dict[str, Any], got: list[dict[str, Any]], unknowns: list[dict[str, Any]]
) -> None:
    rewritten = expected | {"findings": got, "unknowns": unknowns}
    text = yaml.safe_dump(rewritten, sort_keys=False, allow_unicode=True, width=1000)
    (case.folder / "expected.yaml").write_text(text, "utf-8")


@pytest.mark.parametrize("name", [form.name for form in formats()])
def test_a_format_has_a_finding_and_a_quiet_case(name: str) -> None:
    mine = [case for case in _ALL if case.format == name]
    assert any(case.expected.get("findings") for case in mine), f"no finding in tests/cases/{name}"
    quiet = [c for c in mine if not c.expected.get("findings") and not c.expected.get("unknowns")]
    assert quiet, f"no quiet case in tests/cases/{name}"


def test_every_case_is_of_a_format_or_of_the_comparison() -> None:
    known = {form.name for form in formats()} | {"compare", "engine"}
    assert {case.format for case in _ALL} <= known


def test_git_has_every_file_of_the_cases() -> None:
    """No ignore rule may hide a `.env` from git."""
    import subprocess  # noqa: PLC0415

    listed = subprocess.run(
        ["git", "-C", str(CASES), "ls-files", "-z", "--others", "--ignored", "--exclude-standard"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert listed == b""
