"""What is left of GitHub's rate limit for each installation, for Prometheus.

Installations are as many as the App has; the ones with the least left are shown.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MOST_INSTALLATIONS = 100  # shown
_REMEMBERED = 10_000  # installations
_OTHER = "other"  # resource


@dataclass(frozen=True, slots=True)
class _Rate:
    left: float
    limit: float
    reset: float  # seconds since 1970

    @property
    def share(self) -> float:
        return self.left / self.limit if self.limit else 0.0


class Rates(Collector):
    """What is left of each installation's hour, until that hour is over."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], _Rate] = {}
        self._lock = Lock()

    def note(self, installation: int, headers: Mapping[str, str]) -> None:
        """Note what the headers of an answer, in lower case, say."""
        left, limit, reset = (
            headers.get(f"x-ratelimit-{name}", "") for name in ("remaining", "limit", "reset")
        )
        if not (left.isdigit() and limit.isdigit() and reset.isdigit()):
            return
        kind = headers.get("x-ratelimit-resource", "")
        kind = kind if kind in {"core", "graphql"} else _OTHER
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._forget_the_past()
            if len(self._known) < _REMEMBERED or (installation, kind) in self._known:
                self._known[installation, kind] = _Rate(float(left), float(limit), float(reset))

    def collect(self) -> Iterator[Metric]:
        """Yield the scarcest."""
        labels = ["installation", "resource"]
        left = GaugeMetricFamily(
            "sockgate_rate_limit_remaining", "Requests or points left in the hour", labels=labels
        )
        limit = GaugeMetricFamily(
            "sockgate_rate_limit", "Requests or points an hour", labels=labels
        )
        with self._lock:
            self._forget_the_past()
            scarcest = sorted(self._known.items(), key=lambda item: item[1].share)
        for (installation, kind), rate in scarcest[:MOST_INSTALLATIONS]:
            left.add_metric([str(installation), kind], rate.left)
            limit.add_metric([str(installation), kind], rate.limit)
        yield left
        yield limit

    def describe(self) -> Iterator[Metric]:
        """Name them, so that no other metric takes their names."""
        yield GaugeMetricFamily("sockgate_rate_limit_remaining", "")
        yield GaugeMetricFamily("sockgate_rate_limit", "")

    def _forget_the_past(self) -> None:
        now = time.time()
        self._known = {key: rate for key, rate in self._known.items() if rate.reset > now}
