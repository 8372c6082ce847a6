"""A stage for each module, and a repository of its own for each scenario."""

from collections.abc import Iterator

import pytest

from tests.scenarios.stage import Scene, Stage


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("stage"))
    yield made
    made.close()


@pytest.fixture
def scene(stage: Stage) -> Iterator[Scene]:
    yield stage.scene()
    stage.github.faults.clear()
    stage.github.webhooks.lose(None)
