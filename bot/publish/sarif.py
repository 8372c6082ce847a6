"""Review -> SARIF 2.1.0, as GitHub code scanning takes it.

Source: GitHub Docs, "SARIF support for code scanning"; OASIS SARIF 2.1.0.
"""

import json
from typing import Any
from urllib.parse import quote

from bot import __version__
from bot.detect.grant import Grant, How, Severity
from bot.publish.plain import plain
from bot.publish.words import kind, sentence
from bot.review.model import Finding, Review

_SCORE = {Severity.CRITICAL: "9.8", Severity.HIGH: "8.0"}
_UNKNOWN = "could-not-evaluate"


def as_sarif(review: Review) -> str:
    """Return a SARIF log with one result a finding or unknown."""
    results = [_result(finding, grant) for finding in review.findings for grant in finding.grants]
    results += [
        {
            "ruleId": _UNKNOWN,
            "level": "error",
            "message": {"text": _unlinked(plain(unknown.reason, 400))},
            "locations": [_location(unknown.path, unknown.line or 1)],
        }
        for unknown in review.unknowns
    ]
    driver = {
        "name": "sockgate",
        "semanticVersion": __version__,
        "rules": [*(_rule(how) for how in How), _unknown_rule()],
    }
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2)


def _result(finding: Finding, grant: Grant) -> dict[str, Any]:
    return {
        "ruleId": str(grant.how),
        "level": "error",
        "message": {"text": _unlinked(sentence(grant))},
        "locations": [_location(finding.path, finding.line)],
        "relatedLocations": [
            {"id": number, **_location(step.path, step.line)}
            for number, step in enumerate(grant.steps, 1)
        ],
        "partialFingerprints": {"sockgate/v1": grant.fingerprint},
        "properties": {"security-severity": _SCORE[grant.severity], "resource": grant.resource},
    }


def _unlinked(text: str) -> str:
    """Keep a plain text from holding a link (SARIF 2.1.0, 3.11.6, "embedded links")."""
    return text.replace("](", "] (")


def _location(path: str, line: int) -> dict[str, Any]:
    uri = quote(path.encode("utf-8", "surrogateescape"))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line},
        }
    }


def _rule(how: How) -> dict[str, Any]:
    text = f"Access to a container daemon: {kind(how)}"
    return {
        "id": str(how),
        "shortDescription": {"text": text},
        "properties": {"tags": ["security"], "security-severity": _SCORE[Severity.CRITICAL]},
    }


def _unknown_rule() -> dict[str, Any]:
    text = "A file that names a container daemon could not be evaluated"
    return {"id": _UNKNOWN, "shortDescription": {"text": text}}
