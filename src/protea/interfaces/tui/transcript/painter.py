"""Rows of the conversation as strips: their colours, their piece of the scroll bar, and what lies over them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from protea.interfaces.tui.line import UNDRAWN
from protea.interfaces.tui.themes import Look
from protea.interfaces.tui.transcript.cells import clean, cut, width_of
from protea.interfaces.tui.transcript.palette import Palette
from protea.interfaces.tui.transcript.rows import BLANK, Row

if TYPE_CHECKING:
    from protea.interfaces.tui.pictures.making import Picture

Mark = tuple[int, int, str]
"""(first character of a row, the one behind the last, what marks them)."""
_DRAWN = ("marker", "rule", "bar", "quote-bar", "table-line")
"""Roles of what is there to be seen and not to be read."""


class Painter:
    def __init__(self, look: Callable[[], Look]) -> None:
        self._look = look
        self._looked: Look | None = None
        """The look the palette was made of."""
        self._palette: Palette | None = None
        self._version = 0
        self._blank: dict[tuple[int, int, bool, str], tuple[object, Strip]] = {}

    def row(self, row: Row, edge: str, width: int, room: int, *, gone: bool) -> Strip:
        """A whole row, `room` cells of text and its piece of the scroll bar; made once and kept with the row."""
        palette = self._colours()
        key = (self._version, width, gone, edge)
        kept = self._blank.get(key) if row is BLANK else row.strip
        if isinstance(kept, tuple) and kept[0] == key:
            strip: Strip = kept[1]
            return strip
        roles_after = " gone" if gone else ""
        drawn = row.spans
        if self._look().words_only:
            drawn = tuple(
                (text.translate(UNDRAWN) if roles in _DRAWN else text, roles, link) for text, roles, link in drawn
            )
        segments = [Segment(text, palette.of(roles + roles_after, link)) for text, roles, link in drawn]
        if row.picture is not None:
            segments[-1:] = _pictured(*row.picture, segments[-1], palette.base)
        used = row.width
        fill = palette.of(row.fill + roles_after)
        if row.tail is not None and used + width_of(row.tail[0]) <= room:
            segments.append(Segment(" " * (room - used - width_of(row.tail[0])), fill))
            segments.append(Segment(row.tail[0], palette.of(row.tail[1] + roles_after)))
            used = room
        if used < room:
            segments.append(Segment(" " * (room - used), fill))
        segments.append(Segment(" " * (width - room - 1), palette.base))
        segments.append(Segment(edge, palette.of("thumb")))
        strip = Strip([segment for segment in segments if segment.text], width)
        if row is BLANK:
            self._blank = {**self._blank, key: (key, strip)} if len(self._blank) < 20 else {key: (key, strip)}
        else:
            row.strip = (key, strip)
        return strip

    def marked(self, strip: Strip, row: Row, marks: Sequence[Mark]) -> Strip:
        """The row with characters of it marked."""
        palette, drawn = self._colours(), row.drawn
        for begin, end, what in marks:
            left, right = width_of(drawn[:begin]), width_of(drawn[:end])
            right = max(right, left + 1)
            middle = strip.crop(left, right).apply_style(Style()) if right > left else strip
            style = palette.over(what)
            overlaid = [Segment(text, (old or Style()) + style) for text, old, _ in middle]
            width = strip.cell_length
            strip = Strip([*strip.crop(0, left), *overlaid, *strip.crop(right, width)], width)
        return strip

    def with_label(self, strip: Strip, text: str, width: int) -> Strip:
        """The row with a few words in its middle."""
        palette, label = self._colours(), cut(text, width - 2)
        begin = max(0, (width - width_of(label)) // 2)
        end = begin + width_of(label)
        middle = Segment(label, palette.base + palette.over("below"))
        return Strip([*strip.crop(0, begin), middle, *strip.crop(end, width)], width)

    def typed(self, text: str, width: int) -> Strip:
        """The line in which a search is typed."""
        palette = self._colours()
        text = cut(f"/{clean(text)}", width - 1)
        style = palette.base + palette.over("input")
        cursor = Segment(" ", style + Style(reverse=True))
        rest = Segment(" " * max(0, width - 1 - width_of(text)), style)
        return Strip([Segment(text, style), cursor, rest], width)

    def _colours(self) -> Palette:
        look = self._look()
        if self._palette is None or look is not self._looked:
            self._looked = look
            self._palette = Palette(look)
            self._version += 1
        return self._palette


def _pictured(picture: Picture, row: int, cells: Segment, base: Style) -> list[Segment]:
    """The cells of a row of a picture: those that stand for it, or those that are all there is of it."""
    if picture.halves:
        return [
            Segment(text, base + Style(color=_colour(ink), bgcolor=_colour(ground)))
            for text, ink, ground in picture.halves[row]
        ]
    if picture.id:
        # Whose picture it is, the terminal reads from the colour.
        return [Segment(cells.text, base + Style(color=_colour(picture.colour)))]
    return [cells]


def _colour(colour: tuple[int, int, int] | None) -> Color | None:
    return None if colour is None else Color.from_rgb(*colour)
