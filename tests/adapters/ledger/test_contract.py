"""Both ledgers keep the contract of the port."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.ledger.file import FileLedger
from protea.adapters.ledger.memory import MemoryLedger
from protea.testing.contracts.ledger import LedgerContract


class TestFileLedger(LedgerContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self._path = tmp_path / "home/ledger"

    def ledger(self) -> FileLedger:
        return FileLedger(str(self._path))


class TestMemoryLedger(LedgerContract):
    @pytest.fixture(autouse=True)
    def _kept(self) -> None:
        self._ledger = MemoryLedger()

    def ledger(self) -> MemoryLedger:
        return self._ledger
