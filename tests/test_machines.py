"""Several machines on one PostgreSQL: each pull request at one of them, and none is lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.postgres import PostgresServer, postgres, postgres_server
from tests.proxy import Proxy
from tests.test_queue import until

__all__ = ["postgres", "postgres_server"]


class Fleet:
    """Machines in processes of their own, and what they noted."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder
        self.processes: dict[str, subprocess.Popen[str]] = {}
        (folder / "notes").touch()
        self.engine = sa.create_engine(url)

    def begin(self, *names: str, url: str = "") -> None:
        for name in names:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.machines", url or self.url, str(self.folder), name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        for name in names:
            self.said(name, "ready")

    def said(self, name: str, *expected: str) -> None:
        stdout = self.processes[name].stdout
        assert stdout is not None
        for line in stdout:
            if line.strip() in expected:
                return
        raise AssertionError(f"{name} never said {expected}")

    def put(self, name: str, delivery: str, number: int, installation: int = 7) -> None:
        stdin = self.processes[name].stdin
        assert stdin is not None
        stdin.write(f"{delivery} {installation} {number}\n")
        stdin.flush()
        self.said(name, "accepted")

    def notes(self, what: str, name: str = "") -> list[tuple[float, str, str]]:
        lines = [line.split() for line in (self.folder / "notes").read_text().splitlines()]
        return [(float(at), who, of) for at, who, did, of in lines if did == what and name in who]

    def slow(self, installation: int = 7) -> Path:
        file = self.folder / f"slow-{installation}"
        file.touch()
        return file

    def busy(self, url: str = "") -> tuple[set[str], Path]:
        """Begin machine a, and four evaluations at it that go on until the file is removed."""
        self.begin("a", url=url)
        slow = self.slow()
        for number in range(4):
            self.put("a", f"id-{number}", number)
        until(lambda: len(self.notes("began", "a")) == 4)
        return {of for _, _, of in self.notes("began", "a")}, slow

    def settled(self, seconds: float = 30) -> None:
        query = sa.text(
            "SELECT count(*) FROM dbos.workflow_status "
            "WHERE status IN ('ENQUEUED', 'DELAYED', 'PENDING')"
        )

        def empty() -> bool:
            with self.engine.connect() as connection:
                return not connection.execute(query).scalar()

        until(empty, seconds)

    def dead(self) -> int:
        query = sa.text("SELECT count(*) FROM dbos.workflow_status WHERE status = 'ERROR'")
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def overlaps(self) -> list[str]:
        """Name the pull requests that were evaluated twice at the same moment."""
        found, inside = [], dict[str, str]()
        for line in sorted((self.folder / "notes").read_text().splitlines()):
            _, who, did, of = line.split()
            if did == "began":
                if inside.get(of):
                    found.append(line)
                inside[of] = who
            elif inside.get(of) == who:
                inside[of] = ""
        return found

    def end(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self.engine.dispose()


@pytest.fixture
def fleet(postgres: str, tmp_path: Path) -> Iterator[Fleet]:
    made = Fleet(postgres, tmp_path)
    yield made
    made.end()


def test_the_jobs_of_a_killed_machine_are_taken_over_once(fleet: Fleet) -> None:
    at_a, slow = fleet.busy()
    fleet.begin("b", "c")
    os.kill(fleet.processes["a"].pid, signal.SIGKILL)
    killed = time.time()
    until(lambda: at_a <= {of for at, who, of in fleet.notes("began") if who != "a"}, 15)
    taken = max(at for at, who, of in fleet.notes("began") if who != "a" and of in at_a)
    assert taken - killed < 10  # 3 s of silence here; 40 s in earnest
    slow.unlink()
    fleet.settled()
    ended = [of for _, _, of in fleet.notes("ended")]
    assert sorted(ended) == sorted(f"7#{number}" for number in range(4))


def test_a_machine_cut_off_stops_before_the_others_take_over(
    fleet: Fleet, postgres_server: PostgresServer
) -> None:
    proxy = Proxy(postgres_server.port)
    way_round = postgres_server.url(str(sa.make_url(fleet.url).database), proxy.port)
    at_a, slow = fleet.busy(way_round)
    fleet.begin("b", "c")
    proxy.cut()
    until(lambda: {of for _, _, of in fleet.notes("dropped", "a")} == at_a, 10)
    until(lambda: at_a <= {of for at, who, of in fleet.notes("began") if who != "a"}, 15)
    proxy.mend()
    slow.unlink()
    fleet.settled()
    assert fleet.overlaps() == []
    # Back in touch, it works on under a new name: of the jobs that go on coming, it gets some.
    fleet.begin("d")
    numbers = count(20)

    def has_new_work() -> bool:
        time.sleep(0.2)
        for number in islice(numbers, 4):
            fleet.put("d", f"id-{number}", number)
        return any(int(of[2:]) >= 20 for _, _, of in fleet.notes("began", "a"))

    until(has_new_work, 30)
    fleet.settled()
    assert fleet.overlaps() == []
    proxy.close()


def test_a_machine_that_slept_does_nothing_more_of_what_it_had(fleet: Fleet) -> None:
    at_a, slow = fleet.busy()
    fleet.begin("b")
    os.kill(fleet.processes["a"].pid, signal.SIGSTOP)
    until(lambda: at_a <= {of for _, _, of in fleet.notes("began", "b")}, 15)
    os.kill(fleet.processes["a"].pid, signal.SIGCONT)
    until(lambda: {of for _, _, of in fleet.notes("dropped", "a")} == at_a, 10)
    slow.unlink()
    fleet.settled()
    woken = {of for _, _, of in fleet.notes("ended", "a")} & at_a
    done = {of for _, _, of in fleet.notes("ended")}
    assert done == at_a
    assert not woken or len(fleet.notes("ended")) > len(at_a)  # only if it claimed them anew


def test_a_machine_that_stops_hands_over_at_once(fleet: Fleet) -> None:
    _, slow = fleet.busy()
    fleet.begin("b")
    stdin = fleet.processes["a"].stdin
    assert stdin is not None
    stdin.close()
    fleet.said("a", "False", "True")  # whether it waited until each evaluation had noticed
    stopped = time.time()
    until(lambda: len(fleet.notes("began", "b")) == 4, 10)
    assert max(at for at, _, _ in fleet.notes("began", "b")) - stopped < 2.5  # under the silence
    slow.unlink()
    fleet.settled()


def test_bursts_to_three_machines_are_folded_and_never_overlap(fleet: Fleet) -> None:
    fleet.begin("a", "b", "c")
    for number in range(60):
        fleet.put("abc"[number % 3], f"id-{number}", number % 4)
    fleet.settled(60)
    assert fleet.overlaps() == []
    began = fleet.notes("began")
    assert {of for _, _, of in began} == {f"7#{number}" for number in range(4)}
    assert len(began) < 30
    assert fleet.dead() == 0


@pytest.mark.parametrize("seconds", [0.5, 2.0, 6.0])  # within, past the lapse, past the silence
def test_a_database_that_is_away_for_a_while_costs_no_job(
    fleet: Fleet, postgres_server: PostgresServer, seconds: float
) -> None:
    proxy = Proxy(postgres_server.port)
    way_round = postgres_server.url(str(sa.make_url(fleet.url).database), proxy.port)
    at_a, slow = fleet.busy(way_round)
    proxy.cut()
    slow.unlink()  # what runs ends, or is dropped, while nothing can be written down
    time.sleep(seconds)
    proxy.mend()
    fleet.settled(60)
    assert {of for _, _, of in fleet.notes("ended")} == at_a
    assert fleet.overlaps() == []
    assert fleet.dead() == 0
    proxy.close()
