"""`Sessions` keeps what every gateway promises, over each store."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.storage.jsonl import JsonlStore
from protea.adapters.storage.memory import MemoryStore
from protea.application.sessions import Sessions
from protea.ports.session_store import SessionStore
from protea.testing.contracts.gateway import GatewayContract
from tests.application.world import World, says


class TestSessions(GatewayContract):
    @pytest.fixture(autouse=True, params=["memory", "jsonl"])
    def _store(self, request: pytest.FixtureRequest, tmp_path: Path) -> None:
        jsonl = request.param == "jsonl"
        self._kept: SessionStore = JsonlStore(str(tmp_path / "sessions")) if jsonl else MemoryStore()

    def cwd(self) -> str:
        return "/project"

    async def gateway(self) -> Sessions:
        return World(*(says("Hello there.") for _ in range(9)), store=self._kept, cwd=self.cwd()).gateway
