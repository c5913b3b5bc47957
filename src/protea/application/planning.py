"""A plan was agreed on: it is kept before the model's eyes, its steps are the list, and work begins. See `beside`."""

from __future__ import annotations

from typing import Protocol

from protea.application.hub import Hub
from protea.domain.events import Lasting, PinsChanged, TodoChanged
from protea.domain.permission import Mode
from protea.domain.plan import HEAD, agreement, steps_of
from protea.domain.tools import ToolResult


class Planner(Protocol):
    """The session, as far as it is needed here."""

    @property
    def hub(self) -> Hub: ...
    @property
    def pins(self) -> tuple[str, ...]: ...

    async def leave_plan_mode(self, *beside: Lasting) -> Mode: ...


async def agreed(planner: Planner, plan: str, *, edited: bool) -> ToolResult:
    """Pin the plan, make its steps the list and go on in the mode from before: all of it or nothing."""
    others = tuple(pin for pin in planner.pins if not pin.startswith(HEAD))
    mode = await planner.leave_plan_mode(
        PinsChanged(pins=(*others, f"{HEAD}\n{plan}")), TodoChanged(items=steps_of(plan))
    )
    return ToolResult(agreement(plan, mode, edited=edited))
