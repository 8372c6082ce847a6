"""JSON schemas as GitHub publishes them, made strict, and compiled once each."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError, best_match

Schema: TypeAlias = dict[str, Any]
_FORMATS = FormatChecker(formats=("date-time", "uri", "email", "ipv4"))
_COMBINE = ("allOf", "anyOf", "oneOf")


def inline(schema: Any, root: Mapping[str, Any], known: dict[str, Schema] | None = None) -> Any:
    """Replace each ``$ref`` by what it points to; the same target becomes the same object.

    OpenAPI 3.0's ``nullable`` becomes JSON Schema's "or null" on the way.
    """
    known = {} if known is None else known
    if isinstance(schema, list):
        return [inline(part, root, known) for part in schema]
    if not isinstance(schema, dict):
        return schema
    pointer = schema.get("$ref")
    if isinstance(pointer, str):
        if pointer not in known:
            target: Any = root
            for part in pointer.removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            known[pointer] = {}  # in place before it is filled: schemas refer to themselves
            known[pointer].update(inline(target, root, known))
        return known[pointer]
    out = {
        name: {key: inline(below, root, known) for key, below in part.items()}
        if name == "properties"
        else inline(part, root, known)
        for name, part in schema.items()
        if name != "example"
    }
    return _or_null(out) if out.pop("nullable", False) else out


def _or_null(schema: Schema) -> Schema:
    if "type" in schema and not any(word in schema for word in _COMBINE):
        kind = schema["type"]
        schema["type"] = [*(kind if isinstance(kind, list) else [kind]), "null"]
        if "enum" in schema and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return schema
    return {"anyOf": [{"type": "null"}, schema]}


class Judge:
    """One compiled schema; ``problems`` says what is wrong with a document, if anything."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._validator = Draft7Validator(schema, format_checker=_FORMATS)

    def problems(self, document: Any, *, open_ended: bool = False) -> list[str]:
        """List what breaks the schema; also names it does not know, unless ``open_ended``."""
        error = best_match(self._validator.iter_errors(document))
        if error is not None:
            return [_where(error)]
        return [] if open_ended else list(unknown(document, [self._schema]))


def _where(error: ValidationError) -> str:
    path = "/".join(str(part) for part in error.absolute_path) or "the document"
    return f"{path}: {error.message if len(error.message) < 400 else '… ' + error.message[-300:]}"


def unknown(document: Any, schemas: list[Schema], path: str = "") -> Iterator[str]:
    """Find properties that no schema for this place names, where the names are closed."""
    flat = [part for schema in schemas for part in _parts(schema)]
    if isinstance(document, list):
        items = [part["items"] for part in flat if isinstance(part.get("items"), dict)]
        for number, item in enumerate(document if items else ()):
            yield from unknown(item, items, f"{path}/{number}")
    if not isinstance(document, dict):
        return
    named = [part for part in flat if "properties" in part]
    free = any(
        part.get("additionalProperties") not in (None, False)
        or ("object" in _types(part) and "properties" not in part)
        or "patternProperties" in part
        for part in flat
    )
    for name, value in document.items():
        below = [part["properties"][name] for part in named if name in part["properties"]]
        if below:
            yield from unknown(value, below, f"{path}/{name}")
        elif named and not free:
            yield f"{path}/{name}: GitHub's description has no such property"


def _types(schema: Schema) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def _parts(schema: Schema) -> Iterator[Schema]:
    yield schema
    for word in _COMBINE:
        for part in schema.get(word, ()):
            yield from _parts(part)
