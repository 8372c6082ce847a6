"""What a server counts, for Prometheus, in a registry of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the queue is, job by state, and the age of the oldest waiting job in seconds."""

    waiting: int = 0
    postponed: int = 0
    running: int = 0
    dead: int = 0
    oldest: float = 0.0


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "sockgate_deliveries",
            "Webhook deliveries by event and what became of them",
            ["event", "outcome"],
            registry=self.registry,
        )
        self._evaluations = Counter(
            "sockgate_evaluations",
            "Evaluations of pull requests by outcome",
            ["outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "sockgate_evaluation_seconds",
            "How long an evaluation took",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._requests = Counter(
            "sockgate_github_requests",
            "Requests to GitHub by kind and outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self._dead = Counter(
            "sockgate_dead_letters",
            "Jobs given up",
            registry=self.registry,
        )

    def delivery(self, event: str, outcome: str) -> None:
        """Count a webhook request: `event` is empty where it was refused unread."""
        self._deliveries.labels(event, outcome).inc()

    def evaluation(self, outcome: str, seconds: float) -> None:
        """Count one evaluation and how long it took."""
        self._evaluations.labels(outcome).inc()
        self._seconds.observe(seconds)

    def github(self, kind: str, outcome: str) -> None:
        """Count a request to GitHub, for example `get` and `200`, or `graphql` and `timeout`."""
        self._requests.labels(kind, outcome).inc()

    def dead_letter(self) -> None:
        """Count a job that was given up."""
        self._dead.inc()

    def watch(self, depth: Callable[[], Depth]) -> None:
        """Ask this at every scrape how full the queue is."""
        self.registry.register(_QueueCollector(depth))

    def value(self, name: str, **labels: str) -> int:
        """Return what one counter has come to."""
        return int(self.registry.get_sample_value(name, labels) or 0)

    def text(self) -> bytes:
        """Write everything in the text form that Prometheus reads."""
        return generate_latest(self.registry)


class _QueueCollector(Collector):
    def __init__(self, depth: Callable[[], Depth]) -> None:
        self._depth = depth

    def collect(self) -> Iterator[Metric]:
        depth = self._depth()
        jobs = GaugeMetricFamily("sockgate_queue_jobs", "Jobs by state", labels=["state"])
        for state in ("waiting", "postponed", "running", "dead"):
            jobs.add_metric([state], getattr(depth, state))
        yield jobs
        yield GaugeMetricFamily(
            "sockgate_queue_oldest_seconds", "Age of the oldest waiting job", value=depth.oldest
        )

    def describe(self) -> Iterator[Metric]:
        """Name nothing beforehand, so that registering asks no database."""
        return iter(())
