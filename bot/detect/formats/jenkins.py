"""Jenkins pipelines: Jenkinsfile, *.jenkinsfile, and Groovy files of shared libraries.

Declarative and scripted (Jenkins' "Pipeline Syntax"):

    pipeline {
      agent { docker { image 'maven'; args '-v /var/run/docker.sock:/var/run/docker.sock' } }
      stages { stage('Build') { steps { sh 'docker build .' } } }
    }
"""

import re
from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.lines import Text, decode
from bot.detect.patterns import pattern
from bot.detect.source import Source

_NAME = pattern(r"jenkinsfile|\.jenkins\Z", re.IGNORECASE)
_OTHER_KIND = pattern(r"\.(?:ya?ml|json|md|txt|sh|py|xml|adoc|rst|html?)\Z", re.IGNORECASE)
_MATTERS = pattern(r"docker|podman|containerd|hostPath|nerdctl", re.IGNORECASE)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _NAME.search(name):
        return not _OTHER_KIND.search(name)
    return name.lower().endswith((".groovy", ".gvy")) and bool(_MATTERS.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.groovy.pipeline import Pipeline  # noqa: PLC0415 - start-up

    data = source.read(path)
    content = decode(data) if data is not None else None
    if content is None:
        return
    pipeline = Pipeline(path, Text(content))
    yield from pipeline.grants()
    mention = sockets.mentions(content[pipeline.read_to :])
    if mention is not None:
        line = pipeline.values.line(content.index(mention, pipeline.read_to))
        reason = f"The file says too much to be read to its end, and it mentions {mention} there."
        yield Unknown(path, line, reason, mention)


FORMAT = Format("jenkins", _matches, _grants)
