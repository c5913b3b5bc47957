"""Nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.capability import CapabilityCard


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to choose."""


class NoCapability:
    problems: Sequence[str] = ()

    async def discover(self) -> Sequence[CapabilityCard]:
        return ()

    async def render(self) -> str:
        return ""

    async def specs(self) -> Sequence[ToolSpec]:
        return ()

    async def invoke(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        return ToolResult(f"There is no {tool}.", is_error=True)

    async def aclose(self) -> None:
        """Nothing is open."""


def create(options: Options) -> NoCapability:
    return NoCapability()
