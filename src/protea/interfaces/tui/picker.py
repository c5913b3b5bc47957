"""A list to choose from, over the screen: filtered as one types, with more about the one that is marked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from textual import events
from textual.app import ComposeResult
from textual.geometry import Offset
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from protea.interfaces.terminal import one_line, visible
from protea.interfaces.tui.desk import Desk
from protea.interfaces.tui.frame import width_of
from protea.interfaces.tui.front import Front
from protea.interfaces.tui.fuzzy import rank
from protea.interfaces.tui.keys import shown
from protea.interfaces.tui.line import Row, strip

WHEEL = 3
"""Rows per notch of what stands below a list."""


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One row."""

    key: str
    text: str
    lead: str = ""
    """Before it, in a column of its own."""
    detail: str = ""
    """Beside it, dim."""
    mark: str = ""
    """Before it: what is current, or its state."""
    about: str = ""
    """Below the list while it is marked; may have several lines."""
    below: Callable[[int], Sequence[Row]] | None = None
    """Gives, for a width, rows that stand below that."""
    words: str = ""
    """What else it is found by."""


class Picker(ModalScreen[str | None], inherit_bindings=False):
    """Gives the key of what was chosen, None where nothing was."""

    DEFAULT_CSS = """
    Picker { background: transparent; align: center bottom; }
    Picker > _Body { width: 100%; height: auto; }
    """

    def __init__(
        self,
        desk: Desk,
        title: str,
        items: Sequence[Item],
        *,
        marked: str | None = None,
        empty: str = "nothing is here",
        unfit: str = "nothing fits",
        search: Callable[[str], Sequence[Item] | None] | None = None,
        moved: Callable[[str], None] | None = None,
        others: dict[str, str] | None = None,
        final: str = "",
    ) -> None:
        super().__init__()
        self.desk = desk
        self.title_text = title
        self.items = list(items)
        self.empty = empty
        self.unfit = unfit
        """What is said where nothing fits what is written."""
        self.query_text = ""
        self._search = search
        """Finds rows for what is written, in place of the filter."""
        self._moved = moved
        """Told of every row that is marked: for what can be seen at once."""
        self.others = others or {}
        """Key → what it does, for keys of this list's own: it closes with `key:row`."""
        self._final = final
        """The one of them that nothing takes back: it counts when it is pressed twice."""
        self.asked = False
        """Whether it was pressed once."""
        self.nothing: Callable[[], None] = lambda: None
        """Called when nothing fits what is written: whoever opened it may look elsewhere and `show` more."""
        self.shown = list(self.items)
        self.at = next((place for place, item in enumerate(self.items) if marked and item.key == marked), 0)
        self.lead = max((width_of(item.lead) for item in items), default=0)
        """Columns that what leads takes."""
        self.body = _Body(self)

    def compose(self) -> ComposeResult:
        yield self.body

    @property
    def current(self) -> Item | None:
        return self.shown[self.at] if 0 <= self.at < len(self.shown) else None

    def show(self, items: Sequence[Item]) -> None:
        """Rows that were found meanwhile for what is written."""
        self.shown = list(items)
        self._mark(0)

    def take_key(self, event: events.Key) -> None:
        asked, self.asked = self.asked, False
        if event.key in self.others and self.current is not None:
            self.asked = event.key == self._final and not asked
            if self.asked:
                self.body.again()
            else:
                self.dismiss(f"{event.key}:{self.current.key}")
            return
        if asked:
            self.body.again()
        action = self.desk.keys.press(event.key, ["list"])
        if action:
            self.do(action)
        elif action is None and event.key.startswith("alt+") and event.is_printable and event.character:
            # Over a slow line Esc and the key behind it come as one: it closes, and the key is for what stood below.
            app = self.app
            self.dismiss(None)
            if hasattr(below := app.screen_stack[-1], "take_key"):
                below.take_key(events.Key(event.character, event.character))
        elif action is None:
            self._write(event)

    def take_paste(self, text: str) -> None:
        self.query_text += " ".join(text.split())
        self._filter()

    def do(self, action: str) -> None:
        page = max(1, self.body.room - 1)
        if action in _PAGES and len(self.shown) <= self.body.room:
            # All of the list is in sight: what is turned over is what stands below it.
            self.body.turn(_PAGES[action])
            return
        match action:
            case "list.close":
                self.dismiss(None)
            case "list.take":
                if self.current is not None:
                    self.dismiss(self.current.key)
            case "list.up":
                self._mark(self.at - 1 if self.at else len(self.shown) - 1)
            case "list.down":
                self._mark(self.at + 1 if self.at + 1 < len(self.shown) else 0)
            case "list.page_up":
                self._mark(max(0, self.at - page))
            case "list.page_down":
                self._mark(min(len(self.shown) - 1, self.at + page))
            case "list.below_up" | "list.below_down":
                self.body.turn(0, -WHEEL if action == "list.below_up" else WHEEL)
            case "list.top":
                self._mark(0)
            case "list.bottom":
                self._mark(len(self.shown) - 1)
            case _:
                return

    def _write(self, event: events.Key) -> None:
        if event.key == "backspace":
            self.query_text = self.query_text[:-1]
        elif event.key in ("ctrl+w", "ctrl+u"):
            self.query_text = ""
        elif event.is_printable and event.character:
            self.query_text += event.character
        else:
            return
        self._filter()

    def _filter(self) -> None:
        before = self.current.key if self.current is not None else ""
        found = self._search(self.query_text) if self._search is not None else None
        if found is not None:
            self.shown = list(found)
        elif self.query_text:
            by_key = {item.key: item for item in self.items}
            order = rank(
                self.query_text,
                ((item.key, item.text, f"{item.lead} {item.detail} {item.words}") for item in self.items),
            )
            self.shown = [by_key[key] for key in order]
        else:
            self.shown = list(self.items)
        kept = next((place for place, item in enumerate(self.shown) if item.key == before), 0)
        self._mark(0 if self.query_text else kept)
        if not self.shown and self.query_text:
            self.nothing()

    def _mark(self, at: int) -> None:
        self.at = max(0, min(at, len(self.shown) - 1))
        if self._moved is not None and self.current is not None:
            self._moved(self.current.key)
        self.body.again()

    def sure(self) -> str:
        """What the key that was pressed once does when it is pressed again."""
        return f"{shown(self._final)} again {self.others[self._final]}"

    def choose(self, row: int) -> None:
        """A row was clicked."""
        if 0 <= row < len(self.shown):
            self.at = row
            if self.current is not None:
                self.dismiss(self.current.key)


_PAGES = {"list.page_up": -1, "list.page_down": 1}


def open_list(screen: Front, title: str, items: Sequence[Item], then: Callable[[str], Any], **more: Any) -> Picker:
    """Show a list; `then` is called with the key of what was chosen. One that is open already is not opened once more:
    keys come faster than lists where a terminal was not read for a while."""

    def chosen(key: str | None) -> None:
        screen.tab.composer.update()
        if key is not None:
            then(key)

    return show_list(screen, Picker(screen.desk, title, items, **more), chosen)


def show_list(screen: Front, picker: Picker, chosen: Callable[[str | None], None]) -> Picker:
    """The list that is shown now: `picker`, or the one of that title that is open."""
    for each in screen.app.screen_stack:
        if isinstance(each, Picker) and each.title_text == picker.title_text:
            return each
    screen.app.push_screen(picker, chosen)
    return picker


class _Body(Widget):
    """Draws the list."""

    def __init__(self, picker: Picker) -> None:
        super().__init__()
        self._picker = picker
        self._top = 0
        self._rows: list[Row] = []
        self._column = 0
        """Columns that the texts take, where something stands beside them."""
        self._first = 0
        """The row of the first item."""
        self.room = 1
        self._about_of: Item | None = None
        self._about_top = 0
        """How many rows of what stands below the list were passed."""
        self._about_room = 0
        self._about_first = 0
        """The row of the screen where that begins."""

    def on_mount(self) -> None:
        self.again()

    def on_resize(self, event: events.Resize) -> None:
        self.again()

    def again(self) -> None:
        picker = self._picker
        width = self.app.size.width
        most = max(3, min(self.app.size.height - 4, self.app.size.height * 2 // 3))
        many = len(picker.shown) or 1
        about = self._about(width, max(most // 3, most - many), fits=many <= most - most // 3)
        self.room = max(1, min(many, most - len(about)))
        self._top = min(max(self._top, picker.at - self.room + 1), picker.at) if picker.shown else 0
        count = f"{picker.at + 1}/{len(picker.shown)}" if picker.shown else "0"
        title = f" {picker.title_text} "[: width - 12]
        line = "─" * max(0, width - width_of(title) - len(count) - 4)
        rows: list[Row] = [
            [("─", "active"), (title, "heading"), (line, "active"), (f" {count} ", "dim"), ("─", "active")]
        ]
        rows.append(
            [
                (" / ", "dim"),
                (picker.query_text, "text"),
                (" ", "cursor"),
                ("" if picker.query_text else " write to filter", "placeholder"),
            ]
        )
        self._first = len(rows)
        seen = picker.shown[self._top : self._top + self.room]
        self._column = max((width_of(one_line(item.text)) for item in seen if item.detail), default=0)
        rows += [self._row(item, self._top + place, width) for place, item in enumerate(seen)]
        if not picker.shown:
            # What is said of a list with nothing in it is not true of one where only nothing fits.
            none = picker.unfit if picker.query_text and picker.items else picker.empty
            rows.append([(f"   {none}", "dim")])
        self._about_first = len(rows)
        rows += about
        keys = "Enter takes · Esc closes" + "".join(f" · {shown(key)} {what}" for key, what in picker.others.items())
        if picker.asked and picker.current is not None:
            keys = f"{picker.sure()} “{picker.current.text}” for good; any other key keeps it"
        role = "warn" if picker.asked else "dim"
        rows.append([("─ ", "active"), (one_line(keys, width - 4), role), (" " + "─" * width, "active")])
        self._rows = rows
        self.styles.height = len(rows)
        self.refresh()
        self.app.cursor_position = Offset(self.region.x + 3 + width_of(picker.query_text), self.region.y + 1)

    def _about(self, width: int, most: int, *, fits: bool) -> list[Row]:
        """What stands below the list: as much of it as there is room for, from where it was turned to."""
        item = self._picker.current
        if item is not self._about_of:
            self._about_of, self._about_top = item, 0
        whole = _about(item, width)
        self._about_room = most = max(1, most) if len(whole) <= most else max(1, most - 1)
        self._about_top = max(0, min(self._about_top, len(whole) - most))
        shown = whole[self._about_top : self._about_top + most]
        if len(shown) < len(whole):
            above, below = self._about_top, len(whole) - self._about_top - most
            by = "PgUp PgDn" if fits else "Shift+↑ ↓"
            note = f"{above} above, {below} below: {by}" if above else f"{below} more rows: {by}"
            shown.append([("  … " + one_line(note, width - 6), "warn")])
        return shown

    def turn(self, pages: int, rows: int = 0) -> None:
        """Show other rows of what stands below the list."""
        self._about_top += pages * max(1, self._about_room - 1) + rows
        self.again()

    def _row(self, item: Item, place: int, width: int) -> Row:
        marked = place == self._picker.at
        mark = f"{item.mark or ' '} "
        column = self._picker.lead
        ahead = item.lead + " " * (column + 2 - width_of(item.lead)) if column else ""
        room = width - 4 - width_of(mark) - width_of(ahead)
        text = one_line(item.text, room)
        # What stands beside the texts stands in a column, where there is room for one.
        text += " " * max(0, min(self._column, room * 2 // 3) - width_of(text)) if item.detail else ""
        detail = one_line(item.detail, max(0, room - width_of(text) - 2)) if item.detail else ""
        if width_of(text) + width_of(detail) + 2 > room:
            detail = ""
        fill = " " * max(0, width - 2 - width_of(mark) - width_of(ahead) - width_of(text) - width_of(detail) - 2)
        lead = ("▌ " if marked else "  ", "active")
        role = "select" if marked else "text"
        return [
            lead,
            (mark, "mark"),
            (ahead, "key"),
            (text, role),
            ("  " if detail else "", role),
            (detail, role if marked else "dim"),
            (fill, "text"),
        ]

    def render_line(self, y: int) -> Strip:
        look = self._picker.desk.look
        width = self.size.width
        return strip(self._rows[y], width, look) if y < len(self._rows) else Strip.blank(width, look.base)

    def on_click(self, event: events.Click) -> None:
        self._picker.choose(self._top + event.y - self._first)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll(event.y, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll(event.y, -1)

    def _scroll(self, row: int, step: int) -> None:
        if row >= self._about_first:
            self.turn(0, WHEEL * step)
        else:
            self._picker.do("list.down" if step > 0 else "list.up")


def _about(item: Item | None, width: int) -> list[Row]:
    if item is None:
        return []
    lines = visible(item.about).split("\n") if item.about else []
    rows: list[Row] = [[("  ", "text"), (one_line(line, width - 4) if line.strip() else "", "dim")] for line in lines]
    return [*rows, *(item.below(width) if item.below is not None else ())]
