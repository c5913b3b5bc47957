"""Each checkpoint through the contract of its port."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.checkpoint import none, snapshots
from protea.ports.checkpoint import Checkpoint
from protea.testing.checkpoint import RecordingCheckpoint
from protea.testing.contracts.checkpoint import CheckpointContract
from tests.adapters.checkpoint.trees import around


class TestSnapshots(CheckpointContract):
    @pytest.fixture(autouse=True)
    def _made(self, tmp_path: Path) -> None:
        self._around = around(tmp_path)
        self._checkpoint = snapshots.create(snapshots.Options(), surroundings=self._around)

    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    def path(self) -> str:
        return f"{self._around.root}/a"


class TestNone(CheckpointContract):
    def checkpoint(self) -> Checkpoint:
        return none.create(none.Options())

    def path(self) -> str:
        return "/project/a"


class TestTheFake(CheckpointContract):
    @pytest.fixture(autouse=True)
    def _made(self) -> None:
        self._checkpoint = RecordingCheckpoint()

    def checkpoint(self) -> Checkpoint:
        return self._checkpoint

    def path(self) -> str:
        return "/project/a"
