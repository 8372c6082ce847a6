"""What a query costs: GitHub counts the nodes that the page sizes allow, and the requests.

docs.github.com, "Rate limits and query limits for the GraphQL API": at most 500,000 nodes; points
are the requests that filling every connection takes, divided by 100, at least one.
"""

from collections.abc import Mapping
from typing import Any

import graphql

_HUNDRED = 100


def count(document: graphql.DocumentNode, variables: Mapping[str, Any]) -> tuple[int, int]:
    """Return (nodes, points)."""
    fragments = {
        one.name.value: one.selection_set
        for one in document.definitions
        if isinstance(one, graphql.FragmentDefinitionNode)
    }
    nodes = requests = 0

    def visit(selections: graphql.SelectionSetNode | None, times: int) -> None:
        nonlocal nodes, requests
        for one in selections.selections if selections else ():
            if isinstance(one, graphql.FragmentSpreadNode):
                visit(fragments.get(one.name.value), times)
            elif isinstance(one, graphql.InlineFragmentNode):
                visit(one.selection_set, times)
            elif isinstance(one, graphql.FieldNode):
                size = _size(one, variables)
                if size is not None:
                    nodes += times * size
                    requests += times
                visit(one.selection_set, times * (size or 1))

    for one in document.definitions:
        if isinstance(one, graphql.OperationDefinitionNode):
            visit(one.selection_set, 1)
    return nodes, max(1, round((requests + 1) / _HUNDRED))


def _size(field: graphql.FieldNode, variables: Mapping[str, Any]) -> int | None:
    for argument in field.arguments or ():
        if argument.name.value in ("first", "last"):
            value = argument.value
            if isinstance(value, graphql.IntValueNode):
                return int(value.value)
            if isinstance(value, graphql.VariableNode):
                given = variables.get(value.name.value)
                return int(given) if isinstance(given, int) else None
    return None
