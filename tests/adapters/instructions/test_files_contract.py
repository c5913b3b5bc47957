from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.instructions import files
from protea.domain.surroundings import Surroundings
from protea.testing.contracts.instructions import InstructionsContract


class TestFileInstructions(InstructionsContract):
    @pytest.fixture(autouse=True)
    def _project(self, tmp_path: Path) -> None:
        self._root = tmp_path
        (tmp_path / "below").mkdir()
        (tmp_path / "AGENTS.md").write_text("At the root.")
        (tmp_path / "below/CLAUDE.md").write_text("Below.")

    def instructions(self) -> files.FileInstructions:
        root = str(self._root)
        around = Surroundings(cwd=root, root=root, user_home=root, protea_home=root + "/home", environment={})
        return files.create(files.Options(), surroundings=around)

    def directory(self) -> str:
        return str(self._root / "below")

    def test_the_nearest_comes_last(self) -> None:
        assert [each.text for each in self.instructions().load(self.directory())] == ["At the root.", "Below."]
