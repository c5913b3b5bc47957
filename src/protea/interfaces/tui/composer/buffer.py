"""The text that is being written: cursor, selection, undo, what was cut. No terminal in it.

Positions are indexes into the text. Every change goes through `_change`, which is what undo knows of.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_WORD = re.compile(r"\w+|[^\w\s]+")
_KEPT = 200
"""Steps that can be undone."""
_KILLS = 60
"""Pieces that were cut and can be put back."""


class Buffer:
    """A text with a cursor."""

    def __init__(self, text: str = "", cursor: int | None = None) -> None:
        self.text = text
        self.cursor = len(text) if cursor is None else cursor
        self.anchor: int | None = None
        """The other end of the selection."""
        self.kills: list[str] = []
        """What was cut, the last one last, for `yank` and `yank_earlier`."""
        self.marking = False
        """Whether a mark was set: moving selects, and writing takes nothing away."""
        self.whole: tuple[str, ...] = ()
        """Pieces (chips) that are removed and stepped over as one character."""
        self._done: list[tuple[str, int]] = []
        self._undone: list[tuple[str, int]] = []
        self._typing = False
        self._cutting = False
        self._yanked: tuple[int, int, int] | None = None
        """Where the last thing that was done put back which of the kills."""

    @property
    def cut(self) -> str:
        """What was cut last."""
        return self.kills[-1] if self.kills else ""

    @cut.setter
    def cut(self, text: str) -> None:
        if text:
            self.kills.append(text)
            del self.kills[:-_KILLS]

    # ── changes ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _change(self, begin: int, end: int, text: str, *, typing: bool = False) -> None:
        if not (typing and self._typing and self._done):
            self._done.append((self.text, self.cursor))
            del self._done[:-_KEPT]
        self._undone.clear()
        self._typing = typing
        self._cutting = self.marking = False
        self._yanked = None
        self.text = self.text[:begin] + text + self.text[end:]
        self.cursor = begin + len(text)
        self.anchor = None

    def set(self, text: str, cursor: int | None = None) -> None:
        """Another text altogether; can be undone."""
        self._change(0, len(self.text), text)
        if cursor is not None:
            self.cursor = cursor

    def insert(self, text: str) -> None:
        """In place of the selection; at the cursor where that was made with a mark."""
        begin, end = self.selection() if not self.marking else (self.cursor, self.cursor)
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
            if more and self.kills:
                self.kills[-1] = piece + self.cut if end == at else self.cut + piece
            else:
                self.cut = piece
            self._cutting = True

    def yank(self) -> None:
        """Put back what was cut last."""
        if self.kills:
            self._put_back(self.cursor, self.cursor, len(self.kills) - 1)

    def yank_earlier(self) -> None:
        """Right after that: put back what was cut before it instead, and so on round."""
        if self._yanked is not None:
            begin, end, which = self._yanked
            self._put_back(begin, end, (which - 1) % len(self.kills))

    def _put_back(self, begin: int, end: int, which: int) -> None:
        text = self.kills[which]
        self._change(begin, end, text)
        self._yanked = (begin, begin + len(text), which)

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
        self._typing = self.marking = False
        self.anchor = None
        return True

    def redo(self) -> bool:
        if not self._undone:
            return False
        self._done.append((self.text, self.cursor))
        self.text, self.cursor = self._undone.pop()
        self._typing = self.marking = False
        self.anchor = None
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
        elif not select and not self.marking:
            self.anchor = None
        self.cursor = max(0, min(len(self.text), at))
        self._typing = self._cutting = False
        self._yanked = None

    def mark(self) -> None:
        """Moving from here on selects, until something is changed or the mark is dropped; twice in a place drops it."""
        if self.marking and self.anchor == self.cursor:
            self.drop_mark()
        else:
            self.move(self.cursor)
            self.marking, self.anchor = True, self.cursor

    def drop_mark(self) -> None:
        self.marking, self.anchor = False, None

    def swap_mark(self) -> None:
        """The cursor goes to the mark, and the mark to where the cursor was."""
        if self.anchor is not None:
            self.anchor, self.cursor = self.cursor, self.anchor

    # ── words ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def swap_words(self) -> None:
        """Exchange the word before or around the cursor with the next one; behind the last, the last two."""
        words = [found.span() for found in re.finditer(r"\w+", self.text)]
        if len(words) < 2:
            return
        second = next((n for n, (begin, _) in enumerate(words) if begin >= self.cursor), len(words) - 1)
        if words[second][0] == self.cursor and second and self.text[self.cursor - 1 : self.cursor].isalnum():
            second = min(second + 1, len(words) - 1)
        (a, b), (c, d) = words[max(0, second - 1)], words[max(1, second)]
        self._change(a, d, self.text[c:d] + self.text[b:c] + self.text[a:b])

    def recase(self, change: Callable[[str], str]) -> None:
        """From the cursor to the end of the word: in other letters."""
        end = self.word_right(self.cursor)
        if end > self.cursor:
            self._change(self.cursor, end, change(self.text[self.cursor : end]))


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
