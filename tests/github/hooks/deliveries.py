"""Deliveries: signed, sent in order by one thread, logged with the answer.

A scenario may hold them back and then send, repeat, reorder or drop each by itself. GitHub does not
redeliver on its own; ``redeliver`` is what the REST API offers, with the same delivery id.
"""

import contextlib
import hashlib
import hmac
import http.client
import json
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import datetime as dt

    from tests.github.hub import SmallGitHub
    from tests.github.model.apps import App

TIMEOUT = 10.0  # GitHub waits ten seconds for an answer


@dataclass(eq=False, slots=True)
class Delivery:
    """One event for one App; ``guid`` is ``X-GitHub-Delivery`` and survives redelivery."""

    id: int
    guid: str
    app: "App"
    event: str
    action: str | None
    body: bytes
    installation_id: int | None
    repository_id: int | None
    delivered_at: "dt.datetime"
    redelivery: bool = False
    status: str = "pending"
    status_code: int = 0
    duration: float = 0.0
    response_headers: dict[str, str] = field(default_factory=dict)
    response_body: str = ""

    @property
    def name(self) -> str:
        """The event with its action, such as ``pull_request.labeled``."""
        return f"{self.event}.{self.action}" if self.action else self.event

    @property
    def payload(self) -> dict[str, Any]:
        """What the body says."""
        payload: dict[str, Any] = json.loads(self.body)
        return payload

    @property
    def headers(self) -> dict[str, str]:
        """The headers that GitHub sends with it."""
        digest = hmac.new(self.app.secret.encode(), self.body, hashlib.sha256).hexdigest()
        legacy = hmac.new(self.app.secret.encode(), self.body, hashlib.sha1).hexdigest()
        return {
            "Accept": "*/*",
            "Content-Type": "application/json",
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Delivery": self.guid,
            "X-GitHub-Event": self.event,
            "X-GitHub-Hook-ID": str(self.app.id + 1),
            "X-GitHub-Hook-Installation-Target-ID": str(self.app.id),
            "X-GitHub-Hook-Installation-Target-Type": "integration",
            "X-Hub-Signature": f"sha1={legacy}",
            "X-Hub-Signature-256": f"sha256={digest}",
            **self.app.hub.edition_headers,
        }

    def __repr__(self) -> str:
        return f"<Delivery {self.name} {self.status_code}>"


class Webhooks:
    """All deliveries of one small GitHub."""

    def __init__(self, hub: "SmallGitHub") -> None:
        self.hub = hub
        self.log: list[Delivery] = []
        self.pending: list[Delivery] = []
        self._holding = False
        self._lose: Callable[[Delivery], bool] | None = None
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._under_way = 0

    # What scenarios use -------------------------------------------------------------------------

    @contextlib.contextmanager
    def held(self) -> Iterator[list[Delivery]]:
        """Hold deliveries back inside the ``with``; whatever is left in the list is sent after."""
        self.hold()
        try:
            yield self.pending
        finally:
            self.release()

    def hold(self) -> None:
        """Keep new deliveries in ``pending`` instead of sending them."""
        self._holding = True

    def release(self) -> None:
        """Send what is pending, in the list's order as it is now, and stop holding."""
        self._holding = False
        waiting, self.pending[:] = list(self.pending), []
        for delivery in waiting:
            self.send(delivery)

    def drop(self, delivery: Delivery) -> None:
        """Lose a pending delivery: it shows in the log as failed, as after a time-out."""
        self.pending.remove(delivery)
        self._finish(delivery, "timed out", 504)

    def lose(self, which: Callable[[Delivery], bool] | None) -> None:
        """Lose every delivery from now on that ``which`` says yes to; None ends it."""
        self._lose = which

    def send(self, delivery: Delivery) -> None:
        """Send one now (also one that was sent before: GitHub may deliver twice)."""
        with self.hub.changed:
            self._under_way += 1
        self._queue.put(delivery)

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Make a new attempt of an old delivery: another id, the same guid."""
        again = Delivery(
            id=self.hub.ids.new(),
            guid=delivery.guid,
            app=delivery.app,
            event=delivery.event,
            action=delivery.action,
            body=delivery.body,
            installation_id=delivery.installation_id,
            repository_id=delivery.repository_id,
            delivered_at=self.hub.clock.now(),
            redelivery=True,
        )
        self.log.append(again)
        self.send(again)
        return again

    def settle(self, timeout: float = 30) -> None:
        """Wait until everything that was sent is answered."""
        self.hub.wait_for(lambda: self._under_way == 0, timeout)

    @property
    def busy(self) -> bool:
        """Whether something sent is not answered yet."""
        return self._under_way > 0

    # What the state uses ------------------------------------------------------------------------

    def emit(self, delivery: Delivery) -> None:
        """Take a new delivery: log it, then send, hold or lose it."""
        self.log.append(delivery)
        if not delivery.app.hook_active:
            self.log.remove(delivery)
        elif self._lose is not None and self._lose(delivery):
            self._finish(delivery, "timed out", 504)
        elif self._holding:
            self.pending.append(delivery)
        else:
            self.send(delivery)

    def start(self) -> None:
        """Start the sending thread."""
        self._thread = threading.Thread(target=self._work, name="small-github-hooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it after what is queued."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(TIMEOUT + 1)

    def _work(self) -> None:
        while (delivery := self._queue.get()) is not None:
            try:
                self._attempt(delivery)
            finally:
                with self.hub.changed:
                    self._under_way -= 1
                    self.hub.changed.notify_all()

    def _attempt(self, delivery: Delivery) -> None:
        self.hub.truth.webhook(delivery.event, delivery.action, delivery.payload)
        if delivery.app.webhook_url is None:
            self._finish(delivery, "no webhook URL", 0)
            return
        url = urlsplit(delivery.app.webhook_url)
        connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
        started = time.monotonic()
        try:
            path = f"{url.path}?{url.query}" if url.query else url.path or "/"
            connection.request("POST", path, delivery.body, delivery.headers)
            answer = connection.getresponse()
            body = answer.read()
        except TimeoutError:
            self._finish(delivery, "timed out", 504, duration=time.monotonic() - started)
            return
        except (OSError, http.client.HTTPException):
            took = time.monotonic() - started
            self._finish(delivery, "failed to connect to host", 502, duration=took)
            return
        finally:
            connection.close()
        delivery.response_headers = dict(answer.getheaders())
        delivery.response_body = body.decode(errors="replace")
        good = 200 <= answer.status < 300
        words = "OK" if good else f"Invalid HTTP Response: {answer.status}"
        self._finish(delivery, words, answer.status, duration=time.monotonic() - started)

    def _finish(self, delivery: Delivery, status: str, code: int, *, duration: float = 0.0) -> None:
        with self.hub.changed:
            delivery.status, delivery.status_code = status, code
            delivery.duration = round(duration, 3)
            delivery.delivered_at = self.hub.clock.now()
            self.hub.changed.notify_all()


def new_guid() -> str:
    """Make a delivery id."""
    return str(uuid.uuid4())
