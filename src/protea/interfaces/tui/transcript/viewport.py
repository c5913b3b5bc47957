"""Where one is in the conversation: which row of which block stands in each row of the screen.

Its place is a block and a row of it, so what is above may turn out higher or lower than was guessed, or be read from
the log, without anything moving. Knows nothing of Textual.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from protea.interfaces.tui.transcript.entries import Entries, Entry
from protea.interfaces.tui.transcript.marking import Place, index_at
from protea.interfaces.tui.transcript.rows import BLANK, Row, no_picture

if TYPE_CHECKING:
    from protea.interfaces.tui.transcript.rows import Hang

KEPT = 300
"""Blocks out of sight that keep their rows."""


class Viewport:
    def __init__(self, guess: Callable[[], int], hang: Hang = no_picture) -> None:
        """`guess` says how wide the screen will be, before anything was laid out; `hang` gives pictures."""
        self._guess = guess
        self._hang = hang
        self.entries = Entries(hang)
        self.top, self.off = 0, 0
        """The entry and its row (the gap is the first one) at the top of the screen."""
        self.follow = True
        """The end is in sight and stays there."""
        self.below = False
        """Something came that is not in sight."""
        self.screen: list[tuple[int, int, Row]] = []
        """What stands in each row: number of the entry, its row without the gap (-1 is the gap), the row itself."""
        self.size = (0, 0)
        """Cells and rows that were laid out last."""
        self.bar = (0, 0)
        """The rows of the scroll bar's thumb."""
        self._seen: OrderedDict[int, Entry] = OrderedDict()

    def begin(self) -> None:
        """With nothing, at the end."""
        self.entries = Entries(self._hang)
        self.top = self.off = 0
        self.follow, self.below = True, False
        self._seen.clear()

    @property
    def width(self) -> int:
        """Cells for text: all but the scroll bar's and, where there is room, one before it."""
        width = self.size[0] or self._guess()
        return max(8, width - (2 if width >= 30 else 1))

    def rows(self, number: int) -> list[Row]:
        """The rows of an entry, laid out."""
        entry = self.entries.all[number]
        self._seen[id(entry)] = entry
        self._seen.move_to_end(id(entry))
        return entry.rows(self.width)

    def row_at(self, place: Place) -> Row:
        rows = self.entries.all[place[0]].rows(self.width)
        return rows[min(place[1], len(rows) - 1)]

    # ── laying out ─────────────────────────────────────────────────────────────────────────────────────────────────

    def lay(self, width: int, height: int) -> None:
        """Find out what stands in each row of the screen."""
        before, self.size = self.size, (width, height)
        if before[0] not in (0, width) and self.screen and not self.follow:
            self._keep_share()
        entries = self.entries.all
        if not entries:
            self.screen = []
            return
        if self.follow or not self._lay_from_top(entries, height):
            self._lay_from_end(entries, height)
        if self.follow:
            self.below = False
        screen: list[tuple[int, int, Row]] = []
        number, off = self.top, self.off
        while len(screen) < height and number < len(entries):
            entry = entries[number]
            rows = self.rows(number)
            for row in range(off - entry.gap, len(rows)):
                if row < 0:
                    screen.append((number, -1, BLANK))
                else:
                    screen.append((number, row, rows[row]))
                if len(screen) == height:
                    break
            number, off = number + 1, 0
        self.screen = screen
        self.bar = self._thumb()

    def _lay_from_top(self, entries: Sequence[Entry], height: int) -> bool:
        """Keep the first row where it is. False where the end comes into sight."""
        self.top = min(self.top, len(entries) - 1)
        while self.off < 0 and self.top > 0:
            self.top -= 1
            self.rows(self.top)
            self.off += entries[self.top].height
        self.off = max(self.off, 0)
        while True:
            self.rows(self.top)
            if self.off < entries[self.top].height or self.top == len(entries) - 1:
                break
            self.off -= entries[self.top].height
            self.top += 1
        seen, number = entries[self.top].height - self.off, self.top
        while seen < height + 1 and number < len(entries) - 1:
            number += 1
            self.rows(number)
            seen += entries[number].height
        return seen > height

    def _lay_from_end(self, entries: Sequence[Entry], height: int) -> None:
        self.follow = True
        number, seen = len(entries), 0
        while number > 0 and seen < height:
            number -= 1
            self.rows(number)
            seen += entries[number].height
        self.top, self.off = number, max(0, seen - height)

    def _thumb(self) -> tuple[int, int]:
        entries, height = self.entries.all, self.size[1]
        if len(self.screen) < height:
            return 0, 0
        total = sum([entry.height for entry in entries]) or 1  # a list is summed twice as fast as a generator
        above = sum([entry.height for entry in entries[: self.top]]) + self.off
        if self.follow:
            above = max(0, total - height)
        size = max(1, height * height // max(total, height))
        room = height - size
        begin = min(room, above * room // max(1, total - height))
        if total <= height:
            return (0, 0)
        return begin, begin + size

    # ── moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def scroll(self, rows: int) -> bool:
        """Move by so many rows; down is positive. Whether that makes a difference."""
        if not self.screen or (rows > 0 and self.follow):
            return False
        self.follow = False
        self.off += rows
        return True

    def to_share(self, y: int, height: int) -> None:
        """Go to where the scroll bar was pressed."""
        entries = self.entries.all
        wanted = sum(entry.height for entry in entries) * max(0, y) // height
        for number, entry in enumerate(entries):
            if wanted < entry.height:
                self.follow, self.top, self.off = False, number, wanted
                break
            wanted -= entry.height

    def show(self, place: Place, height: int, *, at_top: bool = False) -> bool:
        """Bring a place into sight; whether it was not."""
        if any((number, row) == place[:2] for number, row, _ in self.screen):
            return False
        top = self.screen[0][:2] if self.screen else (0, 0)
        self.follow = False
        entry = self.entries.all[place[0]]
        self.rows(place[0])
        if place[:2] < top or at_top:
            self.top, self.off = place[0], place[1] + (entry.gap if place[1] or at_top else 0)
        else:
            self.top, self.off = place[0], place[1] + entry.gap - height + 1
        return True

    def move_numbers(self, by: int) -> None:
        """Entries came before all others, or those there were are gone."""
        self.top += by
        self.screen = [(number + by, row, drawn) for number, row, drawn in self.screen if number + by >= 0]

    def _keep_share(self) -> None:
        """The row at the top changes its number when its block is broken into other lines: keep the share."""
        entry = self.entries.all[self.top]
        before = max(1, entry.height)
        self.rows(self.top)
        self.off = self.off * entry.height // before

    # ── places ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def first_place(self) -> Place | None:
        return next(((number, row, 0) for number, row, _ in self.screen if row >= 0), None)

    def last_place(self) -> Place | None:
        return next(((number, row, 0) for number, row, _ in reversed(self.screen) if row >= 0), None)

    def place_at(self, x: int, y: int) -> Place | None:
        if not self.screen:
            return None
        number, row_number, row = self.screen[min(y, len(self.screen) - 1)]
        if y >= len(self.screen):
            return number, max(0, row_number), len(row.drawn)
        return (number, 0, 0) if row_number < 0 else (number, row_number, index_at(row, x))

    def stepped(self, place: Place, rows: int) -> Place:
        """The place so many rows further down, or up."""
        entries = self.entries.all
        number, row = place[0], place[1] + rows
        while row < 0 and number > 0:
            number -= 1
            row += len(self.rows(number))
        while number < len(entries) - 1 and row >= len(self.rows(number)):
            row -= len(self.rows(number))
            number += 1
        return number, max(0, min(row, len(self.rows(number)) - 1)), place[2]

    def jumped(self, place: Place, rows: int) -> Place:
        """The place so many rows of the screen further down, or up: those between blocks count as well."""
        entries = self.entries.all
        number = place[0]
        self.rows(number)
        off = place[1] + entries[number].gap + rows
        while off < 0 and number > 0:
            number -= 1
            self.rows(number)
            off += entries[number].height
        while off >= entries[number].height and number < len(entries) - 1:
            off -= entries[number].height
            number += 1
            self.rows(number)
        return number, max(0, min(off, entries[number].height - 1) - entries[number].gap), place[2]

    def in_sight(self, place: Place) -> Place:
        """That place, or where it is not seen the nearest one that is."""
        first, last = self.first_place(), self.last_place()
        return place if first is None or last is None else min(max(place, first), (*last[:2], place[2]))

    def row_of(self, entry: Entry) -> int | None:
        """Where its first row stands on the screen."""
        heads = (y for y, (number, row, _) in enumerate(self.screen) if row == 0 and self.entries.all[number] is entry)
        return next(heads, None)

    # ── limits ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def keep_to_limits(self) -> None:
        """Blocks that have been out of sight for long give back their rows."""
        visible = {number for number, _, _ in self.screen}
        while len(self._seen) > KEPT + len(visible):
            name, entry = next(iter(self._seen.items()))
            del self._seen[name]
            if not any(self.entries.all[number] is entry for number in visible):
                entry.evict()

    def lay_pictures_again(self) -> None:
        """One has been made."""
        for entry in self._seen.values():
            if entry.has_pictures:
                entry.again()

    def drop_first(self, count: int) -> None:
        for entry in self.entries.all[:count]:
            self._seen.pop(id(entry), None)
        self.entries.drop_first(count)
