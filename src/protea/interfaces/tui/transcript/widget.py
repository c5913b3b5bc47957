"""The widget: one, over all blocks, which lays out and paints what is seen and nothing else.

It does not use Textual's scrolling but a `viewport` of its own; `painter` makes its rows and `searching` finds in it.
Events are taken as they come and painted at most thirty times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import monotonic, process_time

from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer

from protea.domain.events import AnyEvent, LastingEvent
from protea.interfaces.tui.painting import Painted
from protea.interfaces.tui.themes import Look
from protea.interfaces.tui.transcript.colouring import Colouring, uncoloured
from protea.interfaces.tui.transcript.draw import is_foldable, target_of
from protea.interfaces.tui.transcript.entries import Entry
from protea.interfaces.tui.transcript.hanging import Hanging, Pictures
from protea.interfaces.tui.transcript.marking import Place, next_word
from protea.interfaces.tui.transcript.painter import Mark, Painter
from protea.interfaces.tui.transcript.reading import Older, Reading
from protea.interfaces.tui.transcript.rows import BLANK, Row
from protea.interfaces.tui.transcript.searching import Search
from protea.interfaces.tui.transcript.selection import Selection
from protea.interfaces.tui.transcript.viewport import Viewport

FRAME = 1 / 30
AHEAD = 20
"""Blocks above what is seen that are read before they are wanted."""
WHEEL = 3
"""Rows per notch."""


class Transcript(Painted, can_focus=False):
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
        self._active = False
        self._pictures = Hanging(
            self,
            pictures,
            screen=lambda: self.view.screen,
            words_only=lambda: look().words_only,
            made=self._pictures_made,
        )
        self.view = Viewport(lambda: self.size.width or 80, self._pictures.hang)
        self.searching = Search()
        self._painter = Painter(look)
        self._log = Reading(self.view, older, self._move_places)
        self._painted = 0.0
        self._cost = 0.0
        self._timer: Timer | None = None
        self._idle_timer: Timer | None = None
        self._colouring: Colouring | None = None
        self.chosen = Selection()
        self._dragging_thumb = False
        self._open_all = False

    # ── what it shows ──────────────────────────────────────────────────────────────────────────────────────────────

    def load(self, events: Sequence[LastingEvent]) -> None:
        """Begin with the last events of a log, and nothing else."""
        self.chosen = Selection()
        self.searching.here = None
        self._log.begin(events)
        self._changed(at_once=True)

    def advance(self, event: AnyEvent) -> None:
        """One more event. It is seen within a frame, or when what is seen of it comes into sight."""
        if self._log.advance(event):
            if self.view.follow and not self.searching.running and not self._log.reads:
                self._log.let_go()
            self._changed()

    @property
    def blocks(self) -> int:
        """How many are loaded."""
        return len(self.view.entries)

    async def load_older(self) -> bool:
        """Read one page further back. False where there is nothing before, or no way to read it."""
        more = await self._log.read_on()
        if more:
            self._changed(at_once=True)
        return more

    def _move_places(self, by: int) -> None:
        self.view.move_numbers(by)
        self.chosen.move_numbers(by)
        if (here := self.searching.here) is not None:
            self.searching.here = (here[0] + by, here[1]) if by > 0 else None

    # ── painting ───────────────────────────────────────────────────────────────────────────────────────────────────

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
        before, was_below, bar = self.view.screen, self.view.below, self.view.bar
        self._lay()
        self._painted = monotonic()
        if len(before) != len(self.view.screen) or was_below != self.view.below:
            self.paint()
        else:
            pairs = enumerate(zip(before, self.view.screen, strict=True))
            changed = [y for y, (old, new) in pairs if old[2] is not new[2]]
            if self.view.bar != bar:
                changed = list(range(len(before)))
            if changed:
                self.paint(changed)
        self._cost = process_time() - begun
        self._settle()

    def _paint_all(self) -> None:
        """As `_paint`, where also what lies over the rows may be another."""
        self._lay()
        self._paint_laid()

    def _paint_laid(self) -> None:
        """All of what was laid out."""
        self.paint()
        self._settle()

    def _settle(self) -> None:
        """What comes behind a painting: rows that are out of sight go, code that is in sight is coloured."""
        self.view.keep_to_limits()
        self._work_when_idle()

    def _lay(self) -> None:
        """Find out what stands in each row of the screen, and read on where its top comes near."""
        if not self.size.height:
            return
        view = self.view
        if view.size[0] not in (0, self.size.width):  # lines are broken at other places
            self.chosen.ends = None
            self.searching.here = None
        view.lay(self.size.width, self.size.height)
        if view.screen and view.top < AHEAD and self._log.has_more and not self._log.reads:
            self.run_worker(self.load_older(), group="older", exclusive=False)

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.view.size != self.size:  # it is painted before it was told of its new size
            self._lay()
        self._pictures.repaint(crop.y, crop.bottom)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        view, painter = self.view, self._painter
        width, height = view.size
        if self.searching.typing is not None and y == height - 1:
            return painter.typed(self.searching.typing, width)
        number, row_number, row = view.screen[y] if y < len(view.screen) else (-1, -1, BLANK)
        begin, end = view.bar
        edge = " " if begin == end else "▐" if begin <= y < end else " "
        gone = number >= 0 and view.entries.all[number].block.gone
        strip = painter.row(row, edge, width, view.width, gone=gone)
        if row_number >= 0 and self._is_marked:
            strip = painter.marked(strip, row, list(self._marks(number, row_number, row)))
        if view.below and not view.follow and y == height - 1:
            strip = painter.with_label(strip, " ↓ new below ", width)
        return strip

    @property
    def _is_marked(self) -> bool:
        return self.searching.pattern is not None or self.chosen.ends is not None or self._active

    def _marks(self, number: int, row_number: int, row: Row) -> Iterator[Mark]:
        """What lies over a row: matches, the selection, the cursor."""
        searching = self.searching
        if searching.pattern is not None:
            rows = self.view.entries.all[number].rows(self.view.width)
            for match in searching.near(rows, row_number):
                what = "match-here" if searching.here == (number, match) else "match"
                yield from ((begin, end, what) for at, begin, end in match if at == row_number)
        if (selected := self.chosen.range()) is not None:
            first, last = selected
            if first[:2] <= (number, row_number) <= last[:2]:
                begin = first[2] if first[:2] == (number, row_number) else 0
                end = last[2] if last[:2] == (number, row_number) else len(row.drawn)
                yield begin, max(end, begin + (not row.drawn)), "selected"
        if self._active and self.chosen.cursor is not None and self.chosen.cursor[:2] == (number, row_number):
            at = min(self.chosen.cursor[2], max(0, len(row.drawn) - 1))
            yield at, at + 1, "cursor"

    def on_resize(self) -> None:
        if self.view.size != self.size:
            self._paint()
        else:  # it was painted with the screen
            self._settle()

    def on_show(self) -> None:
        self._paint_all()

    def _pictures_made(self) -> None:
        self.view.lay_pictures_again()
        self._changed()

    # ── idle work ───────────────────────────────────────────────────────────────────────────────────────

    def _work_when_idle(self) -> None:
        if self._idle_timer is None and uncoloured(self.view) is not None:
            self._idle_timer = self.set_timer(0.05, self._colour)

    def _colour(self) -> None:
        self._idle_timer = None
        if self._colouring is None:
            self.run_worker(self._load_colouring, thread=True, group="colouring", exclusive=True)
            return
        if self._colouring.go_on(self.view):
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
        if self.view.scroll(rows):
            self._paint()

    @property
    def active(self) -> bool:
        """Whether the keys are for it: then it has a cursor."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        if active != self._active:
            self._active = active
            if active and self.chosen.cursor is None:
                self.chosen.cursor = self.view.last_place()
            if not active:
                self.chosen.drop()
                self.searching.typing = None
            self.paint()

    def act(self, action: str) -> bool:
        """Do an action; whether it is one of the transcript's."""
        do = _ACTIONS.get(action.removeprefix("transcript."))
        if do is not None:
            do(self)
        return do is not None

    def to_end(self) -> None:
        self.view.follow = True
        self._lay()
        self.chosen.cursor = self.view.last_place()
        self._paint_laid()

    def _to_first(self) -> None:
        self.run_worker(self._to_top(), group="older", exclusive=False)

    async def _to_top(self) -> None:
        while await self.load_older():
            pass
        self.view.follow, self.view.top, self.view.off = False, 0, 0
        self.chosen.cursor = (0, 0, 0) if len(self.view.entries) else None
        self._paint_all()

    def _to_next(self) -> None:
        cursor = self.chosen.cursor or self.view.first_place()
        if cursor is not None:
            self._go((min(cursor[0] + 1, len(self.view.entries) - 1), 0, 0), at_top=True)

    def _to_previous(self) -> None:
        cursor = self.chosen.cursor or self.view.last_place()
        if cursor is not None:
            self._go((cursor[0] if cursor[1] > 0 else max(0, cursor[0] - 1), 0, 0), at_top=True)

    def _by_word(self, *, forward: bool) -> None:
        place = self.chosen.cursor or self.view.last_place()
        if place is None:
            return
        wanted = next_word(self.view.row_at(place).drawn, place[2], forward=forward)
        if wanted is not None:
            self._go((place[0], place[1], wanted))
        else:
            self._step(1 if forward else -1)

    def _sideways(self, by: int) -> None:
        place = self.chosen.cursor or self.view.last_place()
        if place is not None:
            row = self.view.row_at(place)
            column = max(row.lead, min(place[2] + by, max(row.lead, len(row.drawn) - 1)))
            self._go((place[0], place[1], column))

    def _jump(self, rows: int) -> None:
        """What is seen goes up or down, and the cursor with it: laid out and drawn once."""
        place = self.chosen.cursor or (self.view.last_place() if rows < 0 else self.view.first_place())
        if self.view.scroll(rows):
            self._lay()
        if place is not None:
            self._go(self.view.in_sight(self.view.jumped(place, rows)))

    def _step(self, rows: int) -> None:
        """The cursor goes up or down; what is seen goes with it."""
        place = self.chosen.cursor or (self.view.last_place() if rows < 0 else self.view.first_place())
        if place is not None:
            self._go(self.view.stepped(place, rows))

    def _go(self, place: Place, *, at_top: bool = False) -> None:
        """Put the cursor there, and bring it into sight."""
        self.chosen.to(place)
        if self.view.show(place, self.size.height, at_top=at_top):
            self._lay()
        self._paint_laid()

    # ── folds and targets ──────────────────────────────────────────────────────────────────────────────────────────

    def _fold_here(self) -> None:
        cursor = self.chosen.cursor or self.view.last_place()
        if cursor is not None:
            self._toggle(cursor[0])

    def _toggle(self, number: int) -> None:
        entry = self.view.entries.all[number]
        if is_foldable(entry.block):
            self._refold(entry, entry.fold is False)

    def _open_fold(self) -> None:
        if (cursor := self.chosen.cursor or self.view.last_place()) is not None:
            self._refold(self.view.entries.all[cursor[0]], False)

    def _close_fold(self) -> None:
        if (cursor := self.chosen.cursor or self.view.last_place()) is not None:
            self._refold(self.view.entries.all[cursor[0]], True)

    def _refold(self, entry: Entry, shut: bool) -> None:
        """Open or shut one block without moving its first row."""
        if not is_foldable(entry.block):
            return
        was = self.view.row_of(entry)
        entry.refold(None if shut and entry.fold is False else shut)
        if was is not None and not (self.view.follow and self.view.entries.all[-1] is entry):
            self.view.follow = False
            number = self.view.entries.index_of(entry)
            self.view.top, self.view.off = number, entry.gap - was
        if self.chosen.cursor is not None and self.view.entries.all[self.chosen.cursor[0]] is entry:
            self.chosen.cursor = (self.chosen.cursor[0], 0, 0)
        self.chosen.ends = None
        self._paint_all()

    def _expand(self) -> None:
        self._open_all = not self._open_all
        self._fold_all(False if self._open_all else None)

    def _unfold_all(self) -> None:
        self._open_all = True
        self._fold_all(False)

    def _shut_all(self) -> None:
        self._open_all = False
        self._fold_all(True)

    def _fold_all(self, fold: bool | None) -> None:
        anchor = self.view.first_place()
        entry = self.view.entries.all[anchor[0]] if anchor is not None else None
        for each in self.view.entries.all:
            if is_foldable(each.block):
                each.refold(fold)
        if entry is not None and not self.view.follow:
            self.view.top, self.view.off = self.view.entries.index_of(entry), min(self.view.off, 1)
        self.chosen.cursor = self.chosen.ends = self.searching.here = None
        self._paint_all()

    def _open_here(self) -> None:
        cursor = self.chosen.cursor or self.view.last_place()
        if cursor is None:
            return
        row = self.view.row_at(cursor)
        link = next((span[2] for span in row.spans if span[2]), "")
        target = link or target_of(self.view.entries.all[cursor[0]].block, self._log.cwd)
        if target:
            self.post_message(self.OpenWanted(target))

    def _unmark(self) -> None:
        self.chosen.drop()
        self.searching.end()
        self.paint()

    @property
    def busy(self) -> bool:
        """Whether something is selected or marked that Esc takes away first."""
        return self.chosen.ends is not None or self.searching.pattern is not None

    # ── selecting ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_selection(self, *, by_rows: bool) -> None:
        place = self.chosen.cursor or self.view.last_place()
        if place is None:
            return
        self.chosen.toggle((place[0], place[1], max(self.view.row_at(place).lead, place[2])), by_rows=by_rows)
        self.paint()

    @property
    def selected_text(self) -> str:
        """The text that is selected: Markdown where it is of an answer, without padding or marks."""
        return self.chosen.text(self.view)

    def _copy_selected(self) -> None:
        if self.chosen.ends is None:
            self._copy_block()
            return
        text = self.selected_text
        self.chosen.drop()
        self.paint()
        self._copy(text)

    def _copy_block(self) -> None:
        cursor = self.chosen.cursor or self.view.last_place()
        if cursor is not None:
            self._copy(self.view.entries.all[cursor[0]].source)

    def _copy(self, text: str) -> None:
        if text:
            self.post_message(self.Copied(text))

    # ── searching ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _type_search(self) -> None:
        self.searching.typing = ""
        self.paint()

    def search(self, needle: str) -> None:
        """Go to the last match before here, and mark all that are seen."""
        if self.searching.begin(needle):
            self._seek(forward=False)
        else:
            self.paint()

    def _seek(self, *, forward: bool) -> None:
        if self.searching.pattern is not None:
            self.run_worker(self._find(forward=forward), group="search", exclusive=True)

    async def _find(self, *, forward: bool) -> None:
        found = await self.searching.go_on(self.view, lambda: self.chosen.cursor, self.load_older, forward=forward)
        if found is not None:
            self._go(found)
        else:
            self.app.bell()

    # ── keys and mouse ─────────────────────────────────────────────────────────────────────────────────────────────

    def take_key(self, event: events.Key) -> bool:
        """A key while a search is typed; whether it was one."""
        if self.searching.typing is None:
            return False
        needle = self.searching.take_key(event)
        if needle is not None:
            self.search(needle)
        self.paint()
        return True

    def take_paste(self, text: str) -> bool:
        """A paste while a search is typed; whether it was one."""
        if self.searching.typing is None:
            return False
        self.searching.take_paste(text)
        self.paint()
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
        if event.x >= self.size.width - 1 and len(self.view.screen) == self.size.height:
            self._dragging_thumb = True
            self._to_share(event.y)
            return
        if self.view.below and event.y == self.size.height - 1 and not self.view.follow:
            self.release_mouse()
            self.to_end()
            return
        self.chosen.press(self.view.place_at(event.x, event.y))
        self.paint()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragging_thumb:
            self._to_share(event.y)
        elif self.chosen.pressed is not None:
            if event.y < 0:
                self.scroll_rows(-1)
            elif event.y >= self.size.height:
                self.scroll_rows(1)
            place = self.view.place_at(event.x, max(0, min(event.y, self.size.height - 1)))
            if place is not None and self.chosen.drag(place):
                self.paint()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        pressed, self.chosen.pressed = self.chosen.pressed, None
        if self._dragging_thumb:
            self._dragging_thumb = False
        elif self.chosen.ends is not None:
            self._copy(self.selected_text)
        elif pressed is not None:
            self._click(pressed)

    def _click(self, place: Place) -> None:
        row = self.view.row_at(place)
        at = 0
        for text, _, link in row.spans:
            if at <= place[2] < at + len(text) and link:
                self.post_message(self.OpenWanted(link))
                return
            at += len(text)
        self.chosen.cursor = place
        if row.mark == "fold":
            self._toggle(place[0])
        self.paint()

    def _to_share(self, y: int) -> None:
        """Go to where the scroll bar was pressed."""
        height = max(1, self.size.height - 1)
        if y >= height:
            self.to_end()
            return
        self.view.to_share(y, height)
        self._paint_all()


_ACTIONS: dict[str, Callable[[Transcript], None]] = {
    "line_down": lambda it: it._step(1) if it.active else it.scroll_rows(1),
    "line_up": lambda it: it._step(-1) if it.active else it.scroll_rows(-1),
    "half_down": lambda it: it._jump(max(1, it.size.height // 2)),
    "half_up": lambda it: it._jump(-max(1, it.size.height // 2)),
    "page_down": lambda it: it._jump(max(1, it.size.height - 2)),
    "page_up": lambda it: it._jump(-max(1, it.size.height - 2)),
    "bottom": Transcript.to_end,
    "top": Transcript._to_first,
    "next": Transcript._to_next,
    "previous": Transcript._to_previous,
    "left": lambda it: it._sideways(-1),
    "right": lambda it: it._sideways(1),
    "line_begin": lambda it: it._sideways(-(10**6)),
    "line_end": lambda it: it._sideways(10**6),
    "word_right": lambda it: it._by_word(forward=True),
    "word_left": lambda it: it._by_word(forward=False),
    "fold": Transcript._fold_here,
    "unfold": Transcript._open_fold,
    "close_fold": Transcript._close_fold,
    "expand": Transcript._expand,
    "unfold_all": Transcript._unfold_all,
    "fold_all": Transcript._shut_all,
    "open": Transcript._open_here,
    "cancel": Transcript._unmark,
    "select": lambda it: it._begin_selection(by_rows=False),
    "select_lines": lambda it: it._begin_selection(by_rows=True),
    "copy": Transcript._copy_selected,
    "copy_block": Transcript._copy_block,
    "search": Transcript._type_search,
    "search_next": lambda it: it._seek(forward=False),
    "search_previous": lambda it: it._seek(forward=True),
}
"""What is done there for each action, without its `transcript.`."""
