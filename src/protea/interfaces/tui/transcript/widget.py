"""The widget: one, over all blocks, which lays out and paints what is seen and nothing else.

It does not use Textual's scrolling: its place is a block and a row of it, so what is above may turn out higher or lower
than was guessed, or be read from the log, without anything moving. Events are taken as they come and painted at most
thirty times a second.
"""

from __future__ import annotations

import asyncio
import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import monotonic, process_time
from typing import TYPE_CHECKING, Protocol

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from protea.domain.blocks import Forgotten, View, joined
from protea.domain.blocks import advance as folded
from protea.domain.events import AnyEvent, LastingEvent, SessionStarted
from protea.interfaces.tui.painting import paint_now
from protea.interfaces.tui.themes import Look
from protea.interfaces.tui.transcript.cells import clean, cut, flat, width_of
from protea.interfaces.tui.transcript.colouring import Colouring
from protea.interfaces.tui.transcript.draw import is_foldable, target_of
from protea.interfaces.tui.transcript.entries import Entries, Entry
from protea.interfaces.tui.transcript.markdown import Unit
from protea.interfaces.tui.transcript.marking import (
    Place,
    index_at,
    matches,
    may_match,
    pattern_of,
    selected_text,
)
from protea.interfaces.tui.transcript.palette import Palette
from protea.interfaces.tui.transcript.rows import BLANK, Row

if TYPE_CHECKING:
    from protea.domain.messages import Image
    from protea.interfaces.tui.pictures.gallery import Gallery
    from protea.interfaces.tui.pictures.making import Picture

Older = Callable[[int], Awaitable[Sequence[LastingEvent]]]
"""Given the number of an event, some of those before it; none where there are none."""

FRAME = 1 / 30
AHEAD = 20
"""Blocks above what is seen that are read before they are wanted."""
WHEEL = 3
"""Rows per notch."""
KEPT = 300
"""Blocks out of sight that keep their rows."""
MOST = 6000
"""Blocks in memory; the first ones are let go of and read again when wanted."""
SLICE = 0.008
"""Seconds of work at a time while nothing else is to do."""


class Pictures(Protocol):
    """Where pictures come from."""

    def gallery(self) -> Gallery:
        """What makes and keeps them; loaded when it is first asked for."""
        ...

    async def read(self, path: str) -> bytes:
        """A file of the project, nothing where it cannot be had."""
        ...


class Transcript(Widget, can_focus=False):
    """The conversation. `load` the end of a log, `advance` by each event that follows; `act` does what a key is bound
    to (without its `transcript.`)."""

    ALLOW_SELECT = False
    DEFAULT_CSS = "Transcript { width: 1fr; height: 1fr; }"

    class Clicked(Message):
        """The mouse went into it."""

    class Copied(Message):
        """A text was taken; it is for whoever has the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class OpenWanted(Message):
        """A file or an address is to be opened."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    def __init__(
        self, look: Callable[[], Look], *, older: Older | None = None, pictures: Pictures | None = None
    ) -> None:
        super().__init__()
        self._pictures = pictures
        self._gallery: Gallery | None = None
        self._bare: set[int] = set()
        """Rows of the screen with pieces of pictures that have to be drawn over them."""
        self._look = look
        self._looked: Look | None = None
        """The look the palette was made of."""
        self._older = older
        self._active = False
        self._entries = Entries(self._hang)
        self._view = View()
        self._joint = View()
        """The view the next older page is joined to."""
        self._first = 1
        """The first event that was read."""
        self._cwd = ""
        self._loading: asyncio.Event | None = None
        """Set once the page that is being read is there."""
        self._top, self._off = 0, 0
        """The entry and its row (the gap is the first one) at the top of the screen."""
        self._follow = True
        """The end is in sight and stays there."""
        self._below = False
        """Something came that is not in sight."""
        self._screen: list[tuple[int, int, Row]] = []
        """What stands in each row: number of the entry, its row without the gap (-1 is the gap), the row itself."""
        self._laid = (0, 0)
        self._bar = (0, 0)
        """The rows of the scroll bar's thumb."""
        self._palette: Palette | None = None
        self._version = 0
        self._blank: dict[tuple[int, int, bool, str], tuple[object, Strip]] = {}
        self._painted = 0.0
        self._cost = 0.0
        self._timer: Timer | None = None
        self._idle_timer: Timer | None = None
        self._colouring: Colouring | None = None
        self._seen: OrderedDict[int, Entry] = OrderedDict()
        self._cursor: Place | None = None
        self._selected: tuple[Place, Place] | None = None
        """Where a selection began, and where it is now."""
        self._by_rows = False
        self._visual = False
        self._pressed: Place | None = None
        self._dragging_thumb = False
        self._typing: str | None = None
        """What is typed of a search, while it is."""
        self._pattern: re.Pattern[str] | None = None
        self._here: tuple[int, tuple[tuple[int, int, int], ...]] | None = None
        self._seeking = False
        self._open_all = False

    # ── what it shows ──────────────────────────────────────────────────────────────────────────────────────────────

    def load(self, events: Sequence[LastingEvent]) -> None:
        """Begin with the last events of a log, and nothing else."""
        self._entries = Entries(self._hang)
        self._view = View()
        self._first = events[0].seq or 1 if events else 1
        self._top = self._off = 0
        self._follow, self._below = True, False
        self._cursor = self._selected = self._here = None
        self._seen.clear()
        for event in events:
            self._fold(event)
        self._joint = self._view
        self._changed(at_once=True)

    def advance(self, event: AnyEvent) -> None:
        """One more event. It is seen within a frame, or when what is seen of it comes into sight."""
        if self._fold(event):
            if self._follow and len(self._entries) > MOST and not self._seeking and self._loading is None:
                self._let_go()
            self._changed()

    def _fold(self, event: AnyEvent) -> bool:
        if isinstance(event, SessionStarted):
            self._cwd = event.cwd
        self._view = folded(self._view, event)
        if not self._view.changes:
            return False
        self._entries.make(self._view.changes, self._text_width)
        if not self._follow:
            self._below = True
        return True

    @property
    def blocks(self) -> int:
        """How many are loaded."""
        return len(self._entries)

    @property
    def is_at_end(self) -> bool:
        return self._follow

    async def load_older(self) -> bool:
        """Read one page further back. False where there is nothing before, or no way to read it."""
        if self._older is None or self._first <= 1:
            return False
        if self._loading is not None:
            await self._loading.wait()
            return True
        self._loading = asyncio.Event()
        try:
            page = await self._older(self._first)
        finally:
            self._loading.set()
            self._loading = None
        if not page:
            self._first = 1
            return False
        view, changes = View(), []
        held = Entries()
        for event in page:
            if isinstance(event, SessionStarted):
                self._cwd = event.cwd
            view = folded(view, event)
            held.make(view.changes, self._text_width)
            changes += [change for change in view.changes if isinstance(change, Forgotten)]
        self._joint, ends = joined(view, self._joint)
        first = self._entries.all[0] if self._entries.all else None
        gap = first.gap if first is not None else 0
        added = self._entries.before((entry.block for entry in held.all), self._text_width)
        self._entries.make(ends, self._text_width)
        self._entries.make(changes, self._text_width)
        self._first = page[0].seq or 1
        self._move_places(added)
        if first is not None and self._entries.all[self._top] is first:
            self._off += first.gap - gap
        self._changed(at_once=True)
        return True

    def _move_places(self, by: int) -> None:
        def moved(place: Place) -> Place:
            return (place[0] + by, place[1], place[2])

        self._top += by
        self._screen = [(number + by, row, drawn) for number, row, drawn in self._screen if number + by >= 0]
        if self._cursor is not None:
            self._cursor = moved(self._cursor)
        if self._selected is not None:
            self._selected = (moved(self._selected[0]), moved(self._selected[1]))
        if self._pressed is not None:
            self._pressed = moved(self._pressed)
        if self._here is not None:
            self._here = (self._here[0] + by, self._here[1])

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _text_width(self) -> int:
        """Cells for text: all but the scroll bar's and, where there is room, one before it."""
        width = self._laid[0] or self.size.width or 80
        return max(8, width - (2 if width >= 30 else 1))

    def _changed(self, *, at_once: bool = False) -> None:
        """Paint soon: at once if the last frame is long ago, and never so often that painting is all one does."""
        if self._timer is not None or not self.is_attached:
            return
        wait = max(FRAME, 3 * self._cost) - (monotonic() - self._painted)
        if at_once or wait <= 0:
            self._paint()
        else:
            self._timer = self.set_timer(wait, self._paint)

    def _paint(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if not self.size.height or not self.is_attached:
            return
        begun = process_time()
        before, was_below, bar = self._screen, self._below, self._bar
        self._lay()
        self._painted = monotonic()
        if len(before) != len(self._screen) or was_below != self._below:
            self.refresh()
        else:
            changed = [y for y, (old, new) in enumerate(zip(before, self._screen, strict=True)) if old[2] is not new[2]]
            if self._bar != bar:
                changed = list(range(len(before)))
            if changed and not paint_now(self, changed):
                self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))
        self._cost = process_time() - begun
        self._keep_to_limits()
        self._work_when_idle()

    def _lay(self) -> None:
        """Find out what stands in each row of the screen."""
        self._laid = self.size.width, self.size.height
        width, height = self._text_width, self._laid[1]
        entries = self._entries.all
        if not entries:
            self._screen = []
            return
        if self._follow or not self._lay_from_top(entries, width, height):
            self._lay_from_end(entries, width, height)
        if self._follow:
            self._below = False
        screen: list[tuple[int, int, Row]] = []
        number, off = self._top, self._off
        while len(screen) < height and number < len(entries):
            entry = entries[number]
            rows = self._rows(number)
            for row in range(off - entry.gap, len(rows)):
                if row < 0:
                    screen.append((number, -1, BLANK))
                else:
                    screen.append((number, row, rows[row]))
                if len(screen) == height:
                    break
            number, off = number + 1, 0
        self._screen = screen
        self._bar = self._thumb()
        if self._top < AHEAD and self._first > 1 and self._older is not None and self._loading is None:
            self.run_worker(self.load_older(), group="older", exclusive=False)

    def _rows(self, number: int) -> list[Row]:
        entry = self._entries.all[number]
        self._seen[id(entry)] = entry
        self._seen.move_to_end(id(entry))
        return entry.rows(self._text_width)

    def _lay_from_top(self, entries: Sequence[Entry], width: int, height: int) -> bool:
        """Keep the first row where it is. False where the end comes into sight."""
        self._top = min(self._top, len(entries) - 1)
        while self._off < 0 and self._top > 0:
            self._top -= 1
            self._rows(self._top)
            self._off += entries[self._top].height
        self._off = max(self._off, 0)
        while True:
            self._rows(self._top)
            if self._off < entries[self._top].height or self._top == len(entries) - 1:
                break
            self._off -= entries[self._top].height
            self._top += 1
        seen, number = entries[self._top].height - self._off, self._top
        while seen < height + 1 and number < len(entries) - 1:
            number += 1
            self._rows(number)
            seen += entries[number].height
        return seen > height

    def _lay_from_end(self, entries: Sequence[Entry], width: int, height: int) -> None:
        self._follow = True
        number, seen = len(entries), 0
        while number > 0 and seen < height:
            number -= 1
            self._rows(number)
            seen += entries[number].height
        self._top, self._off = number, max(0, seen - height)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self._laid != self.size:  # it is painted before it was told of its new size
            self._lay()
        self._repaint_pictures(crop.y, crop.bottom)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        palette = self._colours()
        width, height = self._laid
        if self._typing is not None and y == height - 1:
            return self._input_strip(palette, width)
        number, row_number, row = self._screen[y] if y < len(self._screen) else (-1, -1, BLANK)
        begin, end = self._bar
        edge = " " if begin == end else "▐" if begin <= y < end else " "
        strip = self._strip(row, number, palette, width, edge)
        if row_number >= 0 and self._is_marked:
            strip = self._overlaid(strip, number, row_number, row, palette)
        if self._below and not self._follow and y == height - 1:
            label = cut(" ↓ new below ", width - 2)
            begin = max(0, (width - width_of(label)) // 2)
            end = begin + width_of(label)
            middle = Segment(label, palette.base + palette.over("below"))
            strip = Strip([*strip.crop(0, begin), middle, *strip.crop(end, width)], width)
        return strip

    @property
    def _is_marked(self) -> bool:
        return self._pattern is not None or self._selected is not None or self._active

    def _strip(self, row: Row, number: int, palette: Palette, width: int, edge: str) -> Strip:
        """A whole row with its piece of the scroll bar; made once and kept with the row."""
        gone = number >= 0 and self._entries.all[number].block.gone
        key = (self._version, width, gone, edge)
        kept = self._blank.get(key) if row is BLANK else row.strip
        if isinstance(kept, tuple) and kept[0] == key:
            strip: Strip = kept[1]
            return strip
        roles_after = " gone" if gone else ""
        segments = [Segment(text, palette.of(roles + roles_after, link)) for text, roles, link in row.spans]
        if row.picture is not None and row.picture[0].id:
            # Whose picture it is, the terminal reads from the colour.
            segments[-1] = Segment(
                segments[-1].text, palette.base + Style(color=Color.from_rgb(*row.picture[0].colour))
            )
        used, room = row.width, self._text_width
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

    def _overlaid(self, strip: Strip, number: int, row_number: int, row: Row, palette: Palette) -> Strip:
        marks: list[tuple[int, int, Style]] = []
        if self._pattern is not None:
            rows = self._entries.all[number].rows(self._text_width)
            for match in self._matches_near(rows, row_number):
                is_here = self._here == (number, match)
                style = palette.over("match-here" if is_here else "match")
                marks += [(begin, end, style) for at, begin, end in match if at == row_number]
        if self._selected is not None:
            begin_place, end_place = self._selection()
            if begin_place[:2] <= (number, row_number) <= end_place[:2]:
                begin = begin_place[2] if begin_place[:2] == (number, row_number) else 0
                end = end_place[2] if end_place[:2] == (number, row_number) else len(row.drawn)
                marks.append((begin, max(end, begin + (not row.drawn)), palette.over("selected")))
        if self._active and self._cursor is not None and self._cursor[:2] == (number, row_number):
            at = min(self._cursor[2], max(0, len(row.drawn) - 1))
            marks.append((at, at + 1, palette.over("cursor")))
        drawn = row.drawn
        for begin, end, style in marks:
            left, right = width_of(drawn[:begin]), width_of(drawn[:end])
            right = max(right, left + 1)
            middle = strip.crop(left, right).apply_style(Style()) if right > left else strip
            overlaid = [Segment(text, (old or Style()) + style) for text, old, _ in middle]
            width = strip.cell_length
            strip = Strip([*strip.crop(0, left), *overlaid, *strip.crop(right, width)], width)
        return strip

    def _matches_near(self, rows: Sequence[Row], number: int) -> Iterable[tuple[tuple[int, int, int], ...]]:
        """Matches in the line a row belongs to."""
        assert self._pattern is not None
        first = last = number
        while first > 0 and rows[first].joint is not None:
            first -= 1
        while last + 1 < len(rows) and rows[last + 1].joint is not None:
            last += 1
        for match in matches(rows[first : last + 1], self._pattern):
            yield tuple((at + first, begin, end) for at, begin, end in match)

    def _thumb(self) -> tuple[int, int]:
        entries, height = self._entries.all, self._laid[1]
        if len(self._screen) < height:
            return 0, 0
        total = sum([entry.height for entry in entries]) or 1  # a list is summed twice as fast as a generator
        above = sum([entry.height for entry in entries[: self._top]]) + self._off
        if self._follow:
            above = max(0, total - height)
        size = max(1, height * height // max(total, height))
        room = height - size
        begin = min(room, above * room // max(1, total - height))
        if total <= height:
            return (0, 0)
        return begin, begin + size

    def _input_strip(self, palette: Palette, width: int) -> Strip:
        text = cut(f"/{clean(self._typing or '')}", width - 1)
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

    def on_resize(self) -> None:
        if self._laid[0] and self._laid[0] != self.size.width:
            self._selected = None
            self._here = None
            if self._screen and not self._follow:
                self._keep_place_in_entry()
        self._paint()

    def on_show(self) -> None:
        self._paint()
        self.refresh()

    def _keep_place_in_entry(self) -> None:
        """The row at the top changes its number when its block is broken into other lines: keep the share."""
        entry = self._entries.all[self._top]
        before = max(1, entry.height)
        self._rows(self._top)
        self._off = self._off * entry.height // before

    # ── pictures ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _hang(self, source: Image | str, room: int) -> Picture | None:
        """A picture, where it can be drawn and has been made; else it is made, and laid out when it is there."""
        if self._pictures is None or self._look().words_only or not self.is_attached:
            return None
        if self._gallery is None:
            self._gallery = self._pictures.gallery()
            self._gallery.watch(self._picture_is_made)
        if not isinstance(source, str):
            return self._gallery.find(source, source.data, room)
        path = source
        read = self._pictures.read
        return self._gallery.find(lambda: read(path), f"file:{path}", room)

    def _picture_is_made(self, key: str) -> None:
        for entry in self._seen.values():
            if entry.has_pictures:
                entry.again()
        self._changed()

    def _repaint_pictures(self, first: int, last: int) -> None:
        """Rows are painted, and what was drawn over them is gone: it is drawn again once they stand."""
        found = {
            y
            for y in range(first, min(last, len(self._screen)))
            if (picture := self._screen[y][2].picture) is not None and picture[0].slices
        }
        if found:
            if not self._bare:
                self.call_after_refresh(self._draw_over)
            self._bare |= found

    def _draw_over(self) -> None:
        rows, self._bare = sorted(self._bare), set()
        if self._gallery is None or self.app.screen is not self.screen:
            return  # something lies over it; all is painted once that has gone
        left, top = self.region.offset
        drawn = []
        for y in rows:
            row = self._screen[y][2] if y < len(self._screen) else BLANK
            if row.picture is not None and row.picture[0].slices:
                picture, number = row.picture
                column = left + row.width - picture.columns
                drawn.append(f"\x1b[{top + y + 1};{column + 1}H{picture.slices[number]}")
        if drawn:
            self._gallery.draw(f"\x1b7{''.join(drawn)}\x1b8")

    # ── limits and idle work ───────────────────────────────────────────────────────────────────────────────────────

    def _keep_to_limits(self) -> None:
        visible = {number for number, _, _ in self._screen}
        while len(self._seen) > KEPT + len(visible):
            name, entry = next(iter(self._seen.items()))
            del self._seen[name]
            if not any(self._entries.all[number] is entry for number in visible):
                entry.evict()

    def _let_go(self) -> None:
        """Forget the first third; it begins again at a prompt, where nothing is open."""
        if self._older is None:
            return
        entries = self._entries.all
        count = next(
            (i for i in range(len(entries) // 3, len(entries) // 2) if entries[i].block.key.startswith("prompt:")), 0
        )
        if not count:
            return
        first = min((entry.block.seq for entry in entries[count + 1 :] if entry.block.seq), default=0)
        if first <= 1:
            return
        for entry in entries[:count]:
            self._seen.pop(id(entry), None)
        self._entries.drop_first(count)
        self._first = first
        self._joint = View()
        self._move_places(-count)
        if self._cursor is not None and self._cursor[0] < 0:
            self._cursor = None
        if self._selected is not None and min(self._selected)[0] < 0:
            self._selected = None
        self._here = None

    def _work_when_idle(self) -> None:
        if self._idle_timer is None and self._uncoloured() is not None:
            self._idle_timer = self.set_timer(0.05, self._colour)

    def _uncoloured(self) -> tuple[int, int] | None:
        """A block of code in sight whose words are not told apart yet: number of the entry, of its unit."""
        seen: dict[int, tuple[int, int]] = {}
        for number, row, _ in self._screen:
            if row >= 0:
                seen[number] = (seen[number][0] if number in seen else row, row)
        for number, (first, last) in seen.items():
            entry = self._entries.all[number]
            place = max(0, bisect_right(entry.units, first, key=_begin) - 1)
            for at in range(place, len(entry.units)):
                begin, unit = entry.units[at]
                if begin > last:
                    break
                closed = not entry.is_growing or at < len(entry.units) - 1
                if unit.kind == "fence" and unit.info and unit.coloured is None and closed:
                    return number, at
        return None

    def _colour(self) -> None:
        self._idle_timer = None
        if self._colouring is None:
            self.run_worker(self._load_colouring, thread=True, group="colouring", exclusive=True)
            return
        end = process_time() + SLICE
        done = False
        while process_time() < end and (found := self._uncoloured()) is not None:
            entry = self._entries.all[found[0]]
            unit = entry.units[found[1]][1]
            lines = self._colouring.lines(unit.code, unit.info.partition(" ")[0])
            unit.coloured = (
                lines if lines is not None else [[(line, "fence", "")] for line in clean(unit.code).split("\n")]
            )
            entry.recolour(unit, self._text_width)
            done = True
        if done:
            self._paint()

    def _load_colouring(self) -> None:
        colouring = Colouring()
        colouring.lines("x = 1", "python")  # imports what it needs
        self.app.call_from_thread(self._loaded_colouring, colouring)

    def _loaded_colouring(self, colouring: Colouring) -> None:
        self._colouring = colouring
        self._work_when_idle()

    # ── moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def scroll_rows(self, rows: int) -> None:
        """Move what is seen by so many rows; down is positive."""
        if not self._screen or (rows > 0 and self._follow):
            return
        self._follow = False
        self._off += rows
        self._paint()

    @property
    def active(self) -> bool:
        """Whether the keys are for it: then it has a cursor."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            if active and self._cursor is None:
                self._cursor = self._last_place()
            if not active:
                self._selected, self._visual, self._typing = None, False, None
            self.refresh()

    def act(self, action: str) -> bool:
        """Do an action; whether it is one of the transcript's."""
        name = action.removeprefix("transcript.")
        do = getattr(self, f"_do_{name}", None)
        if do is not None:
            do()
        return do is not None

    def _do_line_down(self) -> None:
        self._step(1) if self._active else self.scroll_rows(1)

    def _do_line_up(self) -> None:
        self._step(-1) if self._active else self.scroll_rows(-1)

    def _do_half_down(self) -> None:
        self._jump(max(1, self.size.height // 2))

    def _do_half_up(self) -> None:
        self._jump(-max(1, self.size.height // 2))

    def _do_page_down(self) -> None:
        self._jump(max(1, self.size.height - 2))

    def _do_page_up(self) -> None:
        self._jump(-max(1, self.size.height - 2))

    def _do_bottom(self) -> None:
        self._follow = True
        self._paint()
        self._cursor = self._last_place()
        self.refresh()

    def _do_top(self) -> None:
        self.run_worker(self._to_top(), group="older", exclusive=False)

    async def _to_top(self) -> None:
        while self._first > 1 and await self.load_older():
            pass
        self._follow, self._top, self._off = False, 0, 0
        self._cursor = (0, 0, 0) if len(self._entries) else None
        self._paint()
        self.refresh()

    def _do_next(self) -> None:
        cursor = self._cursor or self._first_place()
        if cursor is not None:
            self._go((min(cursor[0] + 1, len(self._entries) - 1), 0, 0), at_top=True)

    def _do_previous(self) -> None:
        cursor = self._cursor or self._last_place()
        if cursor is not None:
            self._go((cursor[0] if cursor[1] > 0 else max(0, cursor[0] - 1), 0, 0), at_top=True)

    def _do_left(self) -> None:
        self._sideways(-1)

    def _do_right(self) -> None:
        self._sideways(1)

    def _do_line_begin(self) -> None:
        self._sideways(-(10**6))

    def _do_line_end(self) -> None:
        self._sideways(10**6)

    def _do_word_right(self) -> None:
        self._by_word(forward=True)

    def _do_word_left(self) -> None:
        self._by_word(forward=False)

    def _by_word(self, *, forward: bool) -> None:
        place = self._cursor or self._last_place()
        if place is None:
            return
        drawn = self._row_at(place).drawn
        starts = [found.start() for found in re.finditer(r"\w+|[^\w\s]+", drawn)]
        wanted = [at for at in starts if (at > place[2] if forward else at < place[2])]
        if wanted:
            self._go((place[0], place[1], wanted[0] if forward else wanted[-1]))
        else:
            self._step(1 if forward else -1)

    def _sideways(self, by: int) -> None:
        place = self._cursor or self._last_place()
        if place is not None:
            row = self._row_at(place)
            column = max(row.lead, min(place[2] + by, max(row.lead, len(row.drawn) - 1)))
            self._go((place[0], place[1], column))

    def _row_at(self, place: Place) -> Row:
        rows = self._entries.all[place[0]].rows(self._text_width)
        return rows[min(place[1], len(rows) - 1)]

    def _jump(self, rows: int) -> None:
        self.scroll_rows(rows)
        self._step(rows)

    def _step(self, rows: int) -> None:
        """The cursor goes up or down; what is seen goes with it."""
        place = self._cursor or (self._last_place() if rows < 0 else self._first_place())
        if place is None:
            return
        entries = self._entries.all
        number, row = place[0], place[1] + rows
        while row < 0 and number > 0:
            number -= 1
            row += len(self._rows(number))
        while number < len(entries) - 1 and row >= len(self._rows(number)):
            row -= len(self._rows(number))
            number += 1
        row = max(0, min(row, len(self._rows(number)) - 1))
        self._go((number, row, place[2]))

    def _go(self, place: Place, *, at_top: bool = False) -> None:
        """Put the cursor there, and bring it into sight."""
        self._cursor = place
        if self._visual and self._selected is not None:
            self._selected = (self._selected[0], place)
        if not any((number, row) == place[:2] for number, row, _ in self._screen):
            top = self._screen[0][:2] if self._screen else (0, 0)
            self._follow = False
            entry = self._entries.all[place[0]]
            self._rows(place[0])
            if place[:2] < top or at_top:
                self._top, self._off = place[0], place[1] + (entry.gap if place[1] or at_top else 0)
            else:
                self._top, self._off = place[0], place[1] + entry.gap - self.size.height + 1
            self._paint()
        self.refresh()

    def _first_place(self) -> Place | None:
        return next(((number, row, 0) for number, row, _ in self._screen if row >= 0), None)

    def _last_place(self) -> Place | None:
        return next(((number, row, 0) for number, row, _ in reversed(self._screen) if row >= 0), None)

    # ── folds and targets ──────────────────────────────────────────────────────────────────────────────────────────

    def _do_fold(self) -> None:
        cursor = self._cursor or self._last_place()
        if cursor is not None:
            self._toggle(cursor[0])

    def _toggle(self, number: int) -> None:
        entry = self._entries.all[number]
        if is_foldable(entry.block):
            self._refold(entry, entry.fold is False)

    def _do_unfold(self) -> None:
        if (cursor := self._cursor or self._last_place()) is not None:
            self._refold(self._entries.all[cursor[0]], False)

    def _do_close_fold(self) -> None:
        if (cursor := self._cursor or self._last_place()) is not None:
            self._refold(self._entries.all[cursor[0]], True)

    def _refold(self, entry: Entry, shut: bool) -> None:
        """Open or shut one block without moving its first row."""
        if not is_foldable(entry.block):
            return
        was = next(
            (y for y, (n, row, _) in enumerate(self._screen) if row == 0 and self._entries.all[n] is entry), None
        )
        entry.refold(None if shut and entry.fold is False else shut)
        if was is not None and not (self._follow and self._entries.all[-1] is entry):
            self._follow = False
            number = self._entries.index_of(entry)
            self._top, self._off = number, entry.gap - was
        if self._cursor is not None and self._entries.all[self._cursor[0]] is entry:
            self._cursor = (self._cursor[0], 0, 0)
        self._selected = None
        self._paint()
        self.refresh()

    def _do_expand(self) -> None:
        self._open_all = not self._open_all
        self._fold_all(False if self._open_all else None)

    def _do_unfold_all(self) -> None:
        self._open_all = True
        self._fold_all(False)

    def _do_fold_all(self) -> None:
        self._open_all = False
        self._fold_all(True)

    def _fold_all(self, fold: bool | None) -> None:
        anchor = self._first_place()
        entry = self._entries.all[anchor[0]] if anchor is not None else None
        for each in self._entries.all:
            if is_foldable(each.block):
                each.refold(fold)
        if entry is not None and not self._follow:
            self._top, self._off = self._entries.index_of(entry), min(self._off, 1)
        self._cursor = self._selected = self._here = None
        self._paint()
        self.refresh()

    def _do_open(self) -> None:
        cursor = self._cursor or self._last_place()
        if cursor is None:
            return
        row = self._row_at(cursor)
        link = next((span[2] for span in row.spans if span[2]), "")
        target = link or target_of(self._entries.all[cursor[0]].block, self._cwd)
        if target:
            self.post_message(self.OpenWanted(target))

    def _do_cancel(self) -> None:
        self._selected, self._visual, self._pattern, self._here = None, False, None, None
        self.refresh()

    @property
    def busy(self) -> bool:
        """Whether something is selected or marked that Esc takes away first."""
        return self._selected is not None or self._pattern is not None

    # ── selecting ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _do_select(self) -> None:
        self._begin_selection(by_rows=False)

    def _do_select_lines(self) -> None:
        self._begin_selection(by_rows=True)

    def _begin_selection(self, *, by_rows: bool) -> None:
        if self._visual and self._by_rows == by_rows:
            self._selected, self._visual = None, False
        else:
            place = self._cursor or self._last_place()
            if place is None:
                return
            row = self._row_at(place)
            self._cursor = place = (place[0], place[1], max(row.lead, place[2]))
            self._selected = self._selected if self._visual and self._selected is not None else (place, place)
            self._visual, self._by_rows = True, by_rows
        self.refresh()

    def _selection(self) -> tuple[Place, Place]:
        """From where to before where."""
        assert self._selected is not None
        begin, end = sorted(self._selected)
        if self._by_rows:
            return (begin[0], begin[1], 0), (end[0], end[1], 10**9)
        return begin, (end[0], end[1], end[2] + 1) if self._visual else end

    @property
    def selected_text(self) -> str:
        """The text that is selected: Markdown where it is of an answer, without padding or marks."""
        if self._selected is None:
            return ""
        begin, end = self._selection()
        return selected_text(self._entries.all, begin, end, self._text_width)

    def _do_copy(self) -> None:
        if self._selected is None:
            self._do_copy_block()
            return
        text = self.selected_text
        self._selected, self._visual = None, False
        self.refresh()
        self._copy(text)

    def _do_copy_block(self) -> None:
        cursor = self._cursor or self._last_place()
        if cursor is not None:
            self._copy(self._entries.all[cursor[0]].source)

    def _copy(self, text: str) -> None:
        if text:
            self.post_message(self.Copied(text))

    # ── searching ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _do_search(self) -> None:
        self._typing = ""
        self.refresh()

    def _do_search_next(self) -> None:
        self._seek(forward=False)

    def _do_search_previous(self) -> None:
        self._seek(forward=True)

    def search(self, needle: str) -> None:
        """Go to the last match before here, and mark all that are seen."""
        if not needle.strip():
            self._pattern = self._here = None
            self.refresh()
            return
        self._pattern = pattern_of(needle)
        self._here = None
        self._seek(forward=False)

    def _seek(self, *, forward: bool) -> None:
        if self._pattern is not None:
            self.run_worker(self._find(forward=forward), group="search", exclusive=True)

    async def _find(self, *, forward: bool) -> None:
        """The next match in that direction, in what is loaded and then further back in the log."""
        self._seeking = True
        try:
            await self._look_further(forward=forward)
        finally:
            self._seeking = False

    async def _look_further(self, *, forward: bool) -> None:
        while self._pattern is not None:
            found = self._match_from_here(self._pattern, forward=forward)
            if found is not None:
                number, match = found
                self._here = found
                self._go((number, match[0][0], match[0][1]))
                return
            if forward or not await self.load_older():
                break
        self.app.bell()

    def _match_from_here(
        self, pattern: re.Pattern[str], *, forward: bool
    ) -> tuple[int, tuple[tuple[int, int, int], ...]] | None:
        entries = self._entries.all
        if not entries:
            return None
        last = self._last_place() or (len(entries) - 1, 0, 0)
        if self._here is not None:
            here = (self._here[0], self._here[1][0][0], self._here[1][0][1])
        elif forward:
            here = self._cursor or self._first_place() or (0, 0, 0)
        else:
            here = self._cursor or (last[0], last[1], 10**9)
        numbers = range(here[0], len(entries)) if forward else range(here[0], -1, -1)
        for number in numbers:
            entry = entries[number]
            if not may_match(entry, pattern):
                continue
            found = list(matches(self._rows(number), pattern))
            if not found and is_foldable(entry.block) and entry.fold is not False:
                entry.refold(False)
                found = list(matches(self._rows(number), pattern))
                if not found:
                    entry.refold(None)
            for match in found if forward else reversed(found):
                place = (number, match[0][0], match[0][1])
                if place > here if forward else place < here:
                    return number, match
        return None

    # ── keys and mouse ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_key(self, event: events.Key) -> bool:
        """A key while a search is typed; whether it was one."""
        if self._typing is None:
            return False
        match event.key:
            case "enter":
                needle, self._typing = self._typing, None
                self.search(needle)
            case "escape" | "ctrl+c":
                self._typing = None
            case "backspace" | "ctrl+h":
                self._typing = self._typing[:-1] if self._typing else None
            case "ctrl+u":
                self._typing = ""
            case _ if event.is_printable and event.character:
                self._typing += event.character
            case _:
                pass
        if self._typing:
            self._pattern = pattern_of(self._typing) if self._typing.strip() else None
        self.refresh()
        return True

    def take_paste(self, text: str) -> bool:
        """A paste while a search is typed; whether it was one."""
        if self._typing is None:
            return False
        self._typing += flat(text)
        self.refresh()
        return True

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_rows(WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_rows(-WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button != 1:
            return
        event.stop()
        self.post_message(self.Clicked())
        self.capture_mouse()
        if event.x >= self.size.width - 1 and len(self._screen) == self.size.height:
            self._dragging_thumb = True
            self._to_share(event.y)
            return
        if self._below and event.y == self.size.height - 1 and not self._follow:
            self.release_mouse()
            self._do_bottom()
            return
        self._pressed = self._place_at(event.x, event.y)
        self._selected, self._visual, self._by_rows = None, False, False
        self.refresh()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging_thumb:
            self._to_share(event.y)
        elif self._pressed is not None:
            if event.y < 0:
                self.scroll_rows(-1)
            elif event.y >= self.size.height:
                self.scroll_rows(1)
            place = self._place_at(event.x, max(0, min(event.y, self.size.height - 1)))
            if place is not None and (self._selected is not None or place != self._pressed):
                self._selected = (self._pressed, place)
                self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        pressed, self._pressed = self._pressed, None
        if self._dragging_thumb:
            self._dragging_thumb = False
        elif self._selected is not None:
            self._copy(self.selected_text)
        elif pressed is not None:
            self._click(pressed)

    def _click(self, place: Place) -> None:
        row = self._row_at(place)
        at = 0
        for text, _, link in row.spans:
            if at <= place[2] < at + len(text) and link:
                self.post_message(self.OpenWanted(link))
                return
            at += len(text)
        self._cursor = place
        if row.mark == "fold":
            self._toggle(place[0])
        self.refresh()

    def _place_at(self, x: int, y: int) -> Place | None:
        if not self._screen:
            return None
        number, row_number, row = self._screen[min(y, len(self._screen) - 1)]
        if y >= len(self._screen):
            return number, max(0, row_number), len(row.drawn)
        return (number, 0, 0) if row_number < 0 else (number, row_number, index_at(row, x))

    def _to_share(self, y: int) -> None:
        """Go to where the scroll bar was pressed."""
        entries, height = self._entries.all, max(1, self.size.height - 1)
        if y >= height:
            self._do_bottom()
            return
        wanted = sum(entry.height for entry in entries) * max(0, y) // height
        for number, entry in enumerate(entries):
            if wanted < entry.height:
                self._follow, self._top, self._off = False, number, wanted
                break
            wanted -= entry.height
        self._paint()
        self.refresh()


def _begin(placed: tuple[int, Unit]) -> int:
    return placed[0]
