"""The status bar: mode, model, tasks that run, effort, profile, branch, context, cost. What does not fit is left out,
the least wanted first."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.state import State
from protea.interfaces.tui.themes import Look


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the bar shows."""

    state: State
    branch: str = ""
    window: int | None = None
    """Tokens the model can see."""
    used: int | None = None
    """Tokens it was shown last."""
    cached: float | None = None
    """The share of them that its provider had cached."""
    hint: str = ""
    """Shown in place of everything but the mode, for a moment."""
    keys: str = ""
    """What the keys do in the pane that has them: as a hint, but it stays."""
    vim: str = ""
    inbox: int = 0
    """Questions that wait in other tabs."""


class StatusBar(Lines):
    """One row at the bottom."""

    def __init__(self, look: Callable[[], Look], facts: Callable[[], Facts]) -> None:
        super().__init__(look, id="status")
        self._facts = facts

    def rows(self, width: int) -> list[Row]:
        return [status_row(self._facts(), width)]


def status_row(facts: Facts, width: int) -> Row:
    """Left: the mode, then what it runs with. Right: how full the context is, and the cost."""
    state = facts.state
    badge = (f" {state.mode.upper()} ", f"badge_{state.mode}" if state.mode in ("plan", "yolo") else "badge_normal")
    if facts.hint:
        return [badge, (" ", "text"), (facts.hint, "warn")]
    if facts.keys:
        return [badge, (" ", "text"), (one_line(facts.keys, max(1, width - width_of(badge[0]) - 2)), "dim")]
    left: list[tuple[int, str, str]] = []
    """(how early it is left out, text, role)"""
    if facts.vim:
        left.append((0, f" {facts.vim} ", "badge_vim"))
    if facts.inbox:
        left.append((0, f"{facts.inbox} waiting for an answer", "question"))
    left.append((1, state.model, "text"))
    if running := sum(task.state == "running" for task in state.tasks):
        left.append((2, f"{running} task{'' if running == 1 else 's'}", "accent"))
    if state.effort:
        left.append((4, state.effort, "dim"))
    if state.profile:
        left.append((5, state.profile, "dim"))
    if facts.branch:
        left.append((6, facts.branch, "info"))
    right: list[tuple[int, str, str]] = []
    if facts.used:
        right.append((2, context_text(facts), _fullness(facts)))
    if state.cost_usd:
        right.append((3, f"${state.cost_usd:.4f}" if state.cost_usd < 0.1 else f"${state.cost_usd:.2f}", "dim"))
    for _ in range(len(left) + len(right)):
        free = width - width_of(badge[0]) - sum(width_of(text) + 2 for _, text, _ in (*left, *right)) - 1
        if free >= 0:
            break
        last = max((*left, *right), key=lambda part: part[0])
        if last[0] == 0:
            break
        (left if last in left else right).remove(last)
    row: list[tuple[str, str]] = [badge, (" ", "text")]
    row += [pair for _, text, role in left for pair in ((text, role), ("  ", "text"))]
    used = sum(width_of(text) for text, _ in row)
    tail = [pair for _, text, role in right for pair in ((text, role), ("  ", "text"))][:-1]
    gap = width - used - sum(width_of(text) for text, _ in tail) - 1
    return [*row, (" " * max(1, gap), "text"), *tail] if tail else row


def context_text(facts: Facts) -> str:
    """`ctx 6% of 200k (80% cached)`; `ctx 12k tokens` where nobody knows how many the model can see."""
    used = facts.used or 0
    cached = f" ({facts.cached:.0%} cached)" if facts.cached else ""
    if not facts.window:
        return f"ctx {rounded(used)} tokens{cached}"
    return f"ctx {used / facts.window:.0%} of {rounded(facts.window)}{cached}"


def _fullness(facts: Facts) -> str:
    share = (facts.used or 0) / facts.window if facts.window else 0.0
    return "bad" if share > 0.9 else "warn" if share > 0.7 else "dim"


def rounded(count: int) -> str:
    """`950`, `12k`, `1.2M`."""
    return str(count) if count < 1000 else f"{count / 1000:.0f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"
