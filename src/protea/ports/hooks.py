"""The port to what people let run around tools, prompts, turns and sessions. Swap class: hot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from protea.domain.hooks import HookMoment, HookSaid, Moment


class Hooks(Protocol):
    """Commands, addresses and functions that are asked at certain moments."""

    def wants(self, moment: Moment, tool: str | None = None) -> bool:
        """Whether any hook is about this moment (and this tool). Cheap: it is asked for every call."""
        ...

    async def run(self, moment: HookMoment) -> Sequence[HookSaid]:
        """Ask every hook that is about the moment, in their order; a later one is told what an earlier one rewrote.

        Never raises for what goes wrong with a hook: that is in `HookSaid.failed`, and where the hook is strict its
        verdict is to deny. Each is given a bounded time. Cancelled, whatever was started is ended first.
        """
        ...

    async def aclose(self) -> None:
        """Free what was opened."""
        ...
