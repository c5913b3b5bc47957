"""Draws a widget at once.

Textual gathers what is to be drawn and draws it up to sixty times a second, after several messages have gone round: too
late for a key that was pressed, and for text that streams in it costs more than the text. What changes often is drawn
here instead: its own rows, those that are other than before, in one write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from protea.interfaces.tui.driver import ScreenDriver


class Unscrolled(Widget):
    """A widget that is given its room and never scrolls: of another size it is drawn again, but nothing is laid out a
    second time for its sake, as Textual does for those whose scroll bars may come and go. Stands behind Textual's own
    base where there is one: only the first base gives its CSS. One that others cover wholly is `BLANK`: then nothing is
    looked up for each of its rows."""

    def _size_updated(self, size: Size, virtual_size: Size, container_size: Size, layout: bool = False) -> bool:
        return super()._size_updated(size, virtual_size, container_size, layout=False)


class Painted(Unscrolled):
    """A widget that draws itself at once where that can be done. It draws its rows whole: it has no border, no padding
    and nothing else that Textual would have to look for around each of them."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._standing: dict[int, Strip] = {}
        """Each row as it was drawn last."""

    def render_lines(self, crop: Region) -> list[Strip]:
        filters = self.get_line_filters()
        background = self.background_colors[1]
        strips = []
        for y in crop.line_range:
            strip = self.render_line(y)
            for each in filters:
                strip = strip.apply_filter(each, background)
            self._standing[y] = strip
            strips.append(strip)
        whole = crop.column_span == (0, self.size.width)
        return strips if whole else [strip.crop(*crop.column_span) for strip in strips]

    def paint(self, rows: Sequence[int] | None = None) -> None:
        """Draw what has changed, in the rows that are told, in order; where none are told, all are looked at."""
        if not self._paint_now(range(self.size.height) if rows is None else rows):
            self.refresh(*(Region(0, y, self.size.width, 1) for y in rows or ()))

    def _paint_now(self, rows: Sequence[int]) -> bool:
        """Whether that could be done: not where nothing of it stands there yet, something lies over it, or the terminal
        is behind."""
        if not self.is_attached:
            return False
        app, screen = self.app, self.screen
        driver = app._driver
        if not isinstance(driver, ScreenDriver) or driver.behind or screen is not app.screen or screen._layout_required:
            return False
        region, clip = screen._compositor.visible_widgets.get(self, (Region(), Region()))
        if not region or region.size != self.size or not clip.contains_region(region):
            return False
        console, standing = app.console, self._standing.copy()
        out = []
        for run in _runs(rows):
            strips = self.render_lines(Region(0, run.start, region.width, len(run)))
            for y, strip in zip(run, strips, strict=True):
                if strip != standing.get(y):
                    out.append(f"\x1b[{region.y + y + 1};{region.x + 1}H{strip.render(console)}")
        if out:
            place = screen.outer_size.clamp_offset(app.cursor_position)
            out.append(f"\x1b[{place.y + 1};{place.x + 1}H")
            if app._sync_available:
                out.insert(0, SYNC_START)
                out.append(SYNC_END)
            driver.write("".join(out))
            driver.flush()
        return True


def _runs(rows: Sequence[int]) -> Iterator[range]:
    """The rows in pieces without gaps: what lies between is not asked for."""
    begin = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at] != rows[at - 1] + 1:
            yield range(rows[begin], rows[at - 1] + 1)
            begin = at
