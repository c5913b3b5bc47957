"""What stands where nothing was said yet: the head the first frame drew, and how to begin."""

from __future__ import annotations

from collections.abc import Callable

from protea._version import __version__
from protea.interfaces.terminal import one_line
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.line import Lines, Row
from protea.interfaces.tui.themes import Look


class Welcome(Lines):
    """Fills the conversation's place until the first prompt."""

    DEFAULT_CSS = "Welcome { height: 1fr; width: 1fr; }"

    def __init__(self, look: Callable[[], Look], desk: Desk) -> None:
        super().__init__(look, id="welcome")
        self._desk = desk
        self.facts: dict[str, str] = {}
        """What a session is made of: name → value."""

    def again(self) -> None:
        if self.is_attached:
            self._shown = self.rows(self.size.width or self.app.size.width)
            self.refresh()

    def rows(self, width: int) -> list[Row]:
        cwd = self._desk.place.open.cwd
        rows: list[Row] = [[(f" Protea {__version__}", "user")], [(one_line(" " + cwd, width - 1), "dim")]]
        if self.facts:
            rows.append([])
        rows += [[(f" {name:<9}", "dim"), (one_line(value, width - 12), "text")] for name, value in self.facts.items()]
        return rows
