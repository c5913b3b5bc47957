"""ProposePlan: a plan for the person. Who asks is the runner; agreed to, it is carried out from here on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class ProposePlan:
    """Runs only once the person has agreed; what they wrote is the plan as they edited it."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        if context.beside is None:
            return ToolResult("There is nobody to agree to a plan here.", is_error=True)
        edited = (context.answer or "").strip()
        return await context.beside.agreed(edited or str(arguments["plan"]), edited=bool(edited))
