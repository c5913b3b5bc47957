"""A widget of a few lines of styled text, drawn from a function. What bars, strips and cards are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from protea.interfaces.tui.frame import drawable
from protea.interfaces.tui.painting import Painted
from protea.interfaces.tui.themes import Look

Row = Sequence[tuple[str, str]]
"""(text, role) from left to right."""


UNDRAWN = str.maketrans("─│┼▌▎", "     ")
"""Lines and bars as blanks, for who hears the screen."""


class Lines(Painted):
    """Shows what `rows` gives for a width; as high as that is, and gone where there is nothing."""

    DEFAULT_CSS = "Lines { height: auto; width: 1fr; }"

    def __init__(self, look: Callable[[], Look], *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._look = look
        self._shown: list[Row] = []

    def rows(self, width: int) -> list[Row]:
        """What is shown. Overridden."""
        return []

    def again(self) -> None:
        """What is shown has changed."""
        if not self.is_attached:
            return
        before = len(self._shown)
        self._shown = self.rows(self.size.width or self.app.size.width)
        self.display = bool(self._shown)
        if len(self._shown) != before:
            self.styles.height = len(self._shown)
            self.refresh()
        elif before:
            self.paint()

    def on_mount(self) -> None:
        self.again()

    def on_resize(self, event: events.Resize) -> None:
        self.again()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._shown)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        look = self._look()
        if y >= len(self._shown):
            return Strip.blank(width, look.base)
        return strip(self._shown[y], width, look)


def strip(row: Row, width: int, look: Look) -> Strip:
    """One row, filled up to `width`."""
    if look.words_only:
        row = [(text.translate(UNDRAWN) if role in ("active", "rule") else text, role) for text, role in row]
    return Strip([Segment(drawable(text), look[role]) for text, role in row if text]).adjust_cell_length(
        width, look.base
    )
