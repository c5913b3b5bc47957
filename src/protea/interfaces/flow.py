"""Breaks lines between words where a terminal would break them anywhere, as the text comes. Colours take no room."""

from __future__ import annotations

from collections.abc import Callable

from protea.domain.columns import width_of
from protea.domain.pattern import regex

_PIECE = regex(r"\x1b\[[\d;]*m|\n|[ \t]+|[^\s\x1b]+|.")
_MARKED = regex(r"\s*(?:(?:[•*+\-│●☐◐☑>?]|\d+[.)])\s+)*")
"""What the later rows of an item stand behind."""
_GAP = regex(r"\S\s{2,}(?=\S)")
"""Between two columns of a table."""
REMEMBERED = 400
"""Characters of a line that are kept to know how far its rows are indented."""


class Flow:
    """Feed it pieces, write out what it gives; `end` gives what was held back: a word that may not have been whole."""

    def __init__(self, width: Callable[[], int]) -> None:
        self._width = width
        self._column = 0
        self._line = ""
        """What stands in the line, without colours."""
        self._blank = ""
        """What stands behind the last word and is written only before another one."""
        self._word = ""
        self._size = 0

    def feed(self, text: str) -> str:
        drawn: list[str] = []
        for found in _PIECE.finditer(text):
            piece = found[0]
            if piece == "\n":
                drawn.append(self._place() + "\n")
                self._column, self._line, self._blank = 0, "", ""
            elif piece.isspace():
                drawn.append(self._place())
                self._blank += piece.replace("\t", "    ")
            elif piece[0] == "\x1b" and len(piece) > 1:
                self._word += piece
            elif piece.isascii():
                self._add(piece)
            else:
                drawn += self._add_wide(piece)
        return "".join(drawn)

    def end(self) -> str:
        return self._place()

    def _add(self, piece: str) -> None:
        self._word += piece
        self._size += width_of(piece)

    def _add_wide(self, piece: str) -> list[str]:
        """Between wide characters a line may be broken anywhere."""
        drawn = []
        for character in piece:
            if width_of(character) > 1:
                drawn.append(self._place())
            self._add(character)
        return drawn

    def _place(self) -> str:
        """Write the word: in this row, or in the next where it has no room."""
        word, size, blank = self._word, self._size, self._blank
        self._word, self._size = "", 0
        if not size:
            return word  # colours alone
        self._blank = ""
        width = max(20, self._width())
        lead = blank
        if self._column and self._column + len(blank) + size > width:
            indent = min(self._indent(width), width // 2)
            if indent + size <= width or self._column > indent:
                lead, self._column = "\n" + " " * indent, indent
                blank = ""
        self._column += len(blank) + size
        if self._column > width:
            self._column = self._column % width or width
        if len(self._line) < REMEMBERED:
            self._line += blank + _plain(word)
        return lead + word

    def _indent(self, width: int) -> int:
        gaps = [found.end() for found in _GAP.finditer(self._line) if width_of(self._line[: found.end()]) <= width // 2]
        if gaps:
            return width_of(self._line[: gaps[-1]])
        marked = _MARKED.match(self._line + " ")
        return width_of(marked[0]) if marked is not None and len(marked[0]) <= len(self._line) else 0


_COLOUR = regex(r"\x1b\[[\d;]*m")


def _plain(word: str) -> str:
    return _COLOUR.sub("", word) if "\x1b" in word else word
