"""The judge: GitHub's own descriptions of its REST API, GraphQL schema and webhooks."""

from .judge import Truth, Violation

__all__ = ["Truth", "Violation"]
