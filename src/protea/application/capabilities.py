"""What comes from outside as a part of a session: told in its system prompt, used by tools. Made by `root`.

It is looked at once, before the first request: what the model was told stays the same bytes for as long as the session
goes on, and what it does with it is found anew each time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from protea.domain.tools import ToolResult, ToolSpec
from protea.ports.capability import Capability
from protea.ports.toolset import Tool, ToolContext


class Capabilities:
    """A `Toolset` over the port. Without tools and words until it is `ready`."""

    def __init__(self, opened: Callable[[], Capability]) -> None:
        """`opened` gives what fills the port; it is not called before there is need."""
        self._opened = opened
        self._specs: tuple[ToolSpec, ...] = ()
        self.text = ""
        """What the system prompt says of them."""

    async def ready(self) -> Sequence[str]:
        """Look at what there is, and give what a person should know of it. Never raises: whatever is wrong with what
        somebody brought along, the session goes on without it."""
        try:
            capability = self._opened()
            text = await capability.render()
            self._specs = tuple(await capability.specs())
        except Exception as fault:
            return (f"capabilities are left out: {type(fault).__name__}: {fault}",)
        self.text = text
        return ()

    def specs(self) -> Sequence[ToolSpec]:
        return self._specs

    def tool(self, name: str) -> Tool | None:
        spec = next((each for each in self._specs if each.name == name), None)
        return None if spec is None else _Use(spec, self._opened())

    async def preview(self, name: str, arguments: Mapping[str, Any], may_read: Callable[[str], bool]) -> str | None:
        return None  # what they change is not in the workspace

    @property
    def cwd(self) -> str | None:
        return None

    async def aclose(self) -> None:
        """Whoever made what fills the port closes it."""


class _Use:
    """One of their tools."""

    def __init__(self, spec: ToolSpec, capability: Capability) -> None:
        self._spec = spec
        self._capability = capability

    @property
    def spec(self) -> ToolSpec:
        return self._spec

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        return await self._capability.invoke(self._spec.name, arguments)


class Preparing:
    """Opens what only a request needs: all of it once, whoever asks first; what is wrong with it is told once."""

    def __init__(self, *steps: Callable[[], Awaitable[Sequence[str]]]) -> None:
        self._steps = steps
        self._task: asyncio.Task[None] | None = None
        self._untold: list[str] = []

    async def __call__(self) -> Sequence[str]:
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="prepare")
        # Shielded: an interrupt of who asked first must not leave the next one without.
        await asyncio.shield(self._task)
        told, self._untold = self._untold, []
        return told

    async def _run(self) -> None:
        for step in self._steps:
            self._untold += await step()
