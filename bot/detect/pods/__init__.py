"""PURE: pod specs, wherever they stand -> which container gets which daemon.

The one reader of pods for every format that holds some: manifests, custom resources, Helm
templates, pipelines whose steps are containers of a pod, pods written inside a string.

`pod_grants(places, owner, node)` reads every container at or below a node. Formats that name their
containers otherwise call `Containers.grants` for each of them.
"""

from bot.detect.pods.container import Containers
from bot.detect.pods.embedded import block, embedded
from bot.detect.pods.spec import owner_of, pod_grants, scope
from bot.detect.pods.values import Given, Resolve, written

__all__ = [
    "Containers",
    "Given",
    "Resolve",
    "block",
    "embedded",
    "owner_of",
    "pod_grants",
    "scope",
    "written",
]
