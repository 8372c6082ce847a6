"""The server over real HTTP on loopback, in this process and as a process of its own."""

import base64
import hashlib
import hmac
import http.client
import io
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bot import logs, server, wake
from bot.database import Database
from bot.intake import Intake
from bot.metrics import Arrivals, Metrics
from bot.patience import Patience
from bot.pull import PullRef
from bot.queue import Queue
from bot.web import Site
from bot.web_process import READY_SECONDS
from bot.work import Outcome, Work
from tests.here import Here
from tests.ports import free_port
from tests.postgres import PostgresServer, postgres, postgres_server
from tests.proxy import Proxy
from tests.test_hostile import NAMES
from tests.test_queue import until

__all__ = ["postgres", "postgres_server"]

SECRET = "the webhook's secret"
HEAD = "f" * 40
PAYLOAD = {
    "action": "opened",
    "installation": {"id": 7},
    "repository": {"full_name": "octo/hello"},
    "pull_request": {"number": 5, "head": {"sha": HEAD, "repo": None}},
}
BODY = json.dumps(PAYLOAD).encode()


def sign(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def headers(body: bytes, delivery: str = "id-1", **changed: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": sign(body),
        **{name.replace("_", "-"): value for name, value in changed.items()},
    }


class Client:
    """One request at a time to a port on loopback."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def deliver(self, body: bytes = BODY, delivery: str = "id-1", **changed: str) -> int:
        return self.ask("POST", "/webhook", body, headers(body, delivery, **changed))[0]

    def page(self, path: str) -> tuple[int, str]:
        status, _, body = self.ask("GET", path)
        return status, body.decode()


def until_answers(port: int) -> None:
    for _ in range(600):
        try:
            if Client(port).page("/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise AssertionError("the server did not get ready")


class Served:
    """A server in this process, with evaluations that are noted and nothing else."""

    def __init__(self, folder: Path) -> None:
        self.evaluated: list[PullRef] = []
        self.database = Database(f"sqlite:///{folder}/jobs.sqlite")
        self.metrics = Metrics()
        self.queue = Queue(
            self.database, Work(self.evaluate, lambda _: ()), self.metrics, poll=0.02
        )
        self.queue.start()
        self.intake = Intake(self.database)
        self.intake.start()
        self.arrivals = Arrivals(self.intake.depth)
        worker = Here(self.queue, self.metrics)
        self.site = Site(self.intake, self.arrivals, (SECRET,), lambda: "sockgate[bot]", worker)
        self.client = Client(free_port())
        config = uvicorn.Config(
            self.site.app(), port=self.client.port, lifespan="off", log_config=None
        )
        self.web = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.web.run)
        self.thread.start()
        until_answers(self.client.port)

    def evaluate(self, pull: PullRef) -> Outcome:
        self.evaluated.append(pull)
        return Outcome.DONE

    def stop(self) -> None:
        self.web.should_exit = True
        self.thread.join()
        self.intake.stop(2)
        self.queue.stop(2)
        self.database.close()

    def count(self, event: str, outcome: str) -> float:
        labels = {"event": event, "outcome": outcome}
        name = "sockgate_deliveries_total"
        return self.arrivals.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def unlogged_after() -> Iterator[None]:
    """Leave logging as it was."""
    root, dbos = logging.getLogger(), logging.getLogger("dbos")
    before = (root.handlers, root.level, dbos.handlers, dbos.propagate)
    yield
    root.handlers, root.level, dbos.handlers, dbos.propagate = before
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # As in earnest: an exception is a line, not a page in colours that takes seconds to draw.
    with unlogged_after():
        logs.configure("info", [SECRET], io.StringIO())
        made = Served(tmp_path_factory.mktemp("served"))
        yield made
        made.stop()


@pytest.fixture
def client(served: Served) -> Client:
    return served.client


def test_a_signed_delivery_is_stored_answered_and_evaluated(served: Served) -> None:
    body = json.dumps(PAYLOAD | {"pull_request": {"number": 77}}).encode()
    status, _, answer = served.client.ask("POST", "/webhook", body, headers(body, "first"))
    assert status == 202
    assert json.loads(answer) == {"delivery": "first", "status": "accepted"}
    for _ in range(500):
        if PullRef(7, "octo", "hello", 77) in served.evaluated:
            break
        time.sleep(0.01)
    else:
        pytest.fail("it was not evaluated")
    _, _, answer = served.client.ask("POST", "/webhook", body, headers(body, "first"))
    assert json.loads(answer) == {"delivery": "first", "status": "known"}
    assert served.count("pull_request", "accepted") >= 1
    assert served.count("pull_request", "known") >= 1


def test_who_is_not_github_is_refused(served: Served, client: Client) -> None:
    before = served.count("", "refused")
    assert client.deliver(X_Hub_Signature_256="sha256=" + "0" * 64) == 401
    assert client.deliver(b"{", X_Hub_Signature_256=sign(b"{")) == 400
    assert client.deliver(b"[]", X_Hub_Signature_256=sign(b"[]")) == 400
    assert client.deliver(Content_Type="application/x-www-form-urlencoded") == 415
    assert client.deliver(X_GitHub_Delivery="") == 400
    assert served.count("", "refused") == before + 5


def test_a_refusal_says_why(client: Client) -> None:
    status, _, body = client.ask("POST", "/webhook", BODY, {"Content-Type": "application/json"})
    assert status == 401
    assert "X-Hub-Signature-256" in json.loads(body)["error"]


def test_what_asks_for_nothing_is_ignored_with_its_reason(client: Client) -> None:
    given = headers(BODY, X_GitHub_Event="star")
    status, answer, body = client.ask("POST", "/webhook", BODY, given)
    assert (status, body) == (204, b"")
    assert answer["X-Sockgate-Ignored"]


def test_our_own_doing_is_ignored(client: Client) -> None:
    body = json.dumps(PAYLOAD | {"sender": {"login": "sockgate[bot]"}}).encode()
    assert client.deliver(body) == 204


def test_a_body_said_to_be_too_large_is_not_even_read(client: Client) -> None:
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as link:
        link.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: 26214401\r\n\r\n"
        )
        answer = http.client.HTTPResponse(link)
        answer.begin()
        assert answer.status == 413


def test_a_body_that_turns_out_too_large_is_cut_off(client: Client) -> None:
    sent = 0
    chunk = b"100000\r\n" + b" " * 0x100000 + b"\r\n"
    with socket.create_connection(("127.0.0.1", client.port), timeout=10) as link:
        link.sendall(
            b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        try:
            for _ in range(100):
                link.sendall(chunk)
                sent += 1
        except OSError:
            pass  # the server stopped reading
        assert sent < 60
    assert client.page("/healthz")[0] == 200


def test_a_body_of_just_under_25_megabytes_is_read(client: Client) -> None:
    body = BODY[:-1] + b', "pad": "' + b" " * (wake.MAX_BODY - len(BODY) - 12) + b'"}'
    assert len(body) <= wake.MAX_BODY
    assert client.deliver(body, "large") == 202


def test_the_webhook_takes_nothing_but_post(client: Client) -> None:
    assert client.page("/webhook")[0] == 405
    assert client.page("/")[0] == 404


def test_health_and_readiness(served: Served, client: Client) -> None:
    assert client.page("/healthz") == (200, '{"status":"alive"}')
    assert client.page("/readyz") == (200, '{"status":"ready"}')
    served.site.stopping = True
    try:
        status, body = client.page("/readyz")
        assert (status, json.loads(body)["why"]) == (503, "shutting down")
        assert client.page("/healthz")[0] == 200
    finally:
        served.site.stopping = False


def test_a_queue_that_stopped_is_not_ready(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.site, "_works", lambda: False)
    assert "queue" in client.page("/readyz")[1]

    def gone() -> bool:
        raise TimeoutError

    monkeypatch.setattr(served.site, "_works", gone)
    status, body = client.page("/readyz")
    assert status == 503
    assert "does the jobs does not answer" in body

    def away() -> bool:
        raise ConnectionError

    monkeypatch.setattr(served.site, "_stores", Patience(away, 1))
    status, body = client.page("/readyz")
    assert status == 503
    assert "database" in body


def test_a_database_that_hangs_is_said_in_time_and_asked_once(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    answers = threading.Event()

    def hangs() -> bool:
        asked.append(1)
        answers.wait(300)
        return True

    monkeypatch.setattr(served.site, "_stores", Patience(hangs, 0.2))
    assert [client.page("/readyz")[0] for _ in range(5)] == [503] * 5  # while it hangs
    assert len(asked) == 1
    answers.set()
    until(lambda: client.page("/readyz")[0] == 200)


def test_what_cannot_be_stored_is_answered_503(
    served: Served, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.intake, "_open", False)
    assert client.deliver(delivery="unlucky") == 503
    assert served.count("pull_request", "failed") == 1


def test_metrics_are_what_prometheus_reads(client: Client) -> None:
    client.deliver()
    status, headers, body = client.ask("GET", "/metrics")
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = body.decode()
    assert 'sockgate_deliveries_total{event="pull_request",outcome="' in text
    assert 'sockgate_queue_jobs{state="waiting"}' in text
    assert "sockgate_queue_oldest_seconds" in text
    assert "sockgate_evaluation_seconds_bucket" in text
    assert "sockgate_dead_letters_total" in text


def test_answers_carry_security_headers(client: Client) -> None:
    for path in ("/healthz", "/nowhere"):
        given = client.ask("GET", path)[1]
        assert given["X-Content-Type-Options"] == "nosniff"
        assert given["Content-Security-Policy"].startswith("default-src 'none'")
        assert given["Cache-Control"] == "no-store"
        assert given["Server"] is None or "uvicorn" in given["Server"]


def test_a_hundred_at_once_are_answered_quickly(client: Client) -> None:
    seconds: list[float] = []

    def one(number: int) -> None:
        began = time.monotonic()
        assert client.deliver(delivery=f"burst-{number}") == 202
        seconds.append(time.monotonic() - began)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(100)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seconds) == 100
    assert max(seconds) < 10  # what GitHub waits


# The settings, and the process as a whole.

KEY = (
    rsa.generate_private_key(65537, 2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


def test_wrong_settings_are_sentences_and_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert server.main({"PORT": "x"}) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 4
    assert all(line.startswith("sockgate: ") for line in said)


@pytest.mark.usefixtures("unlogged")
def test_a_port_in_use_is_a_sentence_and_exit_code_2(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"APP_ID": "1", "PRIVATE_KEY": KEY, "WEBHOOK_SECRET": "x"}
    assert server.main(environment | {"PORT": str(client.port)}) == 2
    said = capsys.readouterr().err.splitlines()[-1]  # after what the other server logs meanwhile
    assert said.startswith("sockgate: Cannot listen on 127.0.0.1, port")


PROCESS = """
import os, sys, time
from pathlib import Path
from functools import partial
from bot import backend, server, settings, web_process, worker_process
from bot.forge.error import ForgeError
from bot.queue import Queue
from bot.work import Outcome, Work

web_process.READY_SECONDS = float(os.environ["READY"])
worker_process.Queue = partial(Queue, lands=1.0)

def evaluate(pull):
    Path(os.environ["DATA_DIR"], f"began-{pull.number}").touch()
    time.sleep(float(os.environ["EVALUATION"]))
    Path(os.environ["DATA_DIR"], f"done-{pull.number}").touch()
    return Outcome.DONE

def login():
    if os.environ["LOGIN"] == "refused":
        raise ForgeError("credentials: not accepted", retry=True)
    return os.environ["LOGIN"]

def connect(given, metrics, memory):
    return backend.Backend(Work(evaluate, lambda target: ()), login)

found = settings.read(os.environ)
sys.exit(server.run(found, connect))
"""


class Process:
    """`server.run` in a process of its own, with evaluations of a given length."""

    def __init__(
        self,
        folder: Path,
        evaluation: float,
        *,
        login: str = "sockgate[bot]",
        database: str = "",
        ready: float = READY_SECONDS,
    ) -> None:
        self.client = Client(free_port())
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROCESS],
            env=os.environ
            | {
                "APP_ID": "1",
                "PRIVATE_KEY": base64.b64encode(KEY.encode()).decode(),
                "WEBHOOK_SECRET": SECRET,
                "PORT": str(self.client.port),
                "DATA_DIR": str(folder),
                "DATABASE_URL": database,
                "EVALUATION": str(evaluation),
                "LOGIN": login,
                "READY": str(ready),
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        until_answers(self.client.port)

    def end(self, sign: signal.Signals) -> tuple[int, float, list[dict[str, object]]]:
        began = time.monotonic()
        self.process.send_signal(sign)
        _, said = self.process.communicate(timeout=30)
        lines = [json.loads(line) for line in said.splitlines()]
        return self.process.returncode, time.monotonic() - began, lines


def test_a_stop_finishes_what_runs_and_says_so_first(tmp_path: Path) -> None:
    process = Process(tmp_path, evaluation=1, ready=20)
    assert process.client.deliver() == 202
    until((tmp_path / "began-5").exists)
    process.process.send_signal(signal.SIGTERM)
    until(lambda: process.client.page("/readyz")[0] == 503)
    code, seconds, lines = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 10
    assert (tmp_path / "done-5").exists()
    assert lines[-1]["event"] == "stopped"
    delivery, job = (
        next(line for line in lines if line["event"] == what) for what in ("delivery", "job")
    )
    names = ("delivery", "repository", "pull", "head", "outcome")
    assert [delivery[name] for name in names] == ["id-1", "octo/hello", 5, HEAD, "accepted"]
    # The job's is what the evaluation reads, and here nothing does.
    assert [job[name] for name in names] == ["id-1", "octo/hello", 5, None, "done"]
    assert SECRET not in json.dumps(lines)


def test_what_cannot_be_finished_in_time_is_done_after_the_next_start(tmp_path: Path) -> None:
    process = Process(tmp_path, evaluation=60)
    assert process.client.deliver() == 202
    until((tmp_path / "began-5").exists)
    code, seconds, lines = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 10
    assert lines[-1]["event"] == "stopped with jobs unfinished"
    after = Process(tmp_path, evaluation=0)
    until((tmp_path / "done-5").exists)
    assert after.end(signal.SIGINT)[0] == 0


def test_a_database_that_hangs_holds_up_no_stop(
    tmp_path: Path, postgres: str, postgres_server: PostgresServer
) -> None:
    proxy = Proxy(postgres_server.port)
    way_round = postgres_server.url(str(sa.make_url(postgres).database), proxy.port)
    process = Process(tmp_path, evaluation=2, database=way_round)
    assert process.client.deliver() == 202
    until((tmp_path / "began-5").exists)
    proxy.hang()
    code, seconds, _ = process.end(signal.SIGTERM)
    proxy.close()
    assert code == 0
    assert seconds < 12  # 9.5 s, and what a busy machine adds


def test_a_key_that_github_does_not_know_is_a_log_line_and_the_server_stays(
    tmp_path: Path,
) -> None:
    process = Process(tmp_path, evaluation=0, login="refused")
    code, _, lines = process.end(signal.SIGINT)
    assert code == 0
    (said,) = [line for line in lines if line["level"] == "error"]
    assert said["reason"] == "credentials: not accepted"
    assert "exception" not in said


# Logs.


@pytest.fixture
def unlogged() -> Iterator[None]:
    with unlogged_after():
        yield


def logged(level: str = "info", **values: object) -> list[dict[str, object]]:
    stream = io.StringIO()
    logs.configure(level, [SECRET], stream)
    structlog.stdlib.get_logger("sockgate.test").info("event", **values)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_line_stays_one_line_whatever_it_is_about(name: str) -> None:
    stream = io.StringIO()
    logs.configure("info", [], stream)
    structlog.stdlib.get_logger("sockgate.test").info(name, path=name)
    [line] = stream.getvalue().splitlines()
    assert json.loads(line)["path"] == name
    assert line.isascii()
    assert line.isprintable()


@pytest.mark.usefixtures("unlogged")
def test_a_line_is_json_with_its_names_and_time() -> None:
    (line,) = logged(pull=5, repository="octo/hello")
    assert line["pull"] == 5
    assert line["level"] == "info"
    assert line["logger"] == "sockgate.test"
    assert "timestamp" in line
    assert logged(level="warning") == []


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        KEY,
        KEY[:200],
        "ghs_" + "a" * 36,
        "github_pat_" + "a" * 30,
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NTYifQ.c2lnbmF0dXJl",
        "postgresql://me:pass-word@db/x",
    ],
)
def test_no_line_carries_a_secret(secret: str) -> None:
    (line,) = logged(text=f"before {secret} after", many=[{"key": secret}], error=OSError(secret))
    written = json.dumps(line)
    for part in (secret, secret[10:40], "pass-word"):
        assert part not in written
    assert "before" in written
