"""No tools: an agent that can only talk."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protea.domain.tools import ToolSpec
from protea.ports.toolset import Tool, Toolset


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is nothing to choose."""


def create(options: Options) -> Toolset:
    return NoTools()


class NoTools:
    """`Toolset` without a tool."""

    def specs(self) -> Sequence[ToolSpec]:
        return ()

    def tool(self, name: str) -> Tool | None:
        return None

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None

    @property
    def cwd(self) -> str | None:
        return None

    async def aclose(self) -> None:
        """There is nothing to close."""
