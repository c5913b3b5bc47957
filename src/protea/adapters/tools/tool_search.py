"""ToolSearch: tools that were not named to the model, found by what they do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from protea.adapters.tools._kit import Kit
from protea.domain.tool_search import search
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class ToolSearch:
    """Gives whole schemas, so that what was found can be called at once."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        further = [spec for spec in context.tools() if spec.deferred]
        if not further:
            return ToolResult("There are no further tools: all there are have been named to you.")
        found = search(further, str(arguments["query"]), int(arguments.get("limit", 5)))
        if not found:
            return ToolResult(f"No tool fits. There are: {', '.join(spec.name for spec in further)}.")
        return ToolResult("\n\n".join(_described(spec) for spec in found))


def _described(spec: ToolSpec) -> str:
    schema = msgspec.json.encode(spec.parameters).decode()
    return f"{spec.name}: {spec.description}\narguments: {schema}"
