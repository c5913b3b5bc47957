from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.storage.jsonl import JsonlStore
from protea.testing.contracts.session_store import SessionStoreContract


class TestJsonlStore(SessionStoreContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "home" / "sessions"

    def store(self) -> JsonlStore:
        return JsonlStore(str(self.folder))
