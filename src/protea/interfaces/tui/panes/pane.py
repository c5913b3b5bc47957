"""A pane: a title, rows, and a row that is marked. What each pane shows it says in `entries`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip

from protea.interfaces.terminal import one_line
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.line import Row, strip
from protea.interfaces.tui.painting import Painted
from protea.interfaces.tui.themes import Look


class Entry(msgspec.Struct, frozen=True):
    """One row."""

    row: Row
    key: str = ""
    """What it is; rows without one cannot be marked."""


class Pane(Painted):
    """Beside the conversation. The screen tells it what keys say, by `act`."""

    DEFAULT_CSS = "Pane { width: 32; height: 1fr; display: none; }"
    name_of = ""
    heading = ""
    side = "right"

    def __init__(self, look: Callable[[], Look]) -> None:
        super().__init__(id=f"pane-{self.name_of}")
        self._look = look
        self.at = 0
        self.top = 0
        self.active = False
        self.list: list[Entry] = []
        self._listed_for = 0
        """The width the list was made for."""
        self.writing = False
        """Whether characters are written here, and mean nothing else."""
        self.focus_me: Callable[[Pane], None] = lambda pane: None
        self.drag_me: Callable[[Pane, int], None] = lambda pane, step: None
        """Called while its edge is dragged, with how many columns wider it is to be."""
        self.zoom_me: Callable[[], None] = lambda: None
        self._dragging = False

    # ── what a pane says of itself ─────────────────────────────────────────────────────────────────────────────────

    def entries(self, width: int) -> list[Entry]:
        """All rows."""
        return []

    def opened(self, key: str) -> None:
        """A row was taken."""

    def shown(self) -> None:
        """It has become visible."""

    def details(self) -> str:
        """Behind the title."""
        return ""

    def keys(self) -> str:
        """What can be done with the row that is marked, where it is more than to move and to take it."""
        return ""

    # ── moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def busy(self) -> bool:
        """Whether keys go on with something that was begun with others."""
        return self.writing

    @property
    def room(self) -> int:
        return max(1, self.size.height - 1)

    @property
    def current(self) -> Entry | None:
        return self.list[self.at] if 0 <= self.at < len(self.list) else None

    def again(self) -> None:
        """What it shows has changed."""
        if not self.is_attached or not self.display:
            return
        self._gather()
        self.paint()

    def _gather(self) -> None:
        kept = self.current.key if self.current is not None else ""
        self._listed_for = self.size.width
        self.list = self.entries(max(8, self._listed_for - 2))
        if kept and not (self.current is not None and self.current.key == kept):
            self.at = next((place for place, entry in enumerate(self.list) if entry.key == kept), self.at)
        self._place(self.at)

    def mark(self, at: int) -> None:
        self._place(at)
        self.paint()

    def _place(self, at: int) -> None:
        self.at = max(0, min(at, len(self.list) - 1))
        self.top = min(max(self.top, self.at - self.room + 1), self.at)
        self.top = max(0, min(self.top, len(self.list) - self.room))

    def act(self, action: str) -> bool:
        """Do a `list.` action; whether it was one."""
        moves = {
            "list.up": self.at - 1,
            "list.down": self.at + 1,
            "list.page_up": self.at - self.room,
            "list.page_down": self.at + self.room,
            "list.top": 0,
            "list.bottom": len(self.list) - 1,
        }
        if action in moves:
            self.mark(moves[action])
        elif action in ("list.take", "list.open"):
            if self.current is not None and self.current.key:
                self.opened(self.current.key)
        else:
            return False
        return True

    def write(self, character: str) -> None:
        """A character that means nothing else."""

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_resize(self, event: events.Resize) -> None:
        self.again()

    @property
    def _edge(self) -> int:
        """The column that parts it from the conversation."""
        return 0 if self.side == "right" else self.size.width - 1

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.x == self._edge:
            self._dragging = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging and event.x != self._edge:
            self.drag_me(self, event.x - self._edge if self.side == "left" else self._edge - event.x)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragging:
            self._dragging = False
            self.release_mouse()
            event.stop()

    def on_click(self, event: events.Click) -> None:
        if event.x == self._edge:
            return
        self.focus_me(self)
        if event.y == 0 and event.chain == 2:
            self.zoom_me()
        elif event.y > 0:
            self.mark(self.top + event.y - 1)
            if self.current is not None and self.current.key:
                self.opened(self.current.key)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self.top = max(0, min(self.top + 3, len(self.list) - self.room))
        self.paint()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self.top = max(0, self.top - 3)
        self.paint()

    def render_lines(self, crop: Region) -> list[Strip]:
        # A pane that was touched between being mounted and being laid out is never told its first size.
        if self._listed_for != self.size.width:
            self._gather()
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        look, width = self._look(), self.size.width
        edge = Segment(" " if look.words_only else "│", look["active" if self.active else "rule"])
        inner = width - 1
        if y == 0:
            title = f" {self.heading} "[:inner]
            details = one_line(self.details(), max(1, inner - width_of(title) - 2))
            line = (" " if look.words_only else "─") * max(0, inner - width_of(title) - width_of(details) - 1)
            role = "active" if self.active else "rule"
            drawn = strip([(title, "heading"), (details, "dim"), (" " + line, role)], inner, look)
        else:
            place = self.top + y - 1
            if place >= len(self.list):
                drawn = Strip.blank(inner, look.base)
            else:
                drawn = strip([(" ", "text"), *self.list[place].row], inner, look)
                if place == self.at and self.active and self.list[place].key:
                    drawn = drawn.apply_style(look["select"])
        segments = [edge, *drawn] if self.side == "right" else [*drawn, edge]
        return Strip(segments, width)
