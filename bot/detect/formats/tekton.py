"""Tekton: tasks, pipelines and their runs, `apiVersion: tekton.dev/…`.

Source: Tekton's documentation, "Tasks", "Pipelines", "StepActions", "Pod templates". A step mounts
a volume of its task; what the task's template for steps mounts, every step has.

    apiVersion: tekton.dev/v1
    kind: Task
    spec:
      steps: [{name: a, image: b, volumeMounts: [{name: sock, mountPath: /run/docker.sock}]}]
      volumes: [{name: sock, hostPath: {path: /var/run/docker.sock}}]
"""

from collections.abc import Iterator

from bot.detect.ci.steps import yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.keys import Keyed
from bot.detect.kube.template import is_template
from bot.detect.source import Source

_VERSION = Keyed(r"^[ \t{-]*[\"']?apiVersion[\"']?[ \t]*:[ \t]*[\"']?tekton\.dev/", "apiVersion")


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml", ".json")):
        return False
    return bool(_VERSION.search(text)) and not is_template(path, text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.pods.tekton import task_grants  # noqa: PLC0415 - start-up

    yield from yaml_grants(path, source, task_grants)


FORMAT = Format("tekton", _matches, _grants, endings=(".json", ".yaml", ".yml"))
