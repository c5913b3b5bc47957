"""AskUser: a question to the person. Who asks and waits is the runner; the answer is there when the call runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class AskUser:
    """Gives the model the answer."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        if context.answer is None:
            return ToolResult("Nobody can answer in this run. Decide yourself, go on, and say what you assumed.")
        answer = context.answer.strip()
        return ToolResult(f"They answered: {answer}" if answer else "They gave an empty answer.")
