"""Jenkins Configuration as Code: the agents that a cloud starts.

Source: the documentation of the Configuration as Code plugin; the Docker plugin's
`dockerTemplateBase` (`mounts`, `volumesString`, `environmentsString`) and the Kubernetes plugin's
pod templates (`hostPathVolume`).

    jenkins:
      clouds:
        - docker:
            templates:
              - dockerTemplateBase:
                  image: agent
                  mounts: ["type=bind,source=/var/run/docker.sock,destination=/run/docker.sock"]
"""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import image_of, name_of, volume_grants, yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.patterns import pattern
from bot.detect.positioned import Node
from bot.detect.source import Source

_JENKINS = Keyed(r"^[ \t]*jenkins[ \t]*:", "jenkins")
_AGENT = pattern(r"\bdockerTemplateBase\b|\bhostPathVolume\b")
_VOLUMES = ("mounts", "mountsString", "volumes", "volumesString")


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml")):
        return False
    return bool(_JENKINS.search(text) and _AGENT.search(text))


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    yield from yaml_grants(path, source, _document)


def _document(places: Places, document: Node) -> Iterator[Grant]:
    for node in document.maps():
        base = node.get("dockerTemplateBase")
        if base is not None and base.kind == "map":
            yield from _docker(places, node, base)
        elif node.get("containers") is not None or node.get("volumes") is not None:
            yield from _pod(places, node)


def _docker(places: Places, template: Node, base: Node) -> Iterator[Grant]:
    name = name_of(template, "name", "labelString") or name_of(base, "name")
    who = Subject(f"agent {name}".strip(), image_of(base.get("image")), node=base)
    for key in _VOLUMES:
        yield from volume_grants(places, who, base.get(key))


def _pod(places: Places, template: Node) -> Iterator[Grant]:
    """Yield what a pod template of the Kubernetes plugin mounts of its node."""
    who = Subject(f"pod template {name_of(template, 'name', 'label')}".strip(), node=template)
    volumes = template.get("volumes")
    for item in volumes.members() if volumes is not None else ():
        volume = item.get("hostPathVolume")
        path = volume.get("hostPath") if volume is not None else None
        target = sockets.host_path(path.text) if path is not None else None
        if path is not None and target is not None:
            yield places.mounted(who, target, places.here(path))


FORMAT = Format("jenkins_casc", _matches, _grants, endings=(".yaml", ".yml"))
