"""The text that is being written: cursor, selection, undo, what was cut. No terminal in it.

Positions are indexes into the text. Every change goes through `_change`, which is what undo knows of.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"\w+|[^\w\s]+")
_KEPT = 200
"""Steps that can be undone."""


class Buffer:
    """A text with a cursor."""

    def __init__(self, text: str = "", cursor: int | None = None) -> None:
        self.text = text
        self.cursor = len(text) if cursor is None else cursor
        self.anchor: int | None = None
        """The other end of the selection."""
        self.cut = ""
        """What was cut last, for `yank`."""
        self.whole: tuple[str, ...] = ()
        """Pieces (chips) that are removed and stepped over as one character."""
        self._done: list[tuple[str, int]] = []
        self._undone: list[tuple[str, int]] = []
        self._typing = False
        self._cutting = False

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, begin: int, end: int, text: str, *, typing: bool = False) -> None:
        if not (typing and self._typing and self._done):
            self._done.append((self.text, self.cursor))
            del self._done[:-_KEPT]
        self._undone.clear()
        self._typing = typing
        self._cutting = False
        self.text = self.text[:begin] + text + self.text[end:]
        self.cursor = begin + len(text)
        self.anchor = None

    def set(self, text: str, cursor: int | None = None) -> None:
        """Another text altogether; can be undone."""
        self._change(0, len(self.text), text)
        if cursor is not None:
            self.cursor = cursor

    def insert(self, text: str) -> None:
        """In place of the selection."""
        begin, end = self.selection()
        self._change(begin, end, text, typing=len(text) == 1 and not text.isspace() and begin == end)

    def delete(self, begin: int, end: int, *, keep: bool = False) -> None:
        """Remove a stretch; with `keep` it can be yanked, together with what was cut just before and beside it."""
        begin, end = max(0, min(begin, end)), min(len(self.text), max(begin, end))
        if begin == end:
            return
        piece = self.text[begin:end]
        more = self._cutting
        at = self.cursor
        self._change(begin, end, "")
        if keep:
            self.cut = (piece + self.cut if end == at else self.cut + piece) if more else piece
            self._cutting = True

    def selection(self) -> tuple[int, int]:
        """(begin, end); both the cursor where nothing is selected."""
        if self.anchor is None:
            return self.cursor, self.cursor
        return min(self.anchor, self.cursor), max(self.anchor, self.cursor)

    def undo(self) -> bool:
        if not self._done:
            return False
        self._undone.append((self.text, self.cursor))
        self.text, self.cursor = self._done.pop()
        self._typing, self.anchor = False, None
        return True

    def redo(self) -> bool:
        if not self._undone:
            return False
        self._done.append((self.text, self.cursor))
        self.text, self.cursor = self._undone.pop()
        self._typing, self.anchor = False, None
        return True

    # ── places ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def left(self, at: int) -> int:
        for piece in self.whole:
            if piece and self.text.endswith(piece, 0, at):
                return at - len(piece)
        at -= 1
        while at > 0 and _joins(self.text[at]):
            at -= 1
        return max(0, at)

    def right(self, at: int) -> int:
        for piece in self.whole:
            if piece and self.text.startswith(piece, at):
                return at + len(piece)
        at += 1
        while at < len(self.text) and _joins(self.text[at]):
            at += 1
        return min(len(self.text), at)

    def line_begin(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def word_left(self, at: int) -> int:
        """The begin of the word before."""
        last = 0
        for found in _WORD.finditer(self.text, self.line_begin(max(0, at - 1)) if at else 0, at):
            last = found.start()
        return last if last < at and (last or self.text[:at].strip()) else self.line_begin(max(0, at - 1))

    def word_right(self, at: int) -> int:
        """Behind the next word."""
        found = _WORD.search(self.text, at)
        return found.end() if found else len(self.text)

    def next_word(self, at: int) -> int:
        """The begin of the next word."""
        here = _WORD.match(self.text, at)
        found = _WORD.search(self.text, here.end() if here else at)
        return found.start() if found else len(self.text)

    def word_end(self, at: int) -> int:
        """The last character of this word, or of the next where this is its end."""
        found = _WORD.search(self.text, at + 1)
        return found.end() - 1 if found else max(0, len(self.text) - 1)

    def blank_left(self, at: int) -> int:
        """What Ctrl+W cuts back to: behind the blank before the word."""
        kept = self.text[:at].rstrip()
        return max(kept.rfind(" "), kept.rfind("\n"), kept.rfind("\t")) + 1

    # ── moving ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def move(self, at: int, *, select: bool = False) -> None:
        if select and self.anchor is None:
            self.anchor = self.cursor
        elif not select:
            self.anchor = None
        self.cursor = max(0, min(len(self.text), at))
        self._typing = self._cutting = False


def _joins(character: str) -> bool:
    """Whether a character belongs to the one before it: combining marks, joiners, variation selectors, skin tones."""
    if character < "\u0300":
        return False
    code = ord(character)
    return (
        0x0300 <= code <= 0x036F
        or 0x200C <= code <= 0x200D
        or 0xFE00 <= code <= 0xFE0F
        or 0x1F3FB <= code <= 0x1F3FF
        or 0x20D0 <= code <= 0x20FF
    )
