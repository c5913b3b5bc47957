"""Limits of a turn, and the guard against going round in circles. Pure; `application.turn` asks them."""

from __future__ import annotations

import msgspec

from protea.domain.messages import ToolCall

NOTICE_AFTER = 3
"""So many equal calls with equal results in a row, and the model is told."""
STOP_AFTER = 8
"""So many, and the turn ends."""
LONGEST_CYCLE = 3
"""Cycles of up to so many different calls are noticed: A A A, A B A B A B, A B C A B C A B C."""


class Limits(msgspec.Struct, frozen=True):
    """What a turn may use. None is no limit."""

    turns: int | None = None
    """Replies of the model."""
    budget_usd: float | None = None
    seconds: float | None = None


class Spent(msgspec.Struct, frozen=True):
    turns: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0


def exceeded(limits: Limits, spent: Spent, next_cost: float = 0.0) -> str | None:
    """Which limit forbids one more request: `turns`, `budget`, `time` or None.

    `next_cost` is what the request is expected to cost in dollars: a budget stops before the request that breaks it.
    """
    if limits.turns is not None and spent.turns >= limits.turns:
        return "turns"
    if limits.budget_usd is not None and (
        spent.cost_usd >= limits.budget_usd or spent.cost_usd + next_cost > limits.budget_usd
    ):
        return "budget"
    if limits.seconds is not None and spent.seconds >= limits.seconds:
        return "time"
    return None


class LoopGuard:
    """Counts how often the same calls came back with the same results."""

    def __init__(self) -> None:
        self._steps: list[tuple[object, ...]] = []
        self.noticed = False
        """Whether the model has been told of the circle it is in; False again once it has left it."""

    def rounds(self, step: list[tuple[ToolCall, str]]) -> int:
        """Note one reply's calls with their results; how many times in a row this cycle has now been gone through."""
        self._steps.append(tuple((call.name, repr(call.arguments), text) for call, text in step))
        del self._steps[: -STOP_AFTER * LONGEST_CYCLE]
        rounds = max(_repeats(self._steps, period) for period in range(1, LONGEST_CYCLE + 1))
        self.noticed = self.noticed and rounds > 1
        return rounds


def _repeats(steps: list[tuple[object, ...]], period: int) -> int:
    cycle = steps[-period:]
    count = 0
    while steps[len(steps) - period * (count + 1) : len(steps) - period * count] == cycle and period * (
        count + 1
    ) <= len(steps):
        count += 1
    return count
