from __future__ import annotations

from protea.testing.contracts.gateway import GatewayContract
from protea.testing.gateway import ScriptedGateway, saying


class TestScriptedGateway(GatewayContract):
    async def gateway(self) -> ScriptedGateway:
        return ScriptedGateway(saying("Good day.", "Good ", "day."))

    def cwd(self) -> str:
        return "/project"
