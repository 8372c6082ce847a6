"""Addresses, and JSON's shape."""

from dataclasses import dataclass
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the REST API and the pages are, as links in answers name them.

    ``webhook`` asks for an object the way webhooks carry it, which differs here and there.
    """

    api: str
    html: str
    webhook: bool = False
