"""The REST API, as far as it is used; importing this fills the table of routes."""

from . import (
    apps,
    branches,
    checks,
    comments,
    contents,
    issues,
    labels,
    pulls,
    repositories,
    reviews,
    teams,
    user,
)
from .route import ROUTES, Answer, Call, find

__all__ = [
    "ROUTES",
    "Answer",
    "Call",
    "apps",
    "branches",
    "checks",
    "comments",
    "contents",
    "find",
    "issues",
    "labels",
    "pulls",
    "repositories",
    "reviews",
    "teams",
    "user",
]
