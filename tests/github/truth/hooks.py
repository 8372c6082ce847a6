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
    return json.loads((folder / "webhooks-schemas" / "schema.json").read_text())


@functools.cache
def _judge(event: str, action: str | None) -> Judge | None:
    document = _schema()
    name = f"{event}${action or 'event'}"
    if name not in document["definitions"]:
        return None
    return Judge(inline(document["definitions"][name], document))


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
