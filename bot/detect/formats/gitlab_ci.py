"""GitLab CI configurations.

Source: GitLab documentation, "CI/CD YAML syntax reference". A job has no volumes of its own: it
reaches a daemon by DOCKER_HOST or by what its scripts run.

    build:
      variables: {DOCKER_HOST: "tcp://docker:2375"}
      script: docker build .
"""

import re
from collections.abc import Iterator

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_SCRIPT = Keyed(r"^[ \t]+(?:before_|after_)?script:", "script", "before_script", "after_script")
_MARK = pattern(
    r"^(?:stages|default|workflow|include|variables):|^[ \t]+(?:stage|extends|rules|only|except"
    r"|tags|services|artifacts|needs|image|variables):|!reference",
    re.MULTILINE,
)
_PARTS = pattern(
    r"^(?:variables|include|default|workflow|\.[\w-]+):(?:\s|\Z)"
    r"|^[ \t]+(?:extends|stage|trigger|variables):",
    re.MULTILINE,
)
_OTHERS = pattern(
    r"^(?:apiVersion|kind|jobs|steps|pipelines|pipeline|pool|trigger|\w*task|version|language"
    r"|definitions|phases|blocks|on|matrix|os|dist|resources|parameters|extends|schedules|pr):(?:\s|\Z)"
    r"|^[ \t]*- (?:stage|task|job|deployment):",
    re.MULTILINE,
)
_INCLUDE = pattern(r"^include:|^[ \t]+include:", re.MULTILINE)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path).lower()
    if not name.endswith((".yml", ".yaml")):
        return False
    if name.removeprefix(".").startswith("gitlab-ci") or name.endswith(
        ("gitlab-ci.yml", "gitlab-ci.yaml")
    ):
        return True
    if "gitlab" in path.lower():
        like = _SCRIPT.search(text) or _PARTS.search(text)
    else:
        like = _SCRIPT.search(text) and _MARK.search(text)
    return bool(like) and not _OTHERS.search(text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.gitlab.config import Config  # noqa: PLC0415 - start-up
    from bot.detect.gitlab.jobs import Pipeline  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    text = Text(content)
    places = Places(path, text)
    tree = read_yaml(text)
    config = Config(places, source)
    config.load(tree)
    yield from told(path, tree, Pipeline(places, config).grants())


def _references(path: str, text: str) -> Iterator[str]:
    from bot.detect.gitlab.config import local_includes  # noqa: PLC0415 - start-up

    del path
    if not _INCLUDE.search(text):
        return
    for document in read_yaml(Text(text)).documents:
        for holder in (document, *(job.get("trigger") for _, job in document.entries().values())):
            include = holder.get("include") if holder is not None else None
            if include is not None:
                yield from (name for name, _ in local_includes(include))


FORMAT = Format("gitlab_ci", _matches, _grants, _references, endings=(".yaml", ".yml"))
