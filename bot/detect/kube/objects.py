"""One Kubernetes object, patch or list of them -> what it hands over."""

from collections.abc import Iterator

from bot.detect import sockets
from bot.detect.ci.places import Places, Subject
from bot.detect.ci.steps import volume_grants
from bot.detect.grant import Grant, How, Severity
from bot.detect.kube.patch import is_patch, patch_grants
from bot.detect.kube.values import value_grants
from bot.detect.patterns import pattern
from bot.detect.pods import Containers, Resolve, block, owner_of, pod_grants, written
from bot.detect.pods.values import text_of
from bot.detect.positioned import Node
from bot.detect.sockets import Target

# Read by formats of their own.
_PIPELINES = pattern(r"tekton\.dev/")
_WORKFLOWS = frozenset({"Workflow", "WorkflowTemplate", "ClusterWorkflowTemplate", "CronWorkflow"})
# Objects that describe others, or only say what is allowed.
_DESCRIPTIONS = frozenset(
    {"CustomResourceDefinition", "PodSecurityPolicy", "SecurityContextConstraints"}
)
_SCRIPT = pattern(r"\.(?:sh|bash)\Z|\A(?:[\w.-]*entrypoint|[\w.-]*script|run|start|setup)\Z")
_SHEBANG = pattern(r"#!.*\b(?:ba|da|a|z|k)?sh\b")
_CHART_VALUES = (
    ("spec", "values"),
    ("spec", "valuesContent"),
    ("spec", "source", "helm", "values"),
    ("spec", "source", "helm", "valuesObject"),
)

_KUSTOMIZED = (
    "resources", "bases", "components", "patches", "patchesJson6902", "patchesStrategicMerge",
)  # fmt: skip


def object_grants(
    places: Places, document: Node, resolve: Resolve = written, *, partial: bool = False
) -> Iterator[Grant]:
    """Yield what one document hands over.

    `resolve` gives the values of scalars; `partial` says that a template engine adds to it.
    """
    if is_patch(document):
        yield from patch_grants(places, document, "patch")
        return
    kind = text_of(document.get("kind"))
    # `objects` are those of an OpenShift template.
    listed = document.get("objects" if kind == "Template" else "items")
    listed = document if document.kind == "list" else listed
    several = document.kind == "list" or kind == "Template" or kind.endswith("List")
    if several and listed is not None and listed.kind == "list":
        for item in listed.members():
            if item.kind == "map":
                yield from _object(places, item, resolve, partial=partial)
    elif document.kind == "map":
        yield from _object(places, document, resolve, partial=partial)


def _object(places: Places, document: Node, resolve: Resolve, *, partial: bool) -> Iterator[Grant]:
    kind, version = text_of(document.get("kind")), text_of(document.get("apiVersion"))
    if kind in _DESCRIPTIONS or _PIPELINES.match(version):
        return
    if kind in _WORKFLOWS and version.startswith("argoproj.io/"):
        return
    owner = owner_of(document)
    if kind == "PersistentVolume":
        yield from _persistent(places, owner, document, resolve)
        return
    if kind in {"ConfigMap", "Secret"}:
        yield from _data(places, owner, document)
        return
    if kind in {"Kustomization", "Component"} or (not kind and _is_kustomization(document)):
        yield from _kustomization(places, document)
        return
    # What is no object of the API is a fragment of another tool's: Prow's, Jenkins' configuration.
    partial = partial or not kind
    yield from pod_grants(places, owner, document, resolve, partial=partial)
    yield from _host_mounts(places, owner, document, resolve)
    yield from _chart_values(places, owner, document)


def _chart_values(places: Places, owner: str, document: Node) -> Iterator[Grant]:
    """Yield what the values of a chart hand over that an object installs.

    Sources: Flux HelmRelease; Argo CD Application, "Helm"; k3s HelmChart.
    """
    for chain in _CHART_VALUES:
        values = document.get(*chain)
        if values is not None:
            yield from _values(places, owner, values)
    sources = document.get("spec", "sources")
    for source in sources.listed() if sources is not None else ():
        for key in ("values", "valuesObject"):
            values = source.get("helm", key)
            if values is not None:
                yield from _values(places, owner, values)


def _values(places: Places, owner: str, values: Node) -> Iterator[Grant]:
    for inner in (values,) if values.kind == "map" else block(values):
        yield from value_grants(places, inner, owner)


def _persistent(places: Places, owner: str, document: Node, resolve: Resolve) -> Iterator[Grant]:
    """Yield what a volume of the host's own files hands to whoever claims it."""
    spec = document.get("spec")
    volume = spec if spec is not None and spec.get("hostPath") is not None else None
    path = spec.get("local", "path") if spec is not None and volume is None else None
    subject = Subject(owner, None, document.digest(frozenset({"metadata"})), _extent(document))
    if volume is not None:
        yield from Containers(places, resolve).volume(subject, volume)
    elif path is not None and path.kind == "scalar":
        target = sockets.host_path(resolve(path).text)
        if target is not None:
            yield places.mounted(subject, target, places.here(path))


def _data(places: Places, owner: str, document: Node) -> Iterator[Grant]:
    """Yield what scripts and manifests reach that an object keeps as text for others."""
    for key in ("data", "stringData"):
        data = document.get(key)
        for name, (_, value) in data.entries().items() if data is not None else ():
            if value.style != "|":
                continue
            subject = Subject(f"{owner}, {name}", extent=_extent(value))
            if _SHEBANG.match(value.text) or _SCRIPT.search(name):
                yield from Containers(places).script(subject, value, {})
            elif "hostPath" in value.text and "volumeMounts" in value.text:
                for inner in block(value):
                    yield from object_grants(places, inner)


def _is_kustomization(document: Node) -> bool:
    """Tell whether a document without a kind is what kustomize takes for a Kustomization."""
    return any(document.value(key) is not None for key in _KUSTOMIZED)


def _kustomization(places: Places, document: Node) -> Iterator[Grant]:
    """Yield what the patches do that a kustomization holds as text.

    Source: kustomize reference: patches, patchesJson6902, patchesStrategicMerge.
    """
    for key in ("patches", "patchesJson6902", "patchesStrategicMerge"):
        listed = document.get(key)
        for item in listed.listed() if listed is not None else ():
            patch = item.get("patch") if item.kind == "map" else item
            if patch is None or patch.kind != "scalar":
                continue
            kind, name = text_of(item.get("target", "kind")), text_of(item.get("target", "name"))
            subject = f"patch of {kind} {name}".strip() if kind or name else "patch"
            for inner in block(patch):
                if is_patch(inner):
                    yield from patch_grants(places, inner, subject)
                else:
                    yield from object_grants(places, inner)


def _host_mounts(places: Places, owner: str, document: Node, resolve: Resolve) -> Iterator[Grant]:
    """Yield the mounts of nodes that are containers themselves, and of single components.

    kind: `extraMounts: [{hostPath, containerPath}]`; kubeadm: `extraVolumes: [{name, hostPath,
    mountPath}]`; k3d: `volumes: [{volume: "source:target"}]`; Jenkins: `hostPathVolume: {hostPath,
    mountPath}`.
    """
    subject = Subject(owner or "mount", None, "", _extent(document))
    for below in document.maps():
        switch = below.value("exposeDockerSocket")  # OpenShift's custom build strategy
        if switch is not None and switch.true:
            switched = Target("docker", How.SWITCH, Severity.CRITICAL)
            yield places.mounted(subject, switched, places.here(switch))
        source = below.value("hostPath")
        at = below.value("containerPath") or below.value("mountPath")
        if source is not None and source.kind == "scalar" and at is not None:
            target = sockets.mount(resolve(source).text, resolve(at).text)
            if target is not None:
                yield places.mounted(subject, target, places.here(source))
        volume = below.value("volume")
        if volume is not None and volume.kind == "scalar" and ":" in volume.text:
            yield from volume_grants(places, subject, volume)


def _extent(node: Node) -> tuple[int, int]:
    return node.line, node.last_line
