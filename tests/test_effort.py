"""Effort is counted for one file at a time, and what is left out is remembered."""

import pytest

from bot.detect import effort
from bot.detect.effort import Effort, ExceededError


def test_nothing_is_counted_where_no_file_is_evaluated() -> None:
    effort.spend(10 * effort.MOST)
    effort.skip()
    assert effort.once("a", lambda: 1) == 1
    assert effort.once("a", lambda: 2) == 2


def test_more_than_a_file_may_take_is_refused_and_remembered() -> None:
    given = Effort(10)
    with given.counted():
        effort.spend(10)
        assert not given.skipped
        with pytest.raises(ExceededError):
            effort.spend(1)
    assert given.skipped


def test_what_is_said_again_is_made_once_and_costs_less() -> None:
    given = Effort()
    with given.counted():
        assert effort.once("a", lambda: 1) == 1
        left = given.left
        assert effort.once("a", lambda: 2) == 1
        assert left > given.left
        effort.spend_script(1_000, 1)
    assert given.left < left - 2 * (effort.MOST - left)


def test_the_first_of_many_are_enough_unless_there_are_more() -> None:
    given = Effort()
    with given.counted():
        assert list(effort.first([1, 2], 2)) == [1, 2]
        assert not given.skipped
        assert list(effort.first([1, 2, 3], 2)) == [1, 2]
    assert given.skipped


def test_one_file_knows_nothing_of_another() -> None:
    outer, inner = Effort(), Effort()
    with outer.counted():
        effort.once("a", lambda: 1)
        with inner.counted():
            assert effort.once("a", lambda: 2) == 2
            effort.skip()
        assert effort.once("a", lambda: 3) == 1
    assert inner.skipped
    assert not outer.skipped
