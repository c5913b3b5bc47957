"""Blocks as they stand on the screen: what each has grown to, how high it is, which of it is laid out. Pure.

Only what is seen is laid out exactly. Everything else has a guessed height, which is corrected when it comes into
sight, and gives its rows back when it has been out of sight for long.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from protea.domain.blocks import (
    Answer,
    AnyBlock,
    Call,
    Change,
    Dropped,
    Forgotten,
    Grown,
    Job,
    Prompt,
    Put,
    Thought,
    Todo,
)
from protea.domain.folding import is_in
from protea.interfaces.tui.transcript.draw import LEAD, block_rows, source_of
from protea.interfaces.tui.transcript.markdown import Document, Unit
from protea.interfaces.tui.transcript.prose import code_rows, pictures_of, unit_rows
from protea.interfaces.tui.transcript.rows import BLANK, Row, no_picture, picture_rows

if TYPE_CHECKING:
    from protea.interfaces.tui.transcript.rows import Hang

OUTPUT = 64_000
"""Characters kept of what a call says while it runs."""
KEPT = 400
"""Blocks out of sight that keep their rows."""


class Entry:
    """One block on the screen."""

    __slots__ = (
        "_document", "_ended", "_fence", "_pieces", "_rows", "_settled", "_size", "_width",
        "block", "fold", "gap", "hang", "height", "text", "units",
    )  # fmt: skip

    def __init__(self, block: AnyBlock, hang: Hang = no_picture) -> None:
        self.block = block
        self.hang = hang
        self.fold: bool | None = None
        self.gap = 1
        """Blank rows above it."""
        self.text = block.text if isinstance(block, Answer | Thought) else ""
        """What it has grown to, as far as it was looked at; see `source`."""
        self._pieces: list[str] = []
        self._size = 0
        self._document: Document | None = None
        self._ended = False
        self._rows: list[Row] | None = None
        self._width = 0
        self._settled = 0
        """How many of the rows no piece to come can change."""
        self._fence = (0, 0)
        """Of a fence that is still open: up to which row and which character of its code the rows stand."""
        self.units: list[tuple[int, Unit]] = []
        """Of an answer: where each unit begins among the rows."""
        self.height = 1
        """Rows with the gap: exact where `is_exact`, else a guess."""

    # ── content ────────────────────────────────────────────────────────────────────────────────────────────────────

    def grow(self, piece: str) -> None:
        self._pieces.append(piece)
        self._size += len(piece)
        if isinstance(self.block, Call) and self._size > 2 * OUTPUT:
            self._merge()
            self.text = self.text[-OUTPUT:]
            self._size = len(self.text)
        if isinstance(self.block, Answer):
            if self._document is not None:
                self._document.feed(piece)
        else:
            self._rows = None

    def put(self, block: AnyBlock) -> None:
        """The same entry, another state of it."""
        before = self.block
        if isinstance(block, Answer) and isinstance(before, Answer) and before.gone == block.gone:
            self._merge()
            self.block = block
            if self.text == block.text:
                return  # what streamed in is what was said: the rows stand
        self.block = block
        if isinstance(block, Answer | Thought):
            self.text = block.text
            self._pieces.clear()
        self._forget()

    @property
    def source(self) -> str:
        """What is copied of the whole block."""
        self._merge()
        return source_of(self.block, self.text)

    @property
    def is_growing(self) -> bool:
        return bool(self._pieces) or (isinstance(self.block, Answer | Thought) and self.block.open)

    def _merge(self) -> None:
        if self._pieces:
            self.text += "".join(self._pieces)
            self._pieces.clear()

    # ── layout ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def is_exact(self, width: int) -> bool:
        return self._rows is not None and self._width == width and not self._pieces

    def rows(self, width: int) -> list[Row]:
        """All rows but the gap."""
        if self._width != width:
            self._unlay()
            self._width = width
        if isinstance(self.block, Answer):
            rows = self._answer(width)
        else:
            if self._rows is None or self._pieces:
                self._merge()
                block = replace(self.block, text=self.text) if isinstance(self.block, Thought) else self.block
                self._rows = block_rows(
                    block, width, self.fold, self.text if isinstance(block, Call) else "", self.hang
                )
                self.units = []
            rows = self._rows
        self.height = self.gap + len(rows)
        return rows

    def _answer(self, width: int) -> list[Row]:
        assert isinstance(self.block, Answer)
        growing = bool(self._pieces)
        self._merge()
        if self._rows is not None and not growing and self._ended == (not self.block.open):
            return self._rows
        if self._document is None:
            self._document = Document()
            self._document.feed(self.text)
        if self._rows is None:
            self._rows, self._settled, self.units = [], 0, []
        document = self._document
        if self.block.open:
            open_units: Sequence[Unit] = document.open_units()
        else:
            document.end()
            open_units = ()
        self._ended = not self.block.open
        rows = self._rows
        if self._go_on_with_fence(rows, document, open_units, width):
            return rows
        self._fence = (0, 0)
        del rows[self._settled :]
        done = bisect_left(self.units, self._settled, key=_first_row)
        del self.units[done:]
        for unit in document.closed[done:]:
            self._unit(unit, rows, width, is_closed=True)
        self._settled = len(rows)
        for unit in open_units:
            self._unit(unit, rows, width, is_closed=False)
        if len(open_units) == 1 and open_units[0].kind == "fence" and "\n" in open_units[0].code:
            self._hold_last_line(rows, open_units[0], width)
        return rows

    def _go_on_with_fence(self, rows: list[Row], document: Document, units: Sequence[Unit], width: int) -> bool:
        """Lay out only the new lines of a long block of code that is being written."""
        stand, begin = self._fence
        if not begin or len(units) != 1 or units[0].kind != "fence" or self._settled > stand:
            return False
        at, before = self.units[-1]
        if at < self._settled or len(document.closed) != len(self.units) - 1 or before.info != units[0].info:
            return False
        if not units[0].code.startswith(before.code[:begin]):
            return False
        del rows[stand:]
        rows += code_rows(units[0].code[begin:], "", width, LEAD)
        self.units[-1] = (at, units[0])
        self._hold_last_line(rows, units[0], width)
        return True

    def _hold_last_line(self, rows: list[Row], unit: Unit, width: int) -> None:
        """The last line may go on: its rows are made again with the next piece."""
        line = unit.code.rpartition("\n")[2]
        again = len(code_rows(line, "", width, LEAD))
        self._fence = (len(rows) - again, len(unit.code) - len(line))

    def _unit(self, unit: Unit, rows: list[Row], width: int, *, is_closed: bool) -> None:
        if rows and unit.spaced:
            rows.append(BLANK)
        self.units.append((len(rows), unit))
        made = unit_rows(unit, width, LEAD)
        rows += made or [BLANK]
        if is_closed:
            for path in pictures_of(unit):
                if (picture := self.hang(path, width - 4)) is not None:
                    rows += picture_rows(picture, LEAD)

    def recolour(self, unit: Unit, width: int) -> None:
        """The words of its code are told apart now: its rows are made again, as many as before."""
        if self._rows is None or self._width != width:
            return
        for at, each in self.units:
            if each is unit:
                made = unit_rows(unit, width, LEAD)
                self._rows[at : at + len(made)] = made

    def refold(self, fold: bool | None) -> None:
        if self.fold != fold:
            self.fold = fold
            self._forget()

    def again(self) -> None:
        """It is laid out anew: a picture of it has been made."""
        self._merge()
        self._forget()

    @property
    def has_pictures(self) -> bool:
        match self.block:
            case Prompt(images=images):
                return bool(images)
            case Call(result=result):
                return result is not None and bool(result.images)
            case Answer():
                return "![" in self.text
            case _:
                return False

    def evict(self) -> None:
        """Give back all but the content and the height."""
        self._merge()
        if not self.is_growing:
            self._forget()

    def _forget(self) -> None:
        self._unlay()
        self._document = None

    def _unlay(self) -> None:
        """Forget the rows, but not what the text was read as."""
        self._rows = None
        self.units = []
        self._settled = 0
        self._fence = (0, 0)
        self._ended = False

    def guess(self, width: int) -> None:
        """A height that is about right, without a layout."""
        if self.is_exact(width):
            return
        room = max(8, width - 2)
        block = self.block
        if isinstance(block, Answer):
            length = len(self.text) + self._size
            self.height = self.gap + max(1, self.text.count("\n") * 3 // 4 + length // room)
        elif isinstance(block, Prompt):
            lines = min(block.text.count("\n") + len(block.text) // room, 12)
            self.height = self.gap + 1 + lines
        elif isinstance(block, Call):
            diff = block.result.diff if block.result is not None else None
            self.height = self.gap + 1 + (min(24, diff.count("\n")) if diff else 0)
        elif isinstance(block, Todo):
            self.height = self.gap + max(1, len(block.items))
        else:
            self.height = self.gap + 1


class Entries:
    """The blocks that are loaded, in order."""

    def __init__(self, hang: Hang = no_picture) -> None:
        self._hang = hang
        self.all: list[Entry] = []
        self._by_key: dict[str, Entry] = {}
        self._forgotten: list[Forgotten] = []

    def __len__(self) -> int:
        return len(self.all)

    def a_third(self) -> int:
        """How many are about the first third of all, up to a prompt: there nothing is open. 0 where there is none."""
        places = range(len(self.all) // 3, len(self.all) // 2)
        return next((at for at in places if self.all[at].block.key.startswith("prompt:")), 0)

    def make(self, changes: Iterable[Change], width: int) -> bool:
        """Make the changes. True where something changed that stood there before, other than by growing at the end."""
        moved = False
        for change in changes:
            match change:
                case Grown(key=key, piece=piece):
                    entry = self._by_key.get(key)
                    if entry is not None:
                        entry.grow(piece)
                        moved = moved or entry is not self.all[-1]
                case Put():
                    moved = self._put(change, width) or moved
                case Dropped(key=key):
                    entry = self._by_key.pop(key, None)
                    if entry is not None:
                        index = self.index_of(entry)
                        del self.all[index]
                        self._space(index, width)
                        moved = True
                case Forgotten():
                    self._forgotten.append(change)
                    for entry in self.all:
                        if not entry.block.gone and is_in(entry.block, change):
                            entry.put(replace(entry.block, gone=True))
                            entry.guess(width)
                            moved = True
        return moved

    def before(self, blocks: Iterable[AnyBlock], width: int) -> int:
        """Put the blocks of an older page before the others; how many there are now that were not there."""
        older = []
        for block in blocks:
            if block.key in self._by_key:
                continue
            gone = block.gone or any(is_in(block, taken) for taken in self._forgotten)
            entry = Entry(replace(block, gone=True) if gone else block, self._hang)
            self._by_key[block.key] = entry
            older.append(entry)
        self.all[:0] = older
        for index in range(min(len(older) + 1, len(self.all))):
            self._space(index, width)
        return len(older)

    def drop_first(self, count: int) -> None:
        """Let go of the first blocks; they can be read again."""
        for entry in self.all[:count]:
            del self._by_key[entry.block.key]
        del self.all[:count]

    def index_of(self, entry: Entry) -> int:
        """Its place, looked for from the end: that is where things change."""
        for index in range(len(self.all) - 1, -1, -1):
            if self.all[index] is entry:
                return index
        return -1

    def get(self, key: str) -> Entry | None:
        return self._by_key.get(key)

    def _put(self, change: Put, width: int) -> bool:
        block = change.block
        if any(is_in(block, taken) for taken in self._forgotten):
            block = replace(block, gone=True)
        entry = self._by_key.get(change.instead or block.key) or self._by_key.get(block.key)
        if entry is not None:
            if entry.block.key != block.key:
                del self._by_key[entry.block.key]
                self._by_key[block.key] = entry
            entry.put(block)
            entry.guess(width)
            return True
        entry = Entry(block, self._hang)
        self._by_key[block.key] = entry
        self.all.append(entry)
        self._space(len(self.all) - 1, width)
        return False

    def _space(self, index: int, width: int) -> None:
        """A blank row stands above a block, but not between calls."""
        if index < len(self.all):
            entry = self.all[index]
            before = self.all[index - 1].block if index else None
            gap = 0 if before is None or _belong(before, entry.block) else 1
            entry.height += gap - entry.gap
            entry.gap = gap
            entry.guess(width)


def _belong(before: AnyBlock, after: AnyBlock) -> bool:
    return isinstance(before, Call | Job) and isinstance(after, Call | Job | Todo)


def _first_row(placed: tuple[int, Unit]) -> int:
    return placed[0]
