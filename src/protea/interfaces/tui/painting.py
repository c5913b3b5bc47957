"""Draws a widget at once.

Textual gathers what is to be drawn and draws it up to sixty times a second, after several messages have gone round: too
late for a key that was pressed, and for text that streams in it costs more than the text. What changes often is drawn
here instead: its own rows, those that are other than before, in one write.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._ansi_sequences import SYNC_END, SYNC_START
from textual.geometry import Region
from textual.widget import Widget

from protea.interfaces.tui.driver import ScreenDriver


def paint_now(widget: Widget, rows: Iterable[int] | None = None) -> bool:
    """Draw the rows of a widget that have changed; all are looked at where it is not told which. False where that
    cannot be done: nothing of it stands there yet, something lies over it, or the terminal is behind."""
    app, screen = widget.app, widget.screen
    driver = app._driver
    if not isinstance(driver, ScreenDriver) or driver.behind or screen is not app.screen or screen._layout_required:
        return False
    region, clip = screen._compositor.visible_widgets.get(widget, (Region(), Region()))
    if not region or region.size != widget.size or not clip.contains_region(region):
        return False
    cache = widget._styles_cache
    drawn = cache._cache.copy()  # what stands there: it was made when it was drawn last
    if rows is None:
        cache.clear()
        wanted = range(region.height)
    else:
        asked = sorted(rows)
        if not asked:
            return True
        cache._dirty_lines.update(asked)
        wanted = range(asked[0], asked[-1] + 1)
    console = app.console
    strips = widget.render_lines(Region(0, wanted.start, region.width, len(wanted)))
    out = []
    for y, strip in zip(wanted, strips, strict=True):
        if drawn.get(y) != cache._cache[y]:
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
