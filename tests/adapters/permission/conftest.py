"""One fixture project for all tests of the engine: nothing in them writes."""

from __future__ import annotations

import pytest

from tests.adapters.permission.scenery import Scenery, build


@pytest.fixture(scope="session")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Scenery:
    return build(tmp_path_factory.mktemp("permission"))


@pytest.fixture(scope="session")
def nowhere() -> Scenery:
    """The same project where nothing of it exists."""
    return Scenery("/nonexistent/srv/repo", "/nonexistent/home/u")
