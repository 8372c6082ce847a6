"""The REST API as GitHub describes it (npm ``@octokit/openapi``).

The description is 13 MB; a reduced form with only the operations that the small GitHub offers is
kept beside it. Where GitHub is known to answer what its description forbids, ``DEVIATIONS`` says
so.
"""

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.github import install

from .schemas import Judge, Schema, inline

Operation = tuple[str, str]

# What GitHub answers although its description says otherwise: (schema, property) that may be null.
DEVIATIONS = (
    # A deleted fork has no repository (octokit/webhooks' schema of pull_request says null too).
    ("pull-request", "head/repo"),
    ("pull-request-simple", "head/repo"),
    # Outdated comments and comments on a file have no line (webhooks' pull_request_review_comment).
    ("pull-request-review-comment", "line"),
    ("pull-request-review-comment", "original_line"),
    ("pull-request-review-comment", "position"),
    # A label without a description shows as null in lists of pull requests too.
    ("pull-request-simple", "labels/items/description"),
)

# Where the description of a list contradicts that of its items: here each account would have to be
# a user and an enterprise at once. The item's own schema stands in.
ITEMS = {("GET", "/app/installations"): "installation"}

# What GitHub takes although its description no longer says so: a bare list, as PyGithub sends it.
LISTS = {("POST", "/repos/{owner}/{repo}/issues/{issue_number}/labels"): "labels"}


@dataclass(frozen=True, slots=True)
class Request:
    """What there is to check of a request; ``body`` is None where there was none."""

    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Any


class Rest:
    """Checks requests and answers of the operations it was made for."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._document = _reduced(frozenset(operations))
        self._known: dict[str, Schema] = {}
        self._judges: dict[tuple[str, ...], Judge | None] = {}

    def request_problems(self, operation: Operation, request: Request) -> list[str]:
        """List what is wrong with a request: parameters, unknown ones, the body."""
        described = self._document["operations"][" ".join(operation)]
        problems = []
        for place, given in (("path", request.path), ("query", request.query)):
            parameters = {p["name"]: p for p in described["parameters"] if p["in"] == place}
            for name, text in given.items():
                if name not in parameters:
                    problems.append(f"{place} parameter {name} is not in GitHub's description")
                    continue
                judge = self._judge(operation, place, name, parameters[name].get("schema", {}))
                found = judge.problems(_typed(text, parameters[name].get("schema", {})))
                problems += [f"{place} parameter {name}: {problem}" for problem in found]
            missing = [p for p in parameters.values() if p.get("required")]
            problems += [
                f"{place} parameter {parameter['name']} is missing"
                for parameter in missing
                if parameter["name"] not in given
            ]
        return problems + self._body_problems(operation, described, request.body)

    def _body_problems(self, operation: Operation, described: Any, body: Any) -> list[str]:
        wanted = described.get("requestBody")
        if body is None:
            return ["a body is required"] if wanted and wanted.get("required") else []
        if wanted is None:
            return [] if body == {} else ["GitHub's description has no body here"]
        if isinstance(body, list) and operation in LISTS:
            body = {LISTS[operation]: body}
        schema = wanted["content"]["application/json"]["schema"]
        judge = self._judge(operation, "body", "", schema)
        return [f"request body {problem}" for problem in judge.problems(body)]

    def answer_problems(self, operation: Operation, status: int, body: Any) -> list[str]:
        """List what is wrong with an answer; ``body`` is None where it is empty."""
        described = self._document["operations"][" ".join(operation)]["responses"]
        answer = described.get(str(status))
        if answer is None:
            if status < 400:
                return [f"status {status} is not in GitHub's description"]
            answer = {"content": {"application/json": {"schema": _ERROR}}}
        if "content" not in answer:
            return [] if body is None else [f"an answer {status} has no body"]
        schema = answer["content"].get("application/json", {}).get("schema", {})
        if body is None:
            return [f"an answer {status} has a body"]
        judge = self._judge(operation, "answer", str(status), schema)
        # Errors say more than the description of each operation lists, such as their own status.
        found = judge.problems(body, open_ended=status >= 400)
        return [f"answer {problem}" for problem in found]

    def _judge(self, operation: Operation, place: str, name: str, schema: Schema) -> Judge:
        key = (*operation, place, name)
        judge = self._judges.get(key)
        if judge is None:
            judge = Judge(inline(schema, self._document, self._known))
            self._judges[key] = judge
        return judge


_ERROR: Schema = {"$ref": "#/components/schemas/basic-error"}


def _typed(text: str, schema: Schema) -> Any:
    """Read a parameter as its type; text that is not of the type stays text, and fails."""
    kind = schema.get("type")
    if kind == "integer" and text.lstrip("-").isdigit():
        return int(text)
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    return text


@functools.lru_cache(maxsize=2)
def _reduced(operations: frozenset[Operation]) -> Any:
    folder = install.ensure()
    basis = f"{install.version()} {sorted(operations)} {DEVIATIONS} {ITEMS}"
    file = install.FOLDER / f"rest-{hashlib.sha256(basis.encode()).hexdigest()[:16]}.json"
    if file.exists():
        return json.loads(file.read_text())
    source = json.loads((folder / "openapi" / "generated" / "api.github.com.json").read_text())
    document = _reduce(source, operations)
    part = file.with_suffix(".part")
    part.write_text(json.dumps(document))
    part.replace(file)
    return document


def _reduce(source: Any, operations: frozenset[Operation]) -> Any:
    kept: dict[str, Any] = {"operations": {}, "components": {}}
    for method, path in sorted(operations):
        described = source["paths"][path][method.lower()]
        if (method, path) in ITEMS:
            content = described["responses"]["200"]["content"]["application/json"]
            content["schema"]["items"] = {"$ref": f"#/components/schemas/{ITEMS[method, path]}"}
        kept["operations"][f"{method} {path}"] = {
            "parameters": [_resolved(p, source) for p in described.get("parameters", [])],
            "responses": {
                status: _trimmed(_resolved(answer, source))
                for status, answer in described["responses"].items()
            },
            **({"requestBody": body} if (body := described.get("requestBody")) else {}),
        }
    waiting = [kept["operations"], _ERROR]
    while waiting:
        for pointer in _pointers(waiting.pop()):
            _, kind, name = pointer.removeprefix("#/").split("/", 2)
            section = kept["components"].setdefault(kind, {})
            if name not in section:
                section[name] = _trimmed(source["components"][kind][name])
                waiting.append(section[name])
    for schema, path in DEVIATIONS:
        if schema in kept["components"].get("schemas", {}):
            _allow_null(kept["components"]["schemas"][schema], path)
    return kept


def _allow_null(schema: Any, path: str) -> None:
    names = path.split("/")
    for name in names[:-1]:
        schema = schema["items"] if name == "items" else schema["properties"][name]
    last = schema["properties"][names[-1]]
    schema["properties"][names[-1]] = {"anyOf": [{"type": "null"}, last]}


def _resolved(node: Any, source: Any) -> Any:
    if "$ref" not in node:
        return node
    target = source
    for part in node["$ref"].removeprefix("#/").split("/"):
        target = target[part]
    return target


def _trimmed(node: Any) -> Any:
    if isinstance(node, list):
        return [_trimmed(part) for part in node]
    if isinstance(node, dict):
        return {
            name: {key: _trimmed(below) for key, below in part.items()}
            if name == "properties"
            else _trimmed(part)
            for name, part in node.items()
            if name not in ("examples", "headers") and not name.startswith("x-")
        }
    return node


def _pointers(node: Any) -> list[str]:
    if isinstance(node, list):
        return [pointer for part in node for pointer in _pointers(part)]
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [pointer for part in node.values() for pointer in _pointers(part)]
    return []
