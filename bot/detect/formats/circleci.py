"""CircleCI configurations, versions 2 and 1.

Source: CircleCI documentation, "Configuration reference" and "Reusable config reference". There
are no bind mounts: a job reaches a daemon by DOCKER_HOST or by what its steps run.

    jobs:
      build:
        steps:
          - run: docker run -v /var/run/docker.sock:/var/run/docker.sock tool
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed, keys
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_PATH = pattern(r"(?:^|/)\.circleci/|(?:^|/)circle(?:ci)?[\w.-]*\.ya?ml\Z", re.IGNORECASE)
_VERSION = Keyed(r"^version: *[\"']?2(?:\.\d)?[\"']?[^\S\n]*$", "version")
_TOP = frozenset({"jobs", "commands", "orbs", "executors"})
_PARTS = pattern(r"^(?:jobs|commands|orbs|executors):", re.MULTILINE)
_COMMANDS = Keyed(r"^commands:", "commands")
_INSIDE = pattern(r"^[ \t]+steps:", re.MULTILINE)
_RUN = pattern(r"^[ \t]+- run:", re.MULTILINE)
_STEPS = pattern(r"^[ \t]+- (?:run|checkout|setup_remote_docker)\b", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml")):
        return False
    if _PATH.search(path):
        return True
    if _TOP.isdisjoint(keys(text)):
        return False
    version, commands = _VERSION.search(text), _COMMANDS.search(text)
    if version is None and commands is None:
        return False
    if not _STEPS.search(text):
        return False
    if version is not None and _PARTS.search(text, version.end()):
        return True
    after = commands.end() if commands is not None else len(text)
    return bool(_INSIDE.search(text, after) and _RUN.search(text, after))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.circleci.config import Reader  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    tree = read_yaml(text)
    readers = (Reader(Places(path, text), document) for document in tree.documents)
    yield from told(path, tree, (grant for reader in readers for grant in reader.grants()))


FORMAT = Format("circleci", _matches, _grants, endings=(".yaml", ".yml"))
