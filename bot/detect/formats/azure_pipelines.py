"""Azure Pipelines and their templates.

Source: Azure Pipelines YAML schema reference.

    resources:
      containers:
        - container: builder
          image: alpine
          mapDockerSocket: true
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

_PATH = pattern(r"(?:^|/)[\w.-]*azure-?pipelines?[\w.-]*\.ya?ml\Z", re.IGNORECASE)
_SURE = pattern(
    r"^[ \t]*(?:- )?(?:mapDockerSocket|vmImage):|^[ \t]*- task: *[\w.-]+@\d", re.MULTILINE
)
_STEP = pattern(
    r"^[ \t]*- (?:script|bash|pwsh|powershell|task|template|checkout|job|stage|deployment):",
    re.MULTILINE,
)
_TOP = Keyed(
    r"^(?:steps|jobs|stages|parameters|pool|resources|extends|variables|trigger|pr):",
    "steps", "jobs", "stages", "parameters", "pool", "resources", "extends", "variables",
    "trigger", "pr",
)  # fmt: skip
_OTHERS = Keyed(
    r"^(?:on|apiVersion|pipelines|version|kind|hosts|- hosts):",
    "on", "apiVersion", "pipelines", "version", "kind", "hosts",
)  # fmt: skip
_OTHER_NAMES = pattern(r"(?:^|/)\.?(?:travis|appveyor|gitlab-ci|drone|cirrus|circle)[^/]*\Z")
_TEMPLATE = pattern(r"^[ \t-]*template:[ \t]*[\"']?(?P<name>[^\s\"'#]+)", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml")):
        return False
    if "azure" in path.casefold() and _PATH.search(path):
        return True
    if not _TOP.search(text) or _OTHERS.search(text) or _OTHER_NAMES.search(path):
        return False
    return bool(_SURE.search(text) or _STEP.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.azure.pipeline import Reader  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    tree = read_yaml(text)
    grants = (Reader(Places(path, text), source).grants(one) for one in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


def _references(path: str, text: str) -> Iterator[str]:
    from bot.detect.azure.pipeline import template_files  # noqa: PLC0415 - start-up

    for match in _TEMPLATE.finditer(text):
        yield from template_files(match["name"], path)


FORMAT = Format("azure_pipelines", _matches, _grants, _references, endings=(".yaml", ".yml"))
