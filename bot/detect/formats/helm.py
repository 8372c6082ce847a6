"""Helm charts, without rendering: templates and values.

Files: everything in `templates/` that a template engine fills in, `values*.yaml`. Source: Helm
documentation, "Chart Template Guide". A template's own text decides; what it looks up in
values.yaml and in named templates is followed. See `bot/detect/kube/`.

    volumes:
      - name: sock
        hostPath: {path: {{ .Values.socket | default "/var/run/docker.sock" }}}
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain

from bot.detect import sockets
from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.kube.template import is_template
from bot.detect.lines import Text, decode
from bot.detect.outline import read_outline
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_VALUES = pattern(r"(?:^|.*[._-])values(?:[._-][^/]*)?\.ya?ml\Z", re.IGNORECASE)
_VALUES_FOLDER = pattern(r"(?:^|/)(?:helm[-_])?values/(?:.*/)?[^/]+\.ya?ml\Z", re.IGNORECASE)
_OBJECT = pattern(r"^apiVersion[ \t]*:", re.MULTILINE)
_TELLING = pattern(
    r"hostPath|docker|podman|containerd|crio|nerdctl|buildkit|balena|\.sock|_HOST|:2375|ENDPOINT"
    r"|pipe[\\/]",
    re.IGNORECASE,
)
_HOST_PATH = pattern(r"^[^\S\n]*(?:-\s+)?(?:path|hostPath)\s*:", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    if is_template(path, text):
        return not path.endswith((".txt", ".md"))
    if "values" not in path.casefold():
        return False
    name = plain_name(path)
    if not _VALUES.match(name) and not _VALUES_FOLDER.search(path):
        return False
    return not _OBJECT.search(text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    if is_template(path, content):
        yield from _template(path, content, source)
    else:
        yield from _values(path, content)


def _values(path: str, content: str) -> Iterator[Grant | Unknown]:
    from bot.detect.kube.values import value_grants  # noqa: PLC0415 - start-up

    text = Text(content)
    tree = read_yaml(text)
    places = Places(path, text)
    grants = (value_grants(places, document) for document in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


def _template(path: str, content: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.kube.actions import actions, without_structure  # noqa: PLC0415 - start-up
    from bot.detect.kube.chart import Chart  # noqa: PLC0415 - start-up
    from bot.detect.kube.objects import object_grants  # noqa: PLC0415 - start-up
    from bot.detect.pods import pod_grants  # noqa: PLC0415 - start-up

    text, chart = Text(content), Chart(path, content, source)
    places = Places(path, text)
    names = [
        (text.line_of(action.start), action.defines)
        for action in actions(content)
        if action.defines
    ]
    found: list[Grant] = []
    plain = Text(without_structure(content))
    for document in read_outline(plain):
        owner = _name(names, document)
        if document.kind == "map" and document.get("kind") is not None:
            grants = object_grants(places, document, chart.resolve, partial=True)
        else:
            grants = pod_grants(places, owner, document, chart.resolve, partial=True)
        found.extend(grants)
    yield from found
    for match in _HOST_PATH.finditer(plain.content):
        number = text.line_of(match.end())
        mention = sockets.mentions(text.line(number))
        if mention and number not in chart.resolved:
            reason = f"The template mentions {mention} in a way that rendering it would tell."
            yield Unknown(path, number, reason, mention)
            return


def _name(names: list[tuple[int, str]], document: Node) -> str:
    """Return the named template that a part of the file belongs to: the last one before it."""
    at = bisect_right(names, document.line, key=lambda one: one[0])
    return f"template {names[at - 1][1]}" if at else "template"


def _references(path: str, _text: str) -> Iterable[str]:
    from bot.detect.kube.chart import beside, root_of  # noqa: PLC0415 - start-up

    root = root_of(path)
    if root is None:
        return ()
    return (beside(root, "values.yaml"), beside(root, "templates/_helpers.tpl"))


FORMAT = Format("helm", _matches, _grants, _references)
