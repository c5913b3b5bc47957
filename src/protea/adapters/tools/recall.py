"""Recall: what was said and done in this session before, word for word, after it was summed up or cleared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.cut import cut
from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class Recall:
    """By words, or whole by the id of a call or the number of a place."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec
        self._limit = kit.options.bash_output

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        wanted = str(arguments["query"]).strip()
        if not wanted:
            return ToolResult("Say what to look for: words, or the id of a call.", is_error=True)
        found = await context.recall(wanted, int(arguments.get("limit", 10)))
        if not found:
            return ToolResult(f"Nothing in this session has all of these words: {wanted}")
        told = "\n\n".join(f"[{each.seq}] {each.what}\n{each.text}" for each in found)
        images = tuple(image for each in found for image in each.images)
        return ToolResult(cut(told, self._limit), images=images)
