"""Review -> JSON, for machines."""

import json
from typing import Any

from bot.detect.grant import Grant
from bot.publish.words import sentence
from bot.review.model import Finding, Review


def as_json(review: Review) -> str:
    """Return the findings, unknowns and the number of files read, as a JSON document.

    Each of them stands on a line of its own.
    """
    findings = [_finding(finding) for finding in review.findings]
    unknowns = [
        {"path": unknown.path, "line": unknown.line, "reason": unknown.reason}
        for unknown in review.unknowns
    ]
    return (
        f'{{\n"findings": {_lines(findings)},\n'
        f'"unknowns": {_lines(unknowns)},\n"scanned": {review.scanned}\n}}'
    )


def _lines(values: list[dict[str, Any]]) -> str:
    return "[" + ",".join("\n  " + json.dumps(value) for value in values) + "]"


def _finding(finding: Finding) -> dict[str, Any]:
    found: dict[str, Any] = {"path": finding.path, "line": finding.line}
    found |= _grant(finding.grant)
    if finding.also:
        found["also"] = [
            {"path": grant.path, "line": grant.line} | _grant(grant) for grant in finding.also
        ]
    return found


def _grant(grant: Grant) -> dict[str, Any]:
    return {
        "subject": grant.subject,
        "image": grant.image,
        "resource": grant.resource,
        "how": str(grant.how),
        "severity": str(grant.severity),
        "fingerprint": grant.fingerprint,
        "steps": [{"path": step.path, "line": step.line} for step in grant.steps],
        "undermines": [
            {"control": one.control, "text": one.text, "path": one.path, "line": one.line}
            for one in grant.undermines
        ],
        "message": sentence(grant),
    }
