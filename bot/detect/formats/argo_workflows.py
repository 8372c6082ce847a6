"""Argo Workflows: Workflow, WorkflowTemplate, ClusterWorkflowTemplate, CronWorkflow.

Source: Argo Workflows' documentation, "Fields"; "Sidecars". A template's container mounts volumes
of the template or of the workflow; a sidecar may mirror them.

    apiVersion: argoproj.io/v1alpha1
    kind: Workflow
    spec:
      volumes: [{name: sock, hostPath: {path: /var/run/docker.sock}}]
      templates:
        - name: a
          container: {image: b, volumeMounts: [{name: sock, mountPath: /var/run/docker.sock}]}
"""

import re
from collections.abc import Iterator

from bot.detect.ci.steps import yaml_grants
from bot.detect.format import Format, plain_name
from bot.detect.grant import Grant, Unknown
from bot.detect.kube.template import is_template
from bot.detect.patterns import pattern
from bot.detect.source import Source

_LIKE = pattern(
    r"^[ \t{-]*[\"']?kind[\"']?[ \t]*:[ \t]*[\"']?"
    r"(?:Workflow|WorkflowTemplate|ClusterWorkflowTemplate|CronWorkflow)\b",
    re.MULTILINE,
)


def _matches(path: str, text: str) -> bool:
    if not plain_name(path).lower().endswith((".yml", ".yaml", ".json")):
        return False
    if "argoproj.io/" not in text or not _LIKE.search(text):
        return False
    return not is_template(path, text)


def _grants(path: str, source: Source) -> Iterator[Grant | Unknown]:
    from bot.detect.pods.argo import workflow_grants  # noqa: PLC0415 - start-up

    yield from yaml_grants(path, source, workflow_grants)


FORMAT = Format("argo_workflows", _matches, _grants, endings=(".json", ".yaml", ".yml"))
