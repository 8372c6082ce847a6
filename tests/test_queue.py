"""Durable jobs: accepted is stored, stored is done, one at a time for each pull request."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.database import Database, DatabaseError
from bot.forge.error import ForgeError
from bot.intake import Intake, Receipt
from bot.jobs import Job, job
from bot.ledger import Ledger
from bot.metrics import Depth, Metrics
from bot.pull import PullRef
from bot.queue import Queue
from bot.room import Pause
from bot.stored import QUEUE
from bot.wake import (
    Repository,
    Target,
    WakeGroup,
    WakeHead,
    WakeInstallation,
    WakeLeave,
    WakePull,
    WakeRepository,
    WakeScan,
)
from bot.work import Outcome, Work
from bot.worker import LOOKS
from tests.here import hand_in

TOP = Path(__file__).parents[1]
HELLO = Repository(7, "octo", "hello")
SHA = "a" * 40


def pull(number: int) -> PullRef:
    return PullRef(7, "octo", "hello", number)


def asked(delivery: str, number: int = 1) -> Job:
    return Job(delivery, delivery, WakePull(pull(number)))


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


class Fake:
    """Evaluations by script: notes what was asked, waits at a gate, raises what it is told."""

    def __init__(self) -> None:
        self.began: list[int] = []
        self.ended: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.errors: list[Exception | Outcome] = []
        self.expanded: list[Target] = []
        self.pulls: tuple[PullRef, ...] = ()
        self.together = 0
        self._inside: dict[int, int] = {}

    def evaluate(self, ref: PullRef) -> Outcome:
        self.began.append(ref.number)
        self._inside[ref.number] = self._inside.get(ref.number, 0) + 1
        self.together = max(self.together, *self._inside.values())
        assert self.gate.wait(20)
        self._inside[ref.number] -= 1
        if self.errors:
            error = self.errors.pop(0)
            if isinstance(error, Exception):
                raise error
            return error
        self.ended.append(ref.number)
        return Outcome.DONE

    def expand(self, target: Target) -> Iterable[PullRef]:
        self.expanded.append(target)
        return self.pulls


class Running:
    """A queue over a file or a database, that can be stopped and started again."""

    def __init__(self, folder: Path, url: str = "") -> None:
        self.file = folder / "jobs.sqlite"
        self.url = url or f"sqlite:///{self.file}"
        self.fake = Fake()
        self.metrics = Metrics()
        self.start()

    def start(self, lands: float = 0.0) -> None:
        self.database = Database(self.url)
        self.queue = Queue(
            self.database,
            Work(self.fake.evaluate, self.fake.expand),
            self.metrics,
            poll=0.02,
            first_pause=0.1,
            last_attempt=2,
            lands=lands,
        )
        self.queue.start()
        self.intake = Intake(self.database)
        self.intake.start()

    def stop(self) -> None:
        self.fake.gate.set()
        self.intake.stop(5)
        self.queue.stop(5)
        self.database.close()

    def put(self, one: Job) -> Receipt:
        [receipt] = hand_in(self.intake, one)
        return receipt

    def settled(self, **depth: int) -> None:
        until(lambda: self.intake.depth() == Depth(**depth))

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(f"sockgate_{name}", labels) or 0.0


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    made = Running(tmp_path)
    yield made
    made.stop()


def test_a_delivery_is_evaluated_and_counted(running: Running) -> None:
    assert running.put(asked("one")) is Receipt.NEW
    until(lambda: running.fake.ended == [1])
    running.settled()
    assert running.metric("evaluations_total", outcome="done") == 1
    assert running.metric("evaluation_seconds_count") == 1
    assert running.queue.is_ready()


def test_a_redelivery_is_recognised(running: Running) -> None:
    running.fake.gate.clear()
    assert running.put(asked("one")) is Receipt.NEW
    assert running.put(asked("one")) is Receipt.KNOWN
    running.fake.gate.set()
    until(lambda: running.fake.ended == [1])
    running.settled()
    assert running.put(asked("one")) is Receipt.KNOWN
    time.sleep(0.2)
    assert running.fake.ended == [1]


def test_a_burst_is_folded_and_what_arrives_meanwhile_is_exactly_one_more(
    running: Running,
) -> None:
    running.fake.gate.clear()
    running.put(asked("opened"))
    until(lambda: running.fake.began == [1])
    for number in range(5):
        running.put(asked(f"labeled-{number}"))
    time.sleep(0.3)
    assert running.fake.began == [1]
    running.fake.gate.set()
    until(lambda: running.fake.ended == [1, 1])
    running.settled()
    time.sleep(0.3)
    assert running.fake.began == [1, 1]
    assert running.fake.together == 1
    for number in range(5):
        assert running.put(asked(f"labeled-{number}")) is Receipt.KNOWN


def test_pull_requests_do_not_wait_for_each_other(running: Running) -> None:
    running.fake.gate.clear()
    for number in (1, 2, 3):
        running.put(asked(f"of-{number}", number))
    until(lambda: sorted(running.fake.began) == [1, 2, 3])
    assert running.intake.depth().running == 3


def test_many_at_once_are_all_stored(running: Running) -> None:
    jobs = [asked(f"id-{n}", n % 20) for n in range(500)]
    assert set(hand_in(running.intake, *jobs)) == {Receipt.NEW}
    until(lambda: set(running.fake.ended) == set(range(20)))
    running.settled()
    assert running.fake.together == 1


def test_a_passing_failure_is_tried_again_later_and_holds_nobody_up(running: Running) -> None:
    running.fake.errors = [ForgeError("502", retry=True), ForgeError("502", retry=True)]
    running.put(asked("one"))
    until(lambda: running.intake.depth().postponed == 1)
    running.fake.gate.clear()
    running.put(asked("other", 2))
    until(lambda: 2 in running.fake.began)
    running.fake.gate.set()
    until(lambda: sorted(running.fake.ended) == [1, 2])
    running.settled()
    assert running.metric("evaluations_total", outcome="postponed") == 2
    assert running.metric("dead_letters_total") == 0


def test_github_says_how_long_to_wait(running: Running) -> None:
    running.fake.errors = [ForgeError("rate limit", retry=True, after=2.5)]
    running.put(asked("one"))
    until(lambda: running.intake.depth().postponed == 1)
    waited = time.monotonic()
    until(lambda: running.fake.ended == [1])
    assert time.monotonic() - waited > 1.5


def test_a_new_delivery_does_not_wait_for_the_postponed_and_takes_it_along(
    running: Running,
) -> None:
    running.fake.errors = [ForgeError("502", retry=True, after=600)]
    running.put(asked("one"))
    until(lambda: running.intake.depth().postponed == 1)
    running.put(asked("two"))
    until(lambda: running.fake.ended == [1])
    running.settled()


def test_what_fails_too_often_is_given_up_and_a_redelivery_tries_again(running: Running) -> None:
    running.fake.errors = [ForgeError("502", retry=True) for _ in range(3)]
    running.put(asked("one"))
    until(lambda: running.intake.depth() == Depth(dead=1))
    assert running.fake.began == [1, 1, 1]
    assert running.metric("dead_letters_total") == 1
    assert running.put(asked("one")) is Receipt.AGAIN
    until(lambda: running.fake.ended == [1])
    running.settled()  # the dead letter is settled by the success
    assert running.put(asked("one")) in {Receipt.KNOWN, Receipt.NEW}


def test_what_cannot_succeed_is_given_up_at_once(
    running: Running, capfd: pytest.CaptureFixture[str]
) -> None:
    running.fake.errors = [ForgeError("403", retry=False)]
    running.put(asked("one"))
    until(lambda: running.intake.depth() == Depth(dead=1))
    assert running.fake.began == [1]
    assert running.metric("evaluations_total", outcome="dead") == 1
    assert "Traceback" not in capfd.readouterr().err


def test_a_defect_is_given_up_and_the_next_delivery_settles_it(running: Running) -> None:
    running.fake.errors = [ZeroDivisionError("division by zero")]
    running.put(asked("one"))
    until(lambda: running.intake.depth() == Depth(dead=1))
    assert running.metric("evaluations_total", outcome="error") == 1
    running.put(asked("two"))
    until(lambda: running.fake.ended == [1])
    running.settled()


def test_a_head_that_moved_is_evaluated_once_more(running: Running) -> None:
    running.fake.errors = [Outcome.MOVED, Outcome.MOVED]
    running.put(asked("one"))
    until(lambda: running.fake.ended == [1])
    running.settled()
    assert running.fake.began == [1, 1, 1]


def test_a_pull_request_that_is_gone_is_done(running: Running) -> None:
    running.fake.errors = [Outcome.GONE]
    running.put(asked("one"))
    until(lambda: running.fake.began == [1])
    running.settled()
    assert running.metric("evaluations_total", outcome="gone") == 1


def test_a_pull_request_just_announced_may_not_be_seen_yet(running: Running) -> None:
    running.fake.errors = [Outcome.MISSING]
    running.put(asked("one"))
    until(lambda: running.fake.ended == [1])
    running.settled()


def test_a_pull_request_that_is_never_seen_is_done(running: Running) -> None:
    running.fake.errors = [Outcome.MISSING] * 9
    running.put(asked("one"))
    until(lambda: running.metric("evaluations_total", outcome="missing"))
    running.settled()
    assert running.metric("dead_letters_total") == 0


def test_what_was_red_because_a_part_was_not_found_is_looked_at_again(running: Running) -> None:
    down = ForgeError("status 502", retry=True)
    running.fake.errors = [down, down, Outcome.UNREAD, Outcome.UNREAD]
    running.put(asked("one"))
    until(lambda: running.fake.ended == [1])
    running.settled()
    assert len(running.fake.began) == 5
    assert running.metric("dead_letters_total") == 0


def test_what_stays_unread_is_done_after_some_looks(running: Running) -> None:
    running.fake.errors = [Outcome.UNREAD] * 9
    running.put(asked("one"))
    running.settled()
    assert len(running.fake.began) == 1 + LOOKS
    assert running.metric("dead_letters_total") == 0


def test_a_wider_wake_becomes_one_job_for_each_pull_request(running: Running) -> None:
    running.fake.pulls = (pull(1), pull(2))
    head = WakeHead(HELLO, SHA)
    assert running.put(Job("rerun", "rerun", head)) is Receipt.NEW
    until(lambda: sorted(running.fake.ended) == [1, 2])
    running.settled()
    assert running.fake.expanded == [head]
    assert running.metric("evaluations_total", outcome="done") == 2


def test_what_was_accepted_is_done_after_a_restart(running: Running) -> None:
    running.fake.gate.clear()
    running.put(asked("one"))
    until(lambda: running.fake.began == [1])
    running.put(asked("two"))
    running.put(asked("other", 2))
    until(lambda: 2 in running.fake.began)
    running.stop()
    running.start()
    until(lambda: set(running.fake.ended) == {1, 2})
    running.settled()


def test_no_question_about_jobs_reads_the_whole_table(running: Running) -> None:
    """A server remembers a million jobs that are over, and asks several times for each new one."""
    asked_for: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, text: str, values: Any, *_: object) -> None:
        if threading.current_thread() is threading.main_thread():
            asked_for.append((text, values))

    engine, ledger = running.database.engine, Ledger(running.database, QUEUE)
    sa.event.listen(engine, "before_cursor_execute", note)
    ledger.serve("pull 7/a")
    ledger.dead("pull 7/a")
    ledger.waiting("pull 7/a")
    ledger.running("pull 7/a")
    ledger.claims("local")
    ledger.others_wait(7)
    ledger.hold(7, Pause(1, 1))
    sa.event.remove(engine, "before_cursor_execute", note)
    assert len(asked_for) > 8
    with engine.connect() as connection:
        for text, values in asked_for:
            steps = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values)
            assert "SCAN workflow_status" not in [step[3] for step in steps], text


def failing(running: Running, change: str) -> Callable[[], None]:
    """Let a change of the jobs' table fail, as on a full disk; return what ends that."""
    with running.database.engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER full BEFORE {change} "
            "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
        )

    def mend() -> None:
        with running.database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")

    return mend


def test_a_database_that_takes_nothing_for_a_while_costs_no_job(running: Running) -> None:
    running.fake.gate.clear()
    running.put(asked("one"))
    until(lambda: running.fake.began == [1])
    running.fake.errors = [ForgeError("502", retry=True)]
    mend = failing(running, "INSERT ON workflow_status")  # so it cannot be put back
    running.fake.gate.set()
    time.sleep(1)
    mend()
    until(lambda: running.fake.ended == [1])
    running.settled()


def test_a_job_whose_end_could_not_be_written_is_done_again(running: Running) -> None:
    mend = failing(running, "UPDATE ON workflow_status WHEN NEW.status = 'SUCCESS'")
    running.put(asked("one"))
    until(lambda: running.fake.ended == [1])
    until(lambda: not running.queue.worker.under_way())
    running.put(asked("two"))  # waits behind it
    lost = running.queue.lost
    until(lambda: lost.look() == 1)
    mend()
    until(lambda: (lost.look(), len(running.fake.ended) == 2)[1])
    running.settled()


def test_a_job_that_is_being_done_is_not_lost(running: Running) -> None:
    running.fake.gate.clear()
    running.put(asked("one"))
    until(lambda: running.fake.began == [1])
    assert [running.queue.lost.look() for _ in range(3)] == [0, 0, 0]
    running.fake.gate.set()
    running.settled()
    assert running.fake.began == [1]


def test_a_closed_queue_accepts_nothing(tmp_path: Path) -> None:
    made = Running(tmp_path)
    made.stop()
    with pytest.raises(ConnectionError):
        made.put(asked("late"))


def test_a_commit_is_on_the_disk_when_it_returns(running: Running) -> None:
    with running.database.engine.connect() as connection:
        assert connection.execute(sa.text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(sa.text("PRAGMA synchronous")).scalar() == 2  # FULL


def test_two_servers_never_share_a_file(running: Running) -> None:
    with pytest.raises(DatabaseError, match="in use by another server"):
        Database(f"sqlite:///{running.file}")


def test_a_database_of_a_newer_version_is_left_alone(running: Running) -> None:
    running.stop()
    with running.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE dbos_migrations SET version = version + 1"))
    with pytest.raises(DatabaseError, match="newer version"):
        Database(f"sqlite:///{running.file}")
    with running.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE dbos_migrations SET version = version - 1"))
    running.start()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////proc/nothing/jobs.sqlite",
        "postgresql+psycopg://me:pass-word@127.0.0.1:1/none",
    ],
)
def test_a_database_out_of_reach_is_one_sentence_without_a_password(url: str) -> None:
    with pytest.raises(DatabaseError) as caught:
        Database(url)
    sentence = str(caught.value)
    assert "cannot be used" in sentence
    assert "\n" not in sentence
    assert "pass-word" not in sentence


@pytest.mark.parametrize(
    "target",
    [
        WakePull(pull(1)),
        WakeHead(HELLO, SHA),
        WakeRepository(HELLO, ("one", "two")),
        WakeInstallation(7, (HELLO,)),
        WakeInstallation(7),
        WakeGroup(HELLO, SHA, "b" * 40, "main"),
        WakeScan(HELLO),
        WakeLeave(7, (HELLO,)),
    ],
)
def test_a_job_is_read_as_it_was_written(target: Target) -> None:
    made = Job("root", "delivery", target, 3, 4)
    assert job(made.document()) == made
    assert made.id == "root~4"
    assert made.names()["delivery"] == "delivery"


def test_a_pull_request_in_a_merge_queue_has_its_groups_judged_even_where_it_fails(
    running: Running,
) -> None:
    group = WakeGroup(HELLO, SHA, "b" * 40, "main")
    seen: list[WakeGroup] = []

    def judge(one: WakeGroup) -> Outcome:
        seen.append(one)
        return Outcome.DONE

    fake = running.fake
    running.queue.worker.work = Work(fake.evaluate, fake.expand, judge, lambda _target: (group,))
    fake.errors = [Outcome.QUEUED]
    running.put(asked("one"))
    until(lambda: seen == [group])
    fake.errors = [ForgeError("comments: status 502", retry=False)]
    running.put(asked("two"))
    until(lambda: seen == [group, group])
    fake.errors = [ForgeError("rate limit: reached", retry=False)]
    running.put(asked("three"))
    until(lambda: running.metric("dead_letters_total") == 2)
    assert seen == [group, group]


def test_a_group_is_the_same_job_whoever_asks_for_it() -> None:
    announced = WakeGroup(HELLO, SHA, "b" * 40, "main")
    again = WakeGroup(HELLO, "", "b" * 40, "main")
    assert Job("x", "x", announced).key == Job("y", "y", again).key
    assert Job("x", "x", announced).key != Job("x", "x", WakeGroup(HELLO, SHA, SHA, "main")).key
    older = Job("x", "x", announced).document()
    del older["target"]["branch"]  # as a server before this key wrote it
    assert job(older).target == WakeGroup(HELLO, SHA, "b" * 40)


def test_a_pull_request_that_ended_and_a_wider_wake_have_their_repository_scanned(
    running: Running,
) -> None:
    fake, registered = running.fake, list[WakeScan | WakeLeave]()
    running.queue.worker.work = Work(
        fake.evaluate, fake.expand, scans=lambda _target: (HELLO,), register=registered.append
    )
    running.put(asked("still open"))
    until(lambda: fake.ended == [1])
    fake.errors = [Outcome.GONE]
    running.put(asked("closed"))
    until(lambda: registered == [WakeScan(HELLO)])
    running.put(Job("policy", "policy", WakeRepository(HELLO)))
    until(lambda: registered == [WakeScan(HELLO)] * 2)
    running.put(Job("gone", "gone", WakeLeave(7)))
    until(lambda: registered[2:] == [WakeLeave(7)])


def test_jobs_stand_for_each_other_only_if_they_look_at_the_same() -> None:
    targets: list[Target] = [
        WakePull(pull(1)),
        WakePull(pull(2)),
        WakeHead(HELLO, SHA),
        WakeHead(HELLO, "b" * 40),
        WakeRepository(HELLO),
        WakeRepository(HELLO, ("one",)),
        WakeInstallation(7),
        WakeInstallation(8),
    ]
    assert len({Job("x", "x", target).key for target in targets}) == len(targets)
    shouted = WakePull(PullRef(7, "OCTO", "Hello", 1))
    assert Job("x", "x", shouted).key == Job("y", "y", WakePull(pull(1))).key


def test_what_a_killed_process_sent_may_land_before_its_jobs_are_done_again(
    running: Running,
) -> None:
    running.put(asked("one", 1))
    until(lambda: running.fake.ended == [1])
    running.settled()
    running.stop()
    with running.database.engine.begin() as connection:  # as a kill leaves it
        connection.execute(sa.text("UPDATE workflow_status SET status = 'PENDING'"))
    running.fake.began.clear()
    began = time.monotonic()
    running.start(lands=2.0)
    running.put(asked("two", 1))  # looks at the same
    running.put(asked("three", 3))
    until(lambda: running.fake.began == [3])
    until(lambda: 1 in running.fake.began)
    assert time.monotonic() - began >= 2.0
    running.settled()
    assert running.fake.began == [3, 1]


# A server of its own process, to be killed: evaluations are lines in a file.
SERVER = """
import sys, time
from pathlib import Path
from bot.database import Database
from bot.intake import Intake
from bot.jobs import Job
from bot.metrics import Metrics
from bot.pull import PullRef
from bot.queue import Queue
from bot.wake import WakePull
from bot.work import Outcome, Work
from tests.here import hand_in

folder, deliveries = Path(sys.argv[1]), int(sys.argv[2])

def note(line):
    with (folder / "notes").open("a") as file:
        file.write(line + "\\n")

def evaluate(pull):
    note(f"began {pull.number}")
    time.sleep(0.1)
    note(f"ended {pull.number}")
    return Outcome.DONE

database = Database(f"sqlite:///{folder}/jobs.sqlite")
queue = Queue(database, Work(evaluate, lambda target: ()), Metrics(), poll=0.02, lands=0.5)
queue.start()
intake = Intake(database)
intake.start()
jobs = [
    Job(f"id-{n}", f"id-{n}", WakePull(PullRef(7, "octo", "hello", n)))
    for n in range(deliveries)
]
hand_in(intake, *jobs)
note(f"stored {deliveries}")
while True:
    depth = intake.depth()
    if not depth.waiting and not depth.postponed and not depth.running:
        note("empty")
    time.sleep(0.05)
"""


def test_after_kill_9_every_accepted_delivery_is_done(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.touch()

    def said(what: str) -> list[str]:
        return [line for line in notes.read_text().splitlines() if line.startswith(what)]

    def server(deliveries: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", SERVER, str(tmp_path), str(deliveries)], cwd=TOP
        )

    first = server(40)
    try:
        until(lambda: said("stored") and said("ended"), 60)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait(10)
    before = set(said("ended"))
    assert len(before) < 40
    interrupted = {line.split()[1] for line in said("began")}
    notes.write_text("")
    second = server(0)
    try:
        until(lambda: said("empty"), 60)
    finally:
        second.kill()
        second.wait(10)
    after = said("ended")
    assert len(after) == len(set(after))
    done = {line.split()[1] for line in before | set(after)}
    assert done == {str(number) for number in range(40)}
    again = {line.split()[1] for line in after} & {line.split()[1] for line in before}
    assert again <= interrupted  # at most what ran at that very moment is done twice
