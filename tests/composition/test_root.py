"""The gateway as a process of its own gets it, and as a library user does."""

from __future__ import annotations

from pathlib import Path

import pytest

from protea.adapters.storage.memory import MemoryStore
from protea.composition.launch import Launch
from protea.composition.root import Given, build, create_gateway
from protea.ports.gateway import Gateway
from protea.testing.contracts.gateway import GatewayContract
from protea.testing.model import ScriptedModel


class Rooted(GatewayContract):
    @pytest.fixture(autouse=True)
    def _folders(self, tmp_path: Path) -> None:
        self._home, self._project = tmp_path / "home", tmp_path / "project"
        self._home.mkdir()
        (self._project / ".git").mkdir(parents=True)

    def cwd(self) -> str:
        return str(self._project)

    def launch(self, model: str | None) -> Launch:
        environment = {"HOME": str(self._home), "PATH": "/usr/bin:/bin", "OLLAMA_HOST": "http://127.0.0.1:9"}
        return Launch(cwd=self.cwd(), environment=environment, warn=lambda line: None, model=model, interactive=False)


class TestGatewayOfAProcess(Rooted):
    async def gateway(self) -> Gateway:
        return await create_gateway(self.launch("offline/grammar"))

    async def test_its_sessions_are_kept_at_home(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "hello")
        assert (self._home / ".protea/sessions" / session / "events.jsonl").is_file()


class TestGatewayOfALibraryUser(Rooted):
    async def gateway(self) -> Gateway:
        model = ScriptedModel(*["Hello."] * 8)
        return build(self.launch(None), Given(model=model, store=MemoryStore()))

    async def test_nothing_is_written(self) -> None:
        async with self.opened() as (gateway, session):
            await self.run(gateway, session, "hello")
        assert not (self._home / ".protea/sessions").exists()
