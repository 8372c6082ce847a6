"""What a server tells those who watch it: metrics, traces, log lines."""

import gzip
import http.server
import io
import json
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

from bot import logs, traces
from bot.forge.client import GitHub
from bot.forge.error import ForgeError
from bot.forge.pace import Pace
from bot.jobs import Job, job
from bot.metrics import Arrivals, Counters, Depth, Metrics
from bot.patience import Patience
from bot.pull import PullRef
from bot.rates import MOST_INSTALLATIONS
from bot.wake import WakePull
from tests.github.fixtures import World, github, world

__all__ = ["github", "world"]

JOB = Job("id-1", "id-1", WakePull(PullRef(7, "octo", "hello", 5)))


def samples(metrics: Counters) -> dict[str, float]:
    """Return every sample by its name and labels, as Prometheus reads it."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for one in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(one.labels.items()))
            found[f"{one.name}{{{labels}}}"] = one.value
    return found


# Metrics.


def test_an_event_nobody_asked_for_makes_no_label_of_its_own() -> None:
    metrics = Arrivals(Depth)
    for number in range(1000):
        metrics.delivery(f"event_{number}", "ignored")
    metrics.delivery("pull_request", "accepted")
    metrics.delivery("", "refused")
    events = {name for name in samples(metrics) if name.startswith("sockgate_deliveries_total")}
    assert events == {
        "sockgate_deliveries_total{event=other,outcome=ignored}",
        "sockgate_deliveries_total{event=pull_request,outcome=accepted}",
        "sockgate_deliveries_total{event=,outcome=refused}",
    }
    assert metrics.value("sockgate_deliveries_total", event="other", outcome="ignored") == 1000


def rate(left: int, resource: str = "core", reset: float = 3600) -> dict[str, str]:
    named = {"remaining": left, "limit": 5000, "reset": round(time.time() + reset)}
    headers = {f"x-ratelimit-{name}": str(value) for name, value in named.items()}
    return headers | {"x-ratelimit-resource": resource}


def test_what_is_left_of_the_limits_is_shown_for_the_scarcest() -> None:
    metrics = Metrics()
    for installation in range(1, MOST_INSTALLATIONS + 50):
        metrics.rate(installation, rate(installation))
    metrics.rate(1, rate(7, "graphql"))
    metrics.rate(2, rate(0, "graphql", -1))  # over by now
    metrics.rate(3, {"x-ratelimit-remaining": "none"})
    metrics.rate(4, rate(9, "whatever"))
    found = {name: value for name, value in samples(metrics).items() if "remaining" in name}
    assert len(found) == MOST_INSTALLATIONS
    name = "sockgate_rate_limit_remaining{installation=%s,resource=%s}"
    assert found[name % (1, "core")] == 1
    assert found[name % (1, "graphql")] == 7
    assert found[name % (4, "other")] == 9
    assert name % (2, "graphql") not in found
    assert name % (MOST_INSTALLATIONS + 49, "core") not in found


def test_the_limits_are_read_from_answers_and_from_refusals(world: World) -> None:
    metrics = Metrics()
    forge = GitHub(
        world.app.id,
        world.app.private_key,
        world.github.url,
        pace=Pace(0, 0, 0),
        count=metrics.github,
        rate=metrics.rate,
    )
    world.github.limits.requests = 3
    client = forge.client(world.installation.id)
    client.get("/repos/acme/shop")
    name = f"sockgate_rate_limit_remaining{{installation={world.installation.id},resource=core}}"
    assert samples(metrics)[name] == 2
    for _ in range(2):
        client.get("/repos/acme/shop")
    with pytest.raises(ForgeError, match="rate limit"):
        client.get("/repos/acme/shop")
    found = samples(metrics)
    assert found[name] == 0
    assert found["sockgate_github_requests_total{kind=rest,outcome=ok}"] == 3
    assert found["sockgate_github_requests_total{kind=rest,outcome=rate limit}"] == 1
    assert found["sockgate_github_requests_total{kind=app,outcome=ok}"] == 1
    assert found["sockgate_github_request_seconds_count{kind=rest}"] == 4


def test_a_database_that_is_away_takes_only_its_own_figures_along() -> None:
    up = [True]

    def depth() -> Depth:
        if not up[0]:
            raise ConnectionError
        return Depth(waiting=3, oldest=2.5)

    metrics = Arrivals(depth)
    found = samples(metrics)
    assert found["sockgate_queue_jobs{state=waiting}"] == 3
    assert found["sockgate_queue_oldest_seconds{}"] == 2.5
    assert found["sockgate_database_up{}"] == 1
    up[0] = False
    found = samples(metrics)
    assert found["sockgate_database_up{}"] == 0
    assert "sockgate_queue_oldest_seconds{}" not in found
    assert "sockgate_worker_up{}" in found


def test_patience_hands_on_answers_errors_and_a_time_out() -> None:
    assert Patience(lambda: 5, 1)() == 5
    with pytest.raises(ZeroDivisionError):
        Patience(lambda: 1 // 0, 1)()
    hold = threading.Event()
    slow = Patience(hold.wait, 0.05)
    with pytest.raises(TimeoutError):
        slow()
    hold.set()


# Traces.


class Collector:
    """Takes spans over OTLP/HTTP on loopback."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        self.raw = b""
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                outer.raw += body
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    for scope in resource.scope_spans:
                        outer.spans += scope.spans
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Stay quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def named(self, name: str) -> Any:
        [one] = [span for span in self.spans if span.name == name]
        return one

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
    yield made
    traces.stop(5)
    made.close()


def about(span: Any) -> dict[str, Any]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_span_goes_on_in_the_job_and_below_it(collector: Collector, world: World) -> None:
    assert traces.start({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url})
    token = "ghs_" + "a" * 36
    with traces.span("delivery", JOB.names()):
        sent = json.dumps(Job(JOB.root, JOB.delivery, JOB.target, trace=traces.here()).document())
    taken = job(json.loads(sent))
    forge = GitHub(world.app.id, world.app.private_key, world.github.url, pace=Pace(0, 0, 0))

    def done_badly() -> None:
        traces.tell({"head": "f" * 40})
        client = forge.client(world.installation.id)
        client.get("/repos/acme/shop/pulls", {"head": f"acme:{token}"})
        raise ForgeError(f"no answer to {token}", retry=True)

    with pytest.raises(ForgeError), traces.span("job", taken.names(), taken.trace):
        done_badly()
    traces.stop(5)
    delivery, done = collector.named("delivery"), collector.named("job")
    assert done.parent_span_id == delivery.span_id
    assert len({one.trace_id for one in collector.spans}) == 1
    assert about(done) == {
        "sockgate.delivery": "id-1",
        "sockgate.repository": "octo/hello",
        "sockgate.pull": 5,
        "sockgate.head": "f" * 40,
    }
    assert done.status.message == "ForgeError"
    request = collector.named("github rest")
    assert request.parent_span_id == done.span_id
    assert about(request) == {"http.request.method": "GET", "url.path": "/repos/acme/shop/pulls"}
    assert collector.named("github app").parent_span_id == done.span_id
    for secret in (token, "access_token", world.app.private_key, "Bearer"):
        assert secret.encode() not in collector.raw


def test_where_nobody_wants_traces_nothing_is_imported() -> None:
    code = (
        "import sys; from bot import server, traces\n"
        "off = {'OTEL_EXPORTER_OTLP_ENDPOINT': 'x', 'OTEL_SDK_DISABLED': 'true'}\n"
        "assert not traces.start({}) and not traces.start(off)\n"
        "with traces.span('x', {}): assert traces.here() == ''; traces.tell({})\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_job_of_before_there_were_traces_is_read() -> None:
    assert job(JOB.document()) == JOB
    assert "trace" not in JOB.document()


def test_nobody_who_takes_traces_delays_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    assert traces.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    with traces.span("delivery", {}):
        pass
    began = time.monotonic()
    traces.stop(0.5)
    assert time.monotonic() - began < 2


# Log lines.


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = (root.handlers, root.level, dbos.handlers, dbos.propagate)
    stream = io.StringIO()
    logs.configure("info", ["the webhook's secret"], stream)
    yield stream
    root.handlers, root.level, dbos.handlers, dbos.propagate = before
    structlog.reset_defaults()


SECRETS = [
    "ghs_" + "a" * 36,
    "ghp_" + "b" * 36,
    "github_pat_" + "c" * 40,
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NTYifQ.c2lnbmF0dXJl",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
    "the webhook's secret",
]


def fail(secret: str) -> None:
    """Fail as libraries do, with everything in the text and in a value."""
    where = f"https://me:pass-word@github.com/x with Authorization: Bearer {secret}"
    raise RuntimeError(f"{secret} was not taken", {"token": secret}) from OSError(where)


@pytest.mark.parametrize("secret", SECRETS)
def test_an_exception_carries_no_secret_whoever_logs_it(lines: io.StringIO, secret: str) -> None:
    try:
        fail(secret)
    except RuntimeError:
        structlog.stdlib.get_logger("sockgate.test").exception("it failed", headers=[secret])
        logging.getLogger("urllib3.pool").exception("it failed: %s", secret)
        logging.getLogger("dbos").exception("it failed: %s", {"key": secret})
    said = lines.getvalue()
    assert [json.loads(line)["level"] for line in said.splitlines()] == ["error"] * 3
    for part in (secret, secret[8:20], "MIIEow", "IBAAKC", "pass-word"):
        assert part not in said, said
    assert "RuntimeError" in said
