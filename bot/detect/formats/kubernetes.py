"""Kubernetes objects: manifests of any kind, lists, patches of kustomize, clusters of kind and k3d.

Files are known by `apiVersion` and `kind`, or by being a patch: YAML, JSON, and templates whose
name does not say of what (`pod.j2`). Source: Kubernetes API reference; kustomize, "patches";
`podman kube play`; kind, "Extra Mounts"; k3d, configuration file. Pods are read in
`bot/detect/pods/`, whatever custom resource embeds them.

    kind: Pod
    spec:
      containers: [{name: a, image: b, volumeMounts: [{name: sock, mountPath: /run/docker.sock}]}]
      volumes: [{name: sock, hostPath: {path: /var/run/docker.sock}}]
"""

import re
from collections.abc import Iterator
from itertools import chain

from bot.detect.ci.places import Places
from bot.detect.engine import told
from bot.detect.format import Format, nameless, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.kube.template import is_template
from bot.detect.lines import Text, decode
from bot.detect.outline import read_outline
from bot.detect.patterns import pattern
from bot.detect.positioned import Tree
from bot.detect.source import Source
from bot.detect.yaml_tree import read_yaml

_NAME = pattern(r"\.(?:ya?ml|json|kube)\Z", re.IGNORECASE)
_KIND = Keyed(r"^[ \t-]*[\"']?kind[\"']?[ \t]*:", "kind")
_VERSION = Keyed(r"^[ \t{-]*[\"']?apiVersion[\"']?[ \t]*:", "apiVersion")
# A pod in a file of another tool: its volumes and their mounts.
_HOST_PATH = pattern(r"\bhostPath[\"']?[ \t]*:")
_MOUNTED = pattern(r"\b(?:volumeMounts|mountPath|containerPath)[\"']?[ \t]*:")
_ELSEWHERE = pattern(r"(?:^|/)(?:[^/]*values[^/]*|Chart)\.ya?ml\Z|(?:^|/)values/")
_OTHERS = pattern(r"containerDefinitions|\"container\"\s*:\s*\{")  # ECS, Marathon
# helm-unittest: what templates come to. A file that has an object of its own is none.
_TESTS = Keyed(r"^tests[ \t]*:[ \t]*(?:#.*)?$", "tests")
_ASSERTS = Keyed(r"^[ \t]+asserts[ \t]*:", "asserts")
_OBJECT = Keyed(r"^[\"'{]*apiVersion[\"']?[ \t]*:", "apiVersion")
_PATCH = pattern(r"\bop[\"']?[ \t]*:")
_POD = pattern(r"\bvolumeMounts\b|\bhostPath\b")
_KUSTOMIZE = pattern(r"kustomization\.ya?ml\Z|kustomization\Z", re.IGNORECASE)
_TEMPLATE = pattern(r"\{\{|\{%")
# A file without any of these hands over nothing, so it need not be parsed.
_TELLING = pattern(
    r"hostPath|\blocal\b|docker|podman|containerd|crio|nerdctl|buildkit|balena|\.sock|_HOST|:2375"
    r"|ENDPOINT|pipe[\\/]",
    re.IGNORECASE,
)


def _matches(path: str, text: str) -> bool:
    name = plain_name(path)
    if _KUSTOMIZE.match(name):
        return True
    if not (_NAME.search(name) or (nameless(path) and _OBJECT.search(text))):
        return False
    if is_template(path, text) or _unit_test(text):
        return False
    if _VERSION.search(text) and _KIND.search(text):
        return True
    if "hostPath" not in text and "volumeMounts" not in text:
        return False
    if _HOST_PATH.search(text) and _MOUNTED.search(text):
        return not _ELSEWHERE.search(path) and not _OTHERS.search(text)
    return bool(_PATCH.search(text) and _POD.search(text))


def _unit_test(text: str) -> bool:
    found = _ASSERTS.search(text) and _TESTS.search(text)
    return bool(found) and _OBJECT.search(text) is None


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.kube.objects import object_grants  # noqa: PLC0415 - start-up

    content = decode(source.read(path) or b"")
    if content is None or not _TELLING.search(content):
        return
    text = Text(content)
    # What a template engine fills in may be YAML by chance, with another meaning.
    tree = Tree(read_outline(text), text) if _TEMPLATE.search(content) else read_yaml(text)
    places = Places(path, text)
    grants = (object_grants(places, document) for document in tree.documents)
    yield from told(path, tree, chain.from_iterable(grants))


FORMAT = Format("kubernetes", _matches, _grants)
