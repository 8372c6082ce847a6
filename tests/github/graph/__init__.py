"""GraphQL: GitHub's real schema, validated and executed by graphql-core, over the same state."""

from . import checks
from .execute import answer
from .schema import Schema

__all__ = ["Schema", "answer", "checks"]
