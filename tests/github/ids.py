"""Numbers and node ids, unique within one small GitHub, of the size that GitHub's have.

GraphQL's ``databaseId`` is a 32-bit ``Int``, so they stay below 2**31.
"""

import base64
import itertools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Ids:
    """Hand out database ids, and find an object by the node id made from one."""

    def __init__(self) -> None:
        self._next: Iterator[int] = itertools.count(1_380_104_001, 7)
        self._nodes: dict[str, object] = {}

    def new(self) -> int:
        """Return a number that nothing else carries."""
        return next(self._next)

    def node(self, prefix: str, number: int, thing: object) -> str:
        """Make the opaque global id of ``thing``, such as ``PR_kwDO…``, and remember it."""
        opaque = base64.urlsafe_b64encode(b"\x93\x00\xce" + number.to_bytes(6, "big")).decode()
        node_id = f"{prefix}_{opaque.rstrip('=')}"
        self._nodes[node_id] = thing
        return node_id

    def find(self, node_id: str) -> object | None:
        """Return the object behind a node id."""
        return self._nodes.get(node_id)

    def forget(self, node_id: str) -> None:
        """Drop a deleted object's node id."""
        self._nodes.pop(node_id, None)
