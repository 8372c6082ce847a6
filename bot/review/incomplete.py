"""A review of a change that GitHub does not list whole."""

from dataclasses import replace

from bot.detect.grant import Unknown
from bot.review.model import Review


def incomplete(review: Review, listed: int) -> Review:
    """Return the review with an unknown that says so: what was not listed was not read."""
    reason = (
        f"GitHub lists only the first {listed:,} files of a pull request, and this one may change "
        f"more. Split it, so that every file can be read."
    )
    return replace(review, unknowns=(*review.unknowns, Unknown(".", None, reason)))
