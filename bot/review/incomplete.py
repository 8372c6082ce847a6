"""A review of a change that GitHub does not list whole."""

from dataclasses import replace

from bot.detect.grant import Unknown
from bot.review.model import Review


def incomplete(review: Review, listed: str) -> Review:
    """Return the review with an unknown that says so: what was not listed was not read.

    `listed` says what GitHub lists: "only the first 3,000 files that changed".
    """
    reason = (
        f"GitHub lists {listed}, so something may have gone unread. Split the change, so that "
        "every file can be read."
    )
    return replace(review, unknowns=(*review.unknowns, Unknown(".", None, reason)))
