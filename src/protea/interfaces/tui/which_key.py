"""What may follow the keys that were pressed: shown while a sequence goes on."""

from __future__ import annotations

from collections.abc import Callable

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.keys import ACTIONS, shown
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.themes import Look

COLUMN = 38


class WhichKey(Lines):
    """Above the status bar, in as many columns as fit."""

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(look, id="which-key")
        self._following: list[tuple[str, str]] = []

    def show(self, following: list[tuple[str, str]]) -> None:
        # Nine keys for nine tabs are one thing to know.
        numbered = [key for key, action in following if action.startswith("tab.") and action[4:].isdigit()]
        others = [(key, action) for key, action in following if key not in numbered]
        following = others + ([(f"{numbered[0]}-{numbered[-1]}", "tab")] if numbered else [])
        if following or self._following:
            self._following = following
            self.again()

    def rows(self, width: int) -> list[Row]:
        if not self._following:
            return []
        columns = max(1, width // COLUMN)
        height = -(-len(self._following) // columns)
        rows: list[list[tuple[str, str]]] = [[(" ", "text")] for _ in range(height)]
        for place, (key, action) in enumerate(self._following):
            text = one_line(ACTIONS.get(action, "to a tab" if action == "tab" else action), COLUMN - 11)
            row = rows[place % height]
            row += [(f"{shown(key):>8} ", "key"), (text + " " * (COLUMN - 10 - width_of(text)), "text")]
        room = self.app.size.height - 3
        if height > room:
            left_out = sum(place % height >= room - 1 for place in range(len(self._following)))
            rows = [*rows[: room - 1], [("  " + one_line(f"… {left_out} more; h lists all keys", width - 4), "warn")]]
        return [[("─" * width, "rule")], *rows]
