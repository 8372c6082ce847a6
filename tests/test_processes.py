"""The processes of a server: each is killed in turn, and nothing that was accepted is lost."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from bot.line import Answer, Answering, Asking, line
from bot.processes import apart
from tests.load.processes import children, is_gone
from tests.test_queue import until
from tests.test_server import Process


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path, evaluation=0.2)
    yield made
    for pid in children(made.process.pid) if made.process.poll() is None else ():
        os.kill(pid, signal.SIGCONT)
    made.process.kill()
    made.process.communicate()


def of(process: Process) -> tuple[int, int]:
    """Return the process that works, and the one that answers."""
    worker, web = children(process.process.pid)
    return worker, web


def test_the_one_that_keeps_the_others_has_no_threads(process: Process) -> None:
    assert len(list(Path(f"/proc/{process.process.pid}/task").iterdir())) == 1
    worker, web = of(process)
    assert os.getpriority(os.PRIO_PROCESS, worker) > os.getpriority(os.PRIO_PROCESS, web)


def test_what_is_accepted_while_nobody_works_is_done_later(process: Process) -> None:
    worker, web = of(process)
    os.kill(worker, signal.SIGKILL)
    until(lambda: is_gone(worker))
    assert process.client.deliver() == 202
    until((process.folder / "done-5").exists)
    until(lambda: process.client.page("/readyz")[0] == 200)
    assert web in of(process)
    code, _, lines = process.end(signal.SIGTERM)
    assert code == 0
    [said] = [one for one in lines if one["event"] == "a process ended: it is started again"]
    assert (said["process"], said["code"]) == ("worker", -signal.SIGKILL)


def test_a_worker_that_does_not_answer_is_told_of(process: Process) -> None:
    worker, _ = of(process)
    until(lambda: "sockgate_worker_up 1.0" in process.client.page("/metrics")[1])
    os.kill(worker, signal.SIGSTOP)
    until(lambda: "does the jobs does not answer" in process.client.page("/readyz")[1])
    assert process.client.page("/readyz")[0] == 503
    assert "sockgate_worker_up 0.0" in process.client.page("/metrics")[1]
    os.kill(worker, signal.SIGCONT)
    assert process.client.deliver() == 202
    until((process.folder / "done-5").exists)
    until(lambda: process.client.page("/readyz")[0] == 200)
    until(lambda: "sockgate_worker_up 1.0" in process.client.page("/metrics")[1])
    done = 'sockgate_evaluations_total{outcome="done"} 1.0'
    until(lambda: done in process.client.page("/metrics")[1])


def test_the_one_that_answers_is_started_again_on_the_same_socket(process: Process) -> None:
    worker, web = of(process)
    os.kill(web, signal.SIGKILL)
    until(lambda: is_gone(web))
    assert process.client.deliver() == 202  # it waits in the socket's queue until somebody answers
    assert worker in of(process)
    until((process.folder / "done-5").exists)
    assert process.end(signal.SIGTERM)[0] == 0


def test_where_the_one_is_killed_that_keeps_the_others_they_end_too(
    process: Process, tmp_path: Path
) -> None:
    others = of(process)
    process.process.kill()
    process.process.wait()
    until(lambda: all(is_gone(pid) for pid in others), 2)
    again = Process(tmp_path, evaluation=0)  # the file and the port are free
    assert again.end(signal.SIGINT)[0] == 0


def test_a_worker_that_hangs_is_killed_in_time(process: Process) -> None:
    worker, _ = of(process)
    os.kill(worker, signal.SIGSTOP)
    code, seconds, lines = process.end(signal.SIGTERM)
    assert code == 0
    assert seconds < 12  # 9.5 s, and what a busy machine adds
    assert lines[-1]["event"] == "stopped with jobs unfinished"
    until(lambda: is_gone(worker))


def test_what_is_done_apart_comes_back_and_a_death_is_nothing() -> None:
    pid = os.getpid()
    assert apart(lambda: (os.getpid() != pid, "done")) == (True, "done")
    assert apart(partial(os._exit, 3)) is None


# Questions.


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    asking, answering = line()
    with asking, answering:
        yield asking, answering
        answering.shutdown(socket.SHUT_RDWR)


def test_a_question_gets_its_own_answer_and_no_late_one(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    slow = threading.Event()

    def late() -> bytes:
        assert slow.wait(20)
        return b"late"

    Answering(
        ends[1], {"late": late, "now": lambda: b"with spaces \n", "none": lambda: b""}
    ).start()
    asking = Asking(ends[0])
    assert asking.ask("now", 20) == b"with spaces \n"
    with pytest.raises(TimeoutError):
        asking.ask("late", 0.05)
    slow.set()
    assert asking.ask("none", 20) == b""
    assert asking.ask("now", 20) == b"with spaces \n"


@pytest.mark.parametrize(
    ("answer", "why"),
    [(lambda: b"x" * 300_000, "ValueError"), (lambda: b"%d" % (1 // 0), "ZeroDivisionError")],
)
def test_what_cannot_be_answered_is_said(
    ends: tuple[socket.socket, socket.socket], answer: Answer, why: str
) -> None:
    Answering(ends[1], {"it": answer}).start()
    with pytest.raises(ConnectionError, match=why):
        Asking(ends[0]).ask("it", 20)
    with pytest.raises(ConnectionError, match="KeyError"):
        Asking(ends[0]).ask("another", 20)


def test_a_long_answer_arrives_whole(ends: tuple[socket.socket, socket.socket]) -> None:
    Answering(ends[1], {"it": lambda: b"x" * 190_000}).start()
    assert len(Asking(ends[0]).ask("it", 20)) == 190_000


def test_nobody_there_is_a_time_out_however_often_one_asks(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    asking = Asking(ends[0])
    began = time.monotonic()
    for _ in range(20):  # more than the socket's queue takes
        with pytest.raises(TimeoutError):
            asking.ask("it", 0.01)
    assert time.monotonic() - began < 10
