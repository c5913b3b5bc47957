"""The scripted gateway keeps what every gateway promises, so a face tested with it is tested."""

from __future__ import annotations

from protea.testing.contracts.gateway import GatewayContract
from protea.testing.gateway import ScriptedGateway, saying


class TestScriptedGateway(GatewayContract):
    def cwd(self) -> str:
        return "/project"

    async def gateway(self) -> ScriptedGateway:
        return ScriptedGateway(saying("Hello there.", "Hello ", "there."))
