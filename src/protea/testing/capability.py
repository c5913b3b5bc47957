"""Capabilities from a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.capability import CapabilityCard


class TableCapability:
    """`Capability` whose names lead to texts, by the one tool `Use`; `used` keeps what was asked for."""

    problems: Sequence[str] = ()

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = dict(texts)
        self.used: list[str] = []

    async def discover(self) -> Sequence[CapabilityCard]:
        return [
            CapabilityCard(name=name, description=f"About {name}.", kind="test", source="a test", digest=text or "-")
            for name, text in sorted(self._texts.items())
        ]

    async def render(self) -> str:
        return f"There are: {', '.join(sorted(self._texts))}." if self._texts else ""

    async def specs(self) -> Sequence[ToolSpec]:
        parameters = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        return (ToolSpec("Use", "Use one.", parameters),) if self._texts else ()

    async def invoke(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        name = str(arguments.get("name", ""))
        self.used.append(name)
        if tool != "Use" or name not in self._texts:
            return ToolResult(f"There is no {tool} {name}.", is_error=True)
        return ToolResult(self._texts[name])

    async def aclose(self) -> None:
        """Nothing is open."""
