"""Webhooks as GitHub describes them (npm ``@octokit/webhooks-schemas``), and its examples."""

import functools
import json
from collections.abc import Iterator
from typing import Any

from tests.github import install

from .schemas import Judge, inline


@functools.cache
def _schema() -> Any:
    folder = install.ensure()
    document = json.loads((folder / "webhooks-schemas" / "schema.json").read_text())
    # The list of events that a hook subscribes to is older than this one, which the same package
    # knows as an event and among those of an installation.
    document["definitions"]["webhook-events"]["oneOf"][0]["items"]["enum"].append("merge_group")
    return document


# What GitHub leaves out although its schema asks for it: when a label itself is deleted, the event
# that takes it off a pull request does not say which it was (octokit/webhooks#639).
LEFT_OUT = {"pull_request$unlabeled": "label"}


@functools.cache
def _judge(event: str, action: str | None) -> Judge | None:
    document = _schema()
    name = f"{event}${action or 'event'}"
    if name not in document["definitions"]:
        return None
    schema = dict(document["definitions"][name])
    if name in LEFT_OUT:
        schema["required"] = [one for one in schema["required"] if one != LEFT_OUT[name]]
    return Judge(inline(schema, document))


def problems(event: str, action: str | None, payload: Any) -> list[str]:
    """List what is wrong with a payload."""
    judge = _judge(event, action)
    if judge is None:
        return [f"GitHub has no event {event}.{action}"]
    return judge.problems(payload)


def examples() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (event, payload) for each example in npm ``@octokit/webhooks-examples``."""
    folder = install.ensure()
    text = (folder / "webhooks-examples" / "api.github.com" / "index.json").read_text()
    for described in json.loads(text):
        for payload in described["examples"]:
            yield described["name"], payload
