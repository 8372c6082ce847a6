"""What a server counts, for Prometheus: each of its processes in a registry of its own.

No label takes its values from outside: events are those of a closed list.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bot import __version__
from bot.patience import Patience
from bot.rates import Rates

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Those that the App asks for, and those that every App gets (GitHub Docs, "Webhook events").
EVENTS = frozenset(
    {
        "check_run",
        "check_suite",
        "github_app_authorization",
        "installation",
        "installation_repositories",
        "installation_target",
        "issue_comment",
        "label",
        "merge_group",
        "ping",
        "pull_request",
        "push",
    }
)
OTHER = "other"  # event
_DEPTH_SECONDS = 4.0  # Prometheus waits ten
_EVALUATION = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_ACKNOWLEDGEMENT = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_REQUEST = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


@dataclass(frozen=True, slots=True)
class Depth:
    """How full the queue is, job by state, and the age of the oldest waiting job in seconds."""

    waiting: int = 0
    postponed: int = 0
    running: int = 0
    dead: int = 0
    oldest: float = 0.0


class Counters:
    """What one process counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def value(self, name: str, **labels: str) -> int:
        """Return what one counter has come to."""
        return int(self.registry.get_sample_value(name, labels) or 0)

    def text(self) -> bytes:
        """Write everything in the text form that Prometheus reads."""
        return generate_latest(self.registry)

    def _counter(self, name: str, what: str, *labels: str) -> Counter:
        return Counter(f"sockgate_{name}", what, labels, registry=self.registry)

    def _histogram(
        self, name: str, what: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"sockgate_{name}", what, labels, registry=self.registry, buckets=buckets)


class Arrivals(Counters):
    """What the process counts that takes deliveries in: those, and how full the queue is."""

    def __init__(self, depth: Callable[[], Depth]) -> None:
        super().__init__()
        self._deliveries = self._counter(
            "deliveries", "Webhook deliveries by event and what became of them", "event", "outcome"
        )
        # There from the start: "none came" can be told from "nobody counted".
        self._deliveries.labels("pull_request", "accepted")
        self._acknowledgement = self._histogram(
            "acknowledgement_seconds",
            "From the head of a webhook request to its answer",
            _ACKNOWLEDGEMENT,
        )
        self.registry.register(_QueueCollector(depth))
        self._worker = Gauge(
            "sockgate_worker_up",
            "Whether the process that does the jobs answers",
            registry=self.registry,
        )
        Gauge(
            "sockgate_build_info",
            "Which version runs",
            ["version", "python"],
            registry=self.registry,
        ).labels(__version__, platform.python_version()).set(1)

    def delivery(self, event: str, outcome: str) -> None:
        """Count a webhook request: `event` is empty where it was refused unread."""
        known = event if event in EVENTS or not event else OTHER
        self._deliveries.labels(known, outcome).inc()

    def acknowledgement(self, seconds: float) -> None:
        """Note how long a webhook request took until it was answered."""
        self._acknowledgement.observe(seconds)

    def worker(self, *, is_up: bool) -> None:
        """Note whether the process that does the jobs answers."""
        self._worker.set(is_up)


class Metrics(Counters):
    """What the process counts that does the jobs."""

    def __init__(self) -> None:
        super().__init__()
        self._evaluations = self._counter(
            "evaluations", "Evaluations of pull requests by outcome", "outcome"
        )
        self._seconds = self._histogram(
            "evaluation_seconds", "How long an evaluation took", _EVALUATION
        )
        self._requests = self._counter(
            "github_requests", "Requests to GitHub by kind and outcome", "kind", "outcome"
        )
        self._request_seconds = self._histogram(
            "github_request_seconds",
            "How long GitHub took for a request",
            _REQUEST,
            "kind",
        )
        self._dead = self._counter("dead_letters", "Jobs given up")
        self._redelivered = self._counter(
            "redelivered", "Missed deliveries that GitHub was asked for again"
        )
        self._swept = self._counter("swept", "Pull requests found without our check")
        self._rates = Rates()
        self.registry.register(self._rates)

    def evaluation(self, outcome: str, seconds: float) -> None:
        """Count one evaluation and how long it took."""
        self._evaluations.labels(outcome).inc()
        self._seconds.observe(seconds)

    def evaluated(self) -> int:
        """Return how many evaluations came to their end."""
        return self.value("sockgate_evaluations_total", outcome="done")

    def github(self, kind: str, outcome: str, seconds: float) -> None:
        """Count a request to GitHub: `rest`, `graphql` or `app`, and `ok` or the kind of failure.

        A failure's kind is the first words of a ForgeError's reason.
        """
        self._requests.labels(kind, outcome).inc()
        self._request_seconds.labels(kind).observe(seconds)

    def rate(self, installation: int, headers: Mapping[str, str]) -> None:
        """Note what the headers of an answer, in lower case, say of an installation's limit."""
        self._rates.note(installation, headers)

    def dead_letter(self) -> None:
        """Count a job that was given up."""
        self._dead.inc()

    def redelivered(self, number: int) -> None:
        """Count deliveries that were missed and are asked for again."""
        self._redelivered.inc(number)

    def swept(self, number: int) -> None:
        """Count pull requests that had no check of ours."""
        self._swept.inc(number)


class _QueueCollector(Collector):
    def __init__(self, depth: Callable[[], Depth]) -> None:
        self._depth = Patience(depth, _DEPTH_SECONDS)

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sockgate_database_up", "Whether the database answers")
        try:
            depth = self._depth()
        except Exception:  # noqa: BLE001 - whatever keeps it away, the other figures are shown
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
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
