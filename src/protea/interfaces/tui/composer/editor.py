"""The composer: draws the buffer where the first frame drew it, and does what actions and characters say."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Offset
from textual.strip import Strip

from protea.domain.messages import Image
from protea.interfaces.terminal import visible
from protea.interfaces.tui.composer.buffer import Buffer
from protea.interfaces.tui.composer.history import History
from protea.interfaces.tui.frame import PROMPT, RULE, drawable, most_rows, place, placeholder, width_of, window, wrap
from protea.interfaces.tui.painting import Painted
from protea.interfaces.tui.themes import Look

SHELL = "$ "
"""Before the first row where it is a command for the shell."""
FOLD_LINES = 6
FOLD_LENGTH = 600
"""A paste beyond this is folded into a chip."""


class Composer(Painted):
    """Where a person writes. It knows nothing of sessions: `sent` is called with what was written."""

    DEFAULT_CSS = """
    Composer { height: 3; width: 1fr; }
    """

    def __init__(self, look: Callable[[], Look], history: History) -> None:
        super().__init__()
        self._look = look
        self.history = history
        self.buffer = Buffer()
        self.active = True
        """Whether keys come here: the cursor is drawn."""
        self.border_role = "rule"
        self.chips: dict[str, str] = {}
        """Label → what was pasted."""
        self.images: dict[str, Image] = {}
        self.stashed = ""
        self._chip_count = 0
        self._top = 0
        self._rows: list[tuple[int, int]] = [(0, 0)]
        self._wrapped: tuple[str, int] = ("", 0)
        self._recalled: int | None = None
        """Which input of before stands here."""
        self._draft = ""
        """What stood here before one was recalled."""
        self.offering = True
        """Whether what stands here was written and not recalled: only then is anything offered."""
        self.changed: Callable[[], None] = lambda: None
        """Called after every change of text or cursor."""

    @property
    def is_shell(self) -> bool:
        """Whether what stands here is run and not said."""
        return self.buffer.text.startswith("!")

    # ── what others ask ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def text(self) -> str:
        return self.buffer.text

    def set(self, text: str, cursor: int | None = None) -> None:
        self.buffer.set(text, cursor)
        self.update()

    def clear(self) -> None:
        """Empty, with nothing folded up. What was cut can still be put back."""
        kills, self.buffer = self.buffer.kills, Buffer()
        self.buffer.kills = kills
        self.chips.clear()
        self.images.clear()
        self.buffer.whole = ()
        self._recalled = None
        self.update()

    def whole(self) -> tuple[str, tuple[Image, ...]]:
        """What would be sent: chips unfolded, and the images named in it."""
        text = self.buffer.text
        for label, content in self.chips.items():
            text = text.replace(label, content)
        return text, tuple(image for label, image in self.images.items() if label in self.buffer.text)

    def insert(self, text: str) -> None:
        self.buffer.insert(text)
        self._recalled = None
        self.offering = True
        self.update()

    def paste(self, text: str) -> None:
        """What was pasted: as it is, or, where it is long, as a chip."""
        lines = text.removesuffix("\n").count("\n") + 1
        if lines <= FOLD_LINES and len(text) <= FOLD_LENGTH:
            self.insert(visible(text))
            return
        self._chip_count += 1
        size = f"{lines} lines" if lines > 1 else f"{len(text)} characters"
        label = f"[pasted #{self._chip_count}: {size}]"
        self.chips[label] = text
        self._add_chip(label)

    def attach(self, image: Image) -> None:
        """An image, as a chip."""
        self._chip_count += 1
        label = f"[image #{self._chip_count}]"
        self.images[label] = image
        self._add_chip(label)

    def _add_chip(self, label: str) -> None:
        self.buffer.whole = (*self.buffer.whole, label)
        self.insert(label)

    def take(self) -> tuple[str, tuple[Image, ...]]:
        """What is sent; the composer is empty afterwards and remembers it."""
        text, images = self.whole()
        self.history.add(self.buffer.text if not self.chips else text)
        self.clear()
        return text, images

    # ── actions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def act(self, action: str) -> bool:
        """Do a `composer.` action that concerns the text alone; whether it was one."""
        done = _ACTIONS.get(action)
        if done is None:
            return False
        self.offering = action not in ("composer.up", "composer.down", "composer.history_up", "composer.history_down")
        done(self)
        self.update()
        return True

    def up(self, *, select: bool = False) -> None:
        self._vertical(-1, select=select)

    def down(self, *, select: bool = False) -> None:
        self._vertical(1, select=select)

    def _vertical(self, step: int, *, select: bool) -> None:
        rows = self._wrap()
        row, column = place(rows, self.text, self.buffer.cursor)
        if not 0 <= row + step < len(rows):
            if not select:
                self.recall(step)
            return
        begin, end = rows[row + step]
        at = begin
        while at < end and width_of(self.text[begin:at]) < column:
            at = self.buffer.right(at)
        if at == end and row + step + 1 < len(rows) and rows[row + step + 1][0] == end:
            at = max(begin, self.buffer.left(end))  # the end of a row that goes on is the begin of the next
        self.buffer.move(at, select=select)

    def recall(self, step: int) -> None:
        """The input before, or after."""
        items = self.history.items
        at = (len(items) if self._recalled is None else self._recalled) + step
        if not 0 <= at <= len(items) or (self._recalled is None and step > 0):
            return
        if self._recalled is None:
            self._draft = self.text
        if at == len(items):
            self._recalled = None
            self.buffer.set(self._draft)
            return
        self.buffer.set(items[at], len(items[at]) if step < 0 else None)
        self._recalled = at

    def stash(self) -> None:
        """Put aside what is written, or take back what was."""
        if self.text.strip():
            self.stashed, text = self.text, ""
        else:
            text, self.stashed = self.stashed, ""
        self.buffer.set(text)

    # ── drawing ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _wrap(self) -> list[tuple[int, int]]:
        width = (self.size.width or self.app.size.width) - 3
        if self._wrapped != (self.text, width):
            self._wrapped = (self.text, width)
            self._rows = wrap(self.text, width)
        return self._rows

    def update(self) -> None:
        """After a change: room for the text, the cursor in sight, drawn again."""
        if not self.is_attached:
            return
        rows = self._wrap()
        most = most_rows(self.app.size.height)
        row, column = place(rows, self.text, self.buffer.cursor)
        self._top = window(len(rows), row, self._top, most)
        height = min(len(rows), most) + 2
        if self.active:
            # Where the terminal's own cursor stands, input methods open their windows.
            self.app.cursor_position = self.region.offset + Offset(2 + column, 1 + row - self._top)
        if self.styles.height is None or self.styles.height.value != height:
            self.styles.height = height
            self.refresh()
        else:
            self.paint()
        self.changed()

    def on_resize(self, event: events.Resize) -> None:
        self.update()

    def render_line(self, y: int) -> Strip:
        look = self._look()
        width, height = self.size
        if y == 0 or y == height - 1:
            rule = " " if look.words_only else RULE
            if not self.is_shell:
                return Strip([Segment(rule * width, look[self.border_role])], width)
            said = _SHELL_SAYS[: max(0, width - 4)] if y == 0 else ""
            return Strip([Segment(rule * 2 + said + rule * (width - 2 - len(said)), look["shell"])], width)
        rows = self._wrap()
        number = self._top + y - 1
        if number >= len(rows):
            return Strip.blank(width, look.base)
        lead = look["shell" if self.is_shell else "user"] if self.active else look["dim"]
        segments = [Segment("  " if number else SHELL if self.is_shell else PROMPT, lead)]
        begin, end = rows[number]
        if not self.text:
            shown = placeholder(width - 3)
            if self.active:
                segments += [Segment(shown[:1], look["cursor"]), Segment(shown[1:], look["placeholder"])]
            else:
                segments.append(Segment(shown, look["placeholder"]))
        else:
            segments += self._row(number, begin, end, rows, look)
        return Strip(segments).adjust_cell_length(width, look.base)

    def _row(self, number: int, begin: int, end: int, rows: list[tuple[int, int]], look: Look) -> list[Segment]:
        marks: list[tuple[int, int, Style]] = []
        for label in (*self.chips, *self.images):
            at = self.text.find(label)
            if at >= 0 and at < end and at + len(label) > begin:
                marks.append((max(begin, at), min(end, at + len(label)), look["chip"]))
        first, last = self.buffer.selection()
        if first < end and last > begin and first != last:
            marks.append((max(begin, first), min(end, last), look["select"]))
        cursor = self.buffer.cursor
        if self.active and place(rows, self.text, cursor)[0] == number:
            marks.append(
                (cursor, min(self.buffer.right(cursor), cursor + 1) if cursor < end else cursor, look["cursor"])
            )
        cuts = sorted({begin, end, *(at for mark in marks for at in mark[:2])})
        segments = []
        for left, right in pairwise(cuts):
            style = look.base
            for mark_begin, mark_end, mark_style in marks:
                if mark_begin <= left and right <= mark_end:
                    style += mark_style
            segments.append(Segment(drawable(self.text[left:right]), style))
        if self.active and cursor == end and place(rows, self.text, cursor)[0] == number:
            segments.append(Segment(" ", look["cursor"]))
        return segments


_SHELL_SAYS = " a shell command of your own: it runs, and the model sees what came out "
"""On the line above it."""


def _cut(to: Callable[[Buffer, int], int]) -> Callable[[Composer], None]:
    def cut(composer: Composer) -> None:
        buffer = composer.buffer
        buffer.delete(buffer.cursor, to(buffer, buffer.cursor), keep=True)

    return cut


def _move(to: Callable[[Buffer, int], int], *, select: bool = False) -> Callable[[Composer], None]:
    def move(composer: Composer) -> None:
        composer.buffer.move(to(composer.buffer, composer.buffer.cursor), select=select)

    return move


def _delete(to: Callable[[Buffer, int], int]) -> Callable[[Composer], None]:
    def delete(composer: Composer) -> None:
        begin, end = composer.buffer.selection() if not composer.buffer.marking else (composer.buffer.cursor,) * 2
        if begin == end:
            end = to(composer.buffer, begin)
        composer.buffer.delete(begin, end)

    return delete


def _cut_right(buffer: Buffer, at: int) -> int:
    end = buffer.line_end(at)
    return end if end > at else min(len(buffer.text), at + 1)


def _cut_left(buffer: Buffer, at: int) -> int:
    begin = buffer.line_begin(at)
    return begin if begin < at else max(0, at - 1)


def _swap(composer: Composer) -> None:
    buffer = composer.buffer
    at = min(buffer.cursor, len(buffer.text) - 1)
    if at >= 1:
        a, b = buffer.text[at - 1], buffer.text[at]
        buffer.set(buffer.text[: at - 1] + b + a + buffer.text[at + 1 :], at + 1)


def _undo(composer: Composer) -> None:
    composer.buffer.undo()


def _redo(composer: Composer) -> None:
    composer.buffer.redo()


def _cut_region(composer: Composer) -> None:
    """What is selected; the word before where nothing is."""
    begin, end = composer.buffer.selection()
    if begin == end:
        begin = composer.buffer.blank_left(end)
    composer.buffer.delete(begin, end, keep=True)


def _capital(text: str) -> str:
    """The first letter large, the others small."""
    first = next((at for at, letter in enumerate(text) if letter.isalnum()), len(text))
    return text[:first] + text[first : first + 1].upper() + text[first + 1 :].lower()


def _select_all(composer: Composer) -> None:
    composer.buffer.drop_mark()
    composer.buffer.move(0)
    composer.buffer.move(len(composer.text), select=True)


_ACTIONS: dict[str, Callable[[Composer], None]] = {
    "composer.newline": lambda composer: composer.buffer.insert("\n"),
    "composer.left": _move(Buffer.left),
    "composer.right": _move(Buffer.right),
    "composer.up": Composer.up,
    "composer.down": Composer.down,
    "composer.word_left": _move(Buffer.word_left),
    "composer.word_right": _move(Buffer.word_right),
    "composer.line_begin": _move(Buffer.line_begin),
    "composer.line_end": _move(Buffer.line_end),
    "composer.text_begin": _move(lambda buffer, at: 0),
    "composer.text_end": _move(lambda buffer, at: len(buffer.text)),
    "composer.select_left": _move(Buffer.left, select=True),
    "composer.select_right": _move(Buffer.right, select=True),
    "composer.select_up": lambda composer: composer.up(select=True),
    "composer.select_down": lambda composer: composer.down(select=True),
    "composer.select_word_left": _move(Buffer.word_left, select=True),
    "composer.select_word_right": _move(Buffer.word_right, select=True),
    "composer.select_all": _select_all,
    "composer.back": _delete(Buffer.left),
    "composer.delete": _delete(Buffer.right),
    "composer.cut_word_left": _cut(Buffer.blank_left),
    "composer.cut_word_right": _cut(Buffer.word_right),
    "composer.cut_line_left": _cut(_cut_left),
    "composer.cut_line_right": _cut(_cut_right),
    "composer.yank": lambda composer: composer.buffer.yank(),
    "composer.yank_earlier": lambda composer: composer.buffer.yank_earlier(),
    "composer.mark": lambda composer: composer.buffer.mark(),
    "composer.swap_mark": lambda composer: composer.buffer.swap_mark(),
    "composer.cut_region": _cut_region,
    "composer.swap_words": lambda composer: composer.buffer.swap_words(),
    "composer.upper": lambda composer: composer.buffer.recase(str.upper),
    "composer.lower": lambda composer: composer.buffer.recase(str.lower),
    "composer.capital": lambda composer: composer.buffer.recase(_capital),
    "composer.swap": _swap,
    "composer.undo": _undo,
    "composer.redo": _redo,
    "composer.stash": Composer.stash,
    "composer.history_up": lambda composer: composer.recall(-1),
    "composer.history_down": lambda composer: composer.recall(1),
    "composer.clear": Composer.clear,
}
