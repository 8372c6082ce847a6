"""One GraphQL request: validated against GitHub's schema, costed, executed."""

from typing import TYPE_CHECKING, Any

import graphql

from tests.github.auth import Token
from tests.github.clock import stamp
from tests.github.model.apps import App
from tests.github.model.base import Refused
from tests.github.rest.route import Answer
from tests.github.truth import Violation

from .base import Context, resolve, type_of
from .cost import count
from .roots import Mutation, Query

if TYPE_CHECKING:
    from tests.github.hub import SmallGitHub


def answer(hub: "SmallGitHub", caller: Token | App, body: Any) -> Answer:
    """Answer a query as GitHub does: status 200 also for errors in the query."""
    if isinstance(caller, App):
        raise Refused(401, "Bad credentials")
    if not isinstance(body, dict) or not isinstance(body.get("query"), str):
        raise Refused(400, "A query attribute must be specified and must be a string.")
    variables = body.get("variables") or {}
    try:
        document = graphql.parse(body["query"])
    except graphql.GraphQLSyntaxError as error:
        return _invalid(hub, [error])
    problems = hub.schema.problems(document)
    if problems:
        return _invalid(hub, problems)
    nodes, points = count(document, variables)
    if nodes > hub.limits.nodes:
        message = (
            f"This query requests up to {nodes:,} possible nodes which exceeds the maximum limit "
            f"of {hub.limits.nodes:,}."
        )
        return Answer(200, {"errors": [{"type": "MAX_NODE_LIMIT_EXCEEDED", "message": message}]})
    hub.rates.spend(caller, "graphql", points)
    left = hub.rates.left(caller, "graphql")
    reset = stamp(hub.clock.now().fromtimestamp(left["reset"], tz=hub.clock.now().tzinfo))
    cost = left | {"cost": points, "nodeCount": nodes, "resetAt": reset}
    context = Context(hub, caller)
    operation = graphql.get_operation_ast(document, body.get("operationName"))
    mutation = operation is not None and operation.operation.value == "mutation"
    with hub.changed:
        done = graphql.execute_sync(
            hub.schema.loaded,
            document,
            root_value=Mutation(context) if mutation else Query(context, cost),
            context_value=context,
            variable_values=variables,
            operation_name=body.get("operationName"),
            field_resolver=resolve,
            type_resolver=type_of,
        )
        if mutation:
            hub.changed.notify_all()
    result: dict[str, Any] = {"data": done.data}
    if done.errors:
        result["errors"] = [_error(hub, one) for one in done.errors]
    return Answer(200, result)


def _invalid(hub: "SmallGitHub", problems: list[Any]) -> Answer:
    messages = "; ".join(problem.message for problem in problems)
    if hub.truth.strict:
        text = f"GraphQL query does not fit GitHub's schema: {messages}"
        hub.truth.note(text)
        raise Violation(text)
    return Answer(200, {"errors": [problem.formatted for problem in problems]})


def _error(hub: "SmallGitHub", error: graphql.GraphQLError) -> dict[str, Any]:
    shown: dict[str, Any] = dict(error.formatted)
    extensions = dict(shown.pop("extensions", {}))
    kind = extensions.pop("type", None)
    if kind is None:  # a variable of the wrong type, or a mistake of the small GitHub's own
        hub.truth.note(f"GraphQL: {error.message} at {error.path}")
        return shown
    return {"type": kind, **shown}
