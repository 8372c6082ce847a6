"""The fixture: ``from tests.github.fixtures import github`` in a test module or a conftest."""

from collections.abc import Iterator

import pytest

from .hub import SmallGitHub


@pytest.fixture
def github() -> Iterator[SmallGitHub]:
    """Run a small GitHub; the test fails if anything did not hold against GitHub's description."""
    with SmallGitHub() as running:
        yield running
        running.settle()
    assert running.violations == []
