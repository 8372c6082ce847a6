"""Google Cloud Build: cloudbuild*.yaml, cloudbuild*.json.

Source: Google's "Build configuration file schema" and "Substituting variable values". A step's
volumes are shared folders with no path of the host; what counts are commands.

    steps:
      - name: gcr.io/cloud-builders/docker
        args: [run, -v, "/var/run/docker.sock:/var/run/docker.sock", tool]
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Environment, Places, Subject, address_grants, tells
from bot.detect.ci.steps import (
    argv_grants,
    environment,
    image_of,
    name_of,
    script_grants,
    yaml_grants,
)
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.shell import Value
from bot.detect.source import Source

_NAME = pattern(r"cloud-?_?build", re.IGNORECASE)
_LIKE = pattern(r"gcr\.io/cloud-builders/|^[\"' {]*steps[\"']?:", re.MULTILINE)

_SUBSTITUTION = pattern(r"(?<!\$)\$(?:\{(?P<braced>_[A-Z0-9_]+)\}|(?P<bare>_[A-Z0-9_]+))")


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    if not name.endswith((".yml", ".yaml", ".json")) or "compose" in name:
        return False
    if _NAME.search(path):
        return bool(_LIKE.search(text))
    return "gcr.io/cloud-builders/" in text and "steps" in text


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    given = environment(places, document.get("substitutions"))
    general = environment(places, document.get("options", "env"))
    yield from address_grants(places, Subject("all steps"), general, general)
    steps = document.get("steps")
    for number, step in enumerate(steps.members() if steps is not None else (), 1):
        if step.kind == "map":
            label = name_of(step, "id") or str(number)
            yield from _step(places, step, given | general, f"step {label}")


def _step(places: Places, step: Node, general: Environment, name: str) -> Iterator[Grant]:
    image = image_of(step.get("name"))
    digest = step.digest(frozenset({"id", "waitFor"}))
    subject = Subject(name, image, digest, (step.line, step.last_line))
    own = environment(places, step.get("env"))
    env = general | own
    yield from address_grants(places, subject, own, env)
    yield from script_grants(places, subject, (step.get("script"),), env)
    entrypoint, args = step.get("entrypoint"), step.get("args")
    command = entrypoint if entrypoint is not None else _command_of(image)
    words: list[Node | Value | str] = [command] if command else []
    if args is not None:
        words += [_substituted(places, word, general) for word in args.listed()]
    yield from argv_grants(places, subject, words, env, escaped=True)


def _substituted(places: Places, word: Node, given: Environment) -> Node | Value:
    """Return a word with its substitutions: a Value where they name something that is known."""
    if "\n" in word.text or not _SUBSTITUTION.search(word.text):
        return word
    number = places.here(word)
    parts: list[str] = []
    at = 0
    for match in _SUBSTITUTION.finditer(word.text):
        known = given.get(match["braced"] or match["bare"])
        if known is not None:
            parts += (word.text[at : match.start()], known.text)
            at = match.end()
            if tells(known.text):
                number = places.behind(number, known.line)
    return Value("".join(parts) + word.text[at:], number)


def _command_of(image: str | None) -> str:
    """Return the command that an image runs its arguments with, "" where they are the command."""
    last = (image or "").rsplit("/", 1)[-1]
    if last in {"docker", "podman", "nerdctl", "docker-compose", "gcloud", "kubectl"}:
        return last
    return ""


FORMAT = Format("cloud_build", _matches, _grants, endings=(".json", ".yaml", ".yml"))
