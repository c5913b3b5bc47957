"""Limits of a turn and the guard against circles."""

from __future__ import annotations

import pytest

from protea.domain.limits import Limits, LoopGuard, Spent, exceeded
from protea.domain.messages import ToolCall


@pytest.mark.parametrize(
    ("limits", "spent", "next_cost", "limit"),
    [
        (Limits(), Spent(1000, 1000.0, 1e6), 5.0, None),
        (Limits(turns=3), Spent(turns=2), 0.0, None),
        (Limits(turns=3), Spent(turns=3), 0.0, "turns"),
        (Limits(budget_usd=1.0), Spent(cost_usd=0.9), 0.05, None),
        (Limits(budget_usd=1.0), Spent(cost_usd=0.9), 0.2, "budget"),
        (Limits(budget_usd=1.0), Spent(cost_usd=1.0), 0.0, "budget"),
        (Limits(budget_usd=0.0), Spent(), 0.0, "budget"),
        (Limits(seconds=5), Spent(seconds=4.9), 0.0, None),
        (Limits(seconds=5), Spent(seconds=5.0), 0.0, "time"),
    ],
)
def test_a_limit_stops_before_the_request_that_would_break_it(
    limits: Limits, spent: Spent, next_cost: float, limit: str | None
) -> None:
    assert exceeded(limits, spent, next_cost) == limit


def rounds(pattern: str) -> int:
    guard, count = LoopGuard(), 0
    for name in pattern:
        count = guard.rounds([(ToolCall(id="x", name=name, arguments={}), "same")])
    return count


@pytest.mark.parametrize(
    ("pattern", "count"), [("A", 1), ("AAA", 3), ("AAB", 1), ("ABABAB", 3), ("ABCABCABC", 3), ("ABCD", 1), ("BAAAA", 4)]
)
def test_cycles_of_up_to_three_calls_are_counted(pattern: str, count: int) -> None:
    assert rounds(pattern) == count


def test_another_result_is_progress() -> None:
    guard = LoopGuard()
    call = ToolCall(id="x", name="BashOutput", arguments={"id": "b1"})
    assert [guard.rounds([(call, f"line {n}")]) for n in range(6)] == [1] * 6
