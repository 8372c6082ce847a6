"""Review -> workflow commands of GitHub Actions (`::error file=…`), for a step's log.

Source: GitHub Docs, "Workflow commands for GitHub Actions", setting an error message.
"""

from bot.publish.plain import plain
from bot.publish.words import sentence
from bot.review.model import Review

_LONGEST_PATH = 4_096


def as_annotations(review: Review) -> str:
    """Return one command a finding or unknown; "" where there is none."""
    lines = [
        _command(finding.path, finding.line, "Container daemon access", sentence(grant))
        for finding in review.findings
        for grant in finding.grants
    ]
    lines += [
        _command(unknown.path, unknown.line, "Could not be evaluated", unknown.reason)
        for unknown in review.unknowns
    ]
    return "".join(line + "\n" for line in lines)


def _command(path: str, line: int | None, title: str, message: str) -> str:
    place = f"file={_property(plain(path, _LONGEST_PATH))}" + (f",line={line}" if line else "")
    return f"::error {place},title={_property(title)}::{_data(plain(message, 1_000))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
