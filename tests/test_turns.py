"""Writers to one file of SQLite: one after the other, in order, and what cannot wait goes first."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.turns import Turns, in_turn
from tests.test_queue import until


def queued(turns: Turns) -> int:
    return len(turns._first) + len(turns._others)


def test_who_came_earlier_is_next_and_who_cannot_wait_is_first() -> None:
    turns = Turns()
    assert turns.take()
    order: list[str] = []

    def wait(name: str, *, first: bool) -> None:
        assert turns.take(first=first)
        order.append(name)
        turns.give()

    waiting = []
    for number, (name, first) in enumerate((("one", False), ("two", False), ("urgent", True)), 1):
        waiting.append(threading.Thread(target=wait, args=(name,), kwargs={"first": first}))
        waiting[-1].start()
        until(lambda number=number: queued(turns) == number)  # type: ignore[misc]
    turns.give()
    for thread in waiting:
        thread.join()
    assert order == ["urgent", "one", "two"]
    assert turns.take(patience=0)


def test_who_waited_too_long_leaves_the_queue() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take(patience=0.01)
    assert queued(turns) == 0
    turns.give()
    assert turns.take(patience=0)


@pytest.fixture
def open_one(tmp_path: Path) -> Iterator[Callable[[Turns], sqlite3.Connection]]:
    """Connections that wait for no lock of the file: each needs its turn."""
    opened: list[sqlite3.Connection] = []

    def connect(turns: Turns) -> sqlite3.Connection:
        made = sqlite3.connect(
            tmp_path / "file",
            timeout=0,
            isolation_level="IMMEDIATE",
            factory=in_turn(turns),
            check_same_thread=False,
        )
        opened.append(made)
        return made

    yield connect
    for made in opened:
        made.close()


def test_many_writers_never_meet_a_lock(
    open_one: Callable[[Turns], sqlite3.Connection],
) -> None:
    turns = Turns()
    with closing(open_one(turns)) as made:
        made.execute("PRAGMA journal_mode=WAL")
        made.execute("CREATE TABLE numbers (number)")
    failed: list[Exception] = []

    def write(connection: sqlite3.Connection) -> None:
        try:
            for number in range(50):
                cursor = connection.cursor()
                cursor.execute("INSERT INTO numbers VALUES (?)", (number,))
                cursor.executemany("UPDATE numbers SET number = ?", [(1,), (2,)])
                if number % 5:
                    connection.commit()
                else:
                    connection.rollback()
        except sqlite3.Error as error:
            failed.append(error)

    writers = [threading.Thread(target=write, args=(open_one(turns),)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    with closing(open_one(turns)) as made:
        assert made.execute("SELECT count(*) FROM numbers").fetchone() == (8 * 40,)


@pytest.mark.parametrize("how", ["refused", "rolled back", "closed", "read"])
def test_a_turn_is_over_however_the_transaction_ends(
    open_one: Callable[[Turns], sqlite3.Connection], how: str
) -> None:
    turns = Turns()
    made = open_one(turns)
    made.execute("CREATE TABLE numbers (number UNIQUE)")
    cursor = made.cursor()
    match how:
        case "refused":
            with pytest.raises(sqlite3.OperationalError):
                cursor.execute("INSERT INTO nowhere VALUES (1)")
            made.rollback()
        case "rolled back":
            cursor.execute("INSERT INTO numbers VALUES (1)")
            assert not turns.take(patience=0)
            made.rollback()
        case "closed":
            cursor.execute("INSERT INTO numbers VALUES (1)")
            made.close()
        case _:
            cursor.execute("WITH one AS (SELECT 1) SELECT * FROM one").fetchall()
            cursor.execute("SELECT * FROM numbers")
    assert turns.take(patience=0)


def test_without_a_turn_in_time_the_file_is_locked(
    open_one: Callable[[Turns], sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = Turns()
    made = open_one(turns)
    made.execute("CREATE TABLE numbers (number)")
    monkeypatch.setattr(turns, "take", lambda *, first: first)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        made.cursor().execute("INSERT INTO numbers VALUES (1)")
