"""The port to capabilities from outside: skills, servers of tools, other agents. Swap class: hot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from protea.domain.tools import ToolResult, ToolSpec


class CapabilityCard(msgspec.Struct, frozen=True, kw_only=True):
    """One capability, as far as it is known without opening it."""

    name: str
    description: str
    kind: str
    """`skill`, `mcp`, `agent` …"""
    source: str
    """Where it comes from: a path or an address."""
    digest: str
    """Of all that a model is told of it: when this changes, it is another capability."""


class Capability(Protocol):
    """Whatever its protocol: found, shown to the model in as few words as will do, and used when it is wanted."""

    async def discover(self) -> Sequence[CapabilityCard]:
        """What there is, by name, each once. Cheap: nothing is opened that is not needed to say so. What is broken is
        left out, and told by `problems`."""
        ...

    @property
    def problems(self) -> Sequence[str]:
        """What `discover` last left out and why, a line each."""
        ...

    async def render(self) -> str:
        """What the system prompt says of them; empty where there are none. The same bytes while nothing has changed."""
        ...

    async def specs(self) -> Sequence[ToolSpec]:
        """The tools by which the model uses them, in a fixed order; none where there is nothing to use."""
        ...

    async def invoke(self, tool: str, arguments: Mapping[str, Any]) -> ToolResult:
        """Use one, by one of its tools. Mistakes are results that say so."""
        ...

    async def aclose(self) -> None: ...
