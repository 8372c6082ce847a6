"""GitHub Actions workflows and actions, also as Gitea and Forgejo run them.

Source: GitHub documentation, "Workflow syntax for GitHub Actions" and "Metadata syntax".

    jobs:
      test:
        container:
          image: alpine
          volumes: [/var/run/docker.sock:/var/run/docker.sock]
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_FOLDER = pattern(r"(?:^|/)\.(?:github|gitea|forgejo)/(?:workflows|actions)/")
_WORKFLOW = Keyed(r"^jobs:[ \t]*(?:#.*)?\r?$", "jobs")
_RUNS_ON = pattern(r"^[ \t]+(?:runs-on|uses):", re.MULTILINE)
_TRIGGER = pattern(r"^(?:on|\"on\"|'on'):", re.MULTILINE)
_ACTION = Keyed(r"^runs:[ \t]*(?:[#{].*)?\r?$", "runs")
_USES = pattern(r"^[ \t-]*uses:[ \t]*[\"']?(?P<name>\./[^\s\"'#]*)", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if not name.lower().endswith((".yml", ".yaml")):
        return False
    if name.lower() in {"action.yml", "action.yaml"}:
        return bool(_ACTION.search(text))
    if _FOLDER.search(path):
        return True
    return bool(_WORKFLOW.search(text) and _TRIGGER.search(text) and _RUNS_ON.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.github.workflow import Reader  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    tree = read_yaml(text)
    grants = (Reader(Places(path, text), source).grants(one) for one in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


def _references(path: str, text: str) -> Iterator[str]:
    from bot.detect.github.workflow import called_files  # noqa: PLC0415 - start-up

    del path
    for match in _USES.finditer(text):
        yield from called_files(match["name"])


FORMAT = Format("github_actions", _matches, _grants, _references, endings=(".yaml", ".yml"))
