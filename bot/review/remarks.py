"""Findings -> the same, with what can be said of them by reading their files once more."""

from collections.abc import Mapping
from dataclasses import replace

from bot.detect.source import Source
from bot.review.model import Change, Finding
from bot.review.proxies import is_proxy, leaves_open, proxies
from bot.review.suggest import suggest

_MOST = 10  # findings; a pull request with more is nobody's to mend line by line


def remarked(
    findings: tuple[Finding, ...], head: Source, changes: Mapping[str, Change]
) -> tuple[Finding, ...]:
    """Return the findings with suggestions, and with what a proxy among them leaves open.

    `changes` are by the path of the new side. Raises SourceError.
    """
    first = (_remarked(finding, head, changes) for finding in findings[:_MOST])
    return (*first, *findings[_MOST:])


def _remarked(finding: Finding, head: Source, changes: Mapping[str, Change]) -> Finding:
    grant = finding.grant
    if is_proxy(grant.image) and grant.subject.startswith("service "):
        name = grant.subject.removeprefix("service ")
        proxy = next((one for one in proxies(grant.path, head) if one.name == name), None)
        return finding if proxy is None else replace(finding, leaves_open=leaves_open(proxy))
    found = suggest(finding, head, changes.get(finding.path))
    return finding if found is None else replace(finding, suggestion=found)
