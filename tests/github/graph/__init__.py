"""GraphQL: GitHub's real schema, validated and executed by graphql-core, over the same state.

Importing this makes every kind of thing known to ``base.show``.
"""

from . import accounts, checks, conversation, labels, pulls, repositories
from .execute import answer
from .schema import Schema

__all__ = [
    "Schema",
    "accounts",
    "answer",
    "checks",
    "conversation",
    "labels",
    "pulls",
    "repositories",
]
