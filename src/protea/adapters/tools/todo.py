"""TodoWrite: the model's own list of what is to be done. The list is an event; nothing is kept here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protea.adapters.tools._kit import Kit
from protea.domain.tools import TodoItem, ToolResult, ToolSpec
from protea.ports.toolset import ToolContext


class TodoWrite:
    """Replaces the list."""

    def __init__(self, spec: ToolSpec, kit: Kit) -> None:
        self.spec = spec

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        items = tuple(TodoItem(text=str(item["text"]), status=item["status"]) for item in arguments["items"])
        done = sum(item.status == "done" for item in items)
        now = [item.text for item in items if item.status == "in_progress"]
        text = f"{len(items)} items, {done} done" + (f"; now: {'; '.join(now)}" if now else "") + "."
        return ToolResult(text if items else "The list is empty.", todo=items)
