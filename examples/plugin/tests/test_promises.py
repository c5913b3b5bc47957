"""The adapters of this package keep what their ports promise: the suites ship with Protea."""

from __future__ import annotations

from pathlib import Path

import pytest
from protea_garden import almanac, gardener, logbook

from protea.testing.clock import FakeClock
from protea.testing.contracts.notifier import NotifierContract
from protea.testing.contracts.persona import PersonaContract
from protea.testing.contracts.toolset import ToolsetContract


class TestGardener(PersonaContract):
    def persona(self) -> gardener.Gardener:
        return gardener.create(gardener.Options())


class TestLogbook(NotifierContract):
    @pytest.fixture(autouse=True)
    def _file(self, tmp_path: Path) -> None:
        self._path = tmp_path / "logbook.txt"

    def notifier(self) -> logbook.Logbook:
        return logbook.create(logbook.Options(file=str(self._path)), clock=FakeClock())


class TestAlmanac(ToolsetContract):
    def toolset(self) -> almanac.Almanac:
        return almanac.create(almanac.Options(), clock=FakeClock())
