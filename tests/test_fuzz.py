"""A short run of tests/fuzz.py, and that it would see what fails."""

import itertools
import random
import time

import pytest

from tests import fuzz


def test_mutated_cases_neither_raise_nor_hang() -> None:
    end = time.monotonic() + 5
    report = fuzz.fuzz(fuzz.corpus(()), itertools.count(1), lambda: time.monotonic() < end)
    assert report.failures == []
    assert report.inputs > 0
    assert report.formats


def test_a_failure_is_reported_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(fuzz, "detect", broken)
    report = fuzz.fuzz({"tree": {"Dockerfile": b"FROM a\n"}}, iter((7,)), lambda: True)
    assert report.inputs == 1
    assert report.failures[0].startswith("seed 7: tree Dockerfile\n")
    assert "too deep" in report.failures[0]


def test_an_input_that_takes_too_long_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object) -> None:
        time.sleep(30)

    monkeypatch.setattr(fuzz, "detect", slow)
    monkeypatch.setattr(fuzz, "HANG", 1)
    report = fuzz.fuzz({"tree": {"Dockerfile": b"FROM a\n"}}, iter((7,)), lambda: True)
    assert "_HungError" in report.failures[0]


def test_a_seed_makes_the_same_input_again() -> None:
    data = b"services:\n  a:\n    image: b\n" * 3
    made = {seed: fuzz.mutated(data, random.Random(seed)) for seed in range(50)}
    assert made == {seed: fuzz.mutated(data, random.Random(seed)) for seed in range(50)}
    assert len(set(made.values())) > 40
