"""The row of tabs; not there while there is only one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.state import State
from protea.interfaces.tui.themes import Look


def state_mark(state: State) -> tuple[str, str]:
    """What a session is doing, in one character and its colour."""
    if state.questions:
        return "?", "question"
    if state.busy:
        return "▶", "accent"
    return {"error": ("✗", "bad"), "interrupted": ("!", "warn"), "limit": ("!", "warn")}.get(
        state.outcome or "", ("·", "dim")
    )


class TabBar(Lines):
    """One row; a click goes there."""

    def __init__(self, look: Callable[[], Look], tabs: Callable[[], tuple[Sequence[State], int]]) -> None:
        super().__init__(look, id="tabs")
        self._tabs = tabs
        self._places: list[tuple[int, int]] = []
        self.chosen: Callable[[int], None] = lambda place: None

    def rows(self, width: int) -> list[Row]:
        states, at = self._tabs()
        if len(states) < 2:
            return []
        room = max(6, width // len(states) - 6)
        row: list[tuple[str, str]] = []
        self._places = []
        used = 0
        for place, state in enumerate(states):
            mark, role = state_mark(state)
            title = one_line(state.title or "new session", room)
            current = place == at
            parts = [
                (f" {place + 1} ", "key" if current else "dim"),
                (mark, role),
                (f" {title} ", "select" if current else "text"),
            ]
            size = sum(width_of(text) for text, _ in parts)
            self._places.append((used, used + size))
            used += size
            row += parts
        return [row]

    def on_click(self, event: events.Click) -> None:
        for place, (begin, end) in enumerate(self._places):
            if begin <= event.x < end:
                self.chosen(place)
