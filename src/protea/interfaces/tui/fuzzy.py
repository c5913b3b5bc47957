"""Finds what was meant among many paths or names, at the speed of typing. Pure.

Whatever has all letters of the query, in order, may be meant. Each letter narrows what the letters before it left, from
the place where they ended, so a key costs one short search per line that is still in question, and taking a letter
back costs nothing. Where many lines are left, those are weighed that have the query in one piece.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence

WEIGHED = 800
"""Lines that are weighed one by one."""

Left = list[tuple[int, int]]
"""(line, where the letters so far end in it)."""


class Finder:
    """A list that is searched again with every key."""

    def __init__(self, items: Sequence[str]) -> None:
        self._items = [item for item in items if "\n" not in item]
        self._low = [item.lower() for item in self._items]
        self._text = "\n".join(self._low)
        self._starts: list[int] = []
        at = 0
        for item in self._low:
            self._starts.append(at)
            at += len(item) + 1
        self._steps: list[tuple[str, Left]] = []
        """What each beginning of the last query left."""

    def __len__(self) -> int:
        return len(self._items)

    def find(self, query: str, limit: int = 20) -> list[str]:
        """The best of what has all letters of `query` in order; without a query the first ones."""
        query = "".join(query.lower().split())
        if not query:
            return self._items[:limit]
        left = self._left(query)
        if len(left) <= WEIGHED:
            lines: Iterable[int] = (line for line, _ in left)
        else:
            lines = dict.fromkeys([*self._pieces(query), *(line for line, _ in left[:WEIGHED])])
        weighed = sorted((weight(query, self._items[line]), line) for line in lines)
        return [self._items[line] for _, line in weighed[:limit]]

    def _left(self, query: str) -> Left:
        """The lines with all its letters in order."""
        steps = self._steps
        while steps and not query.startswith(steps[-1][0]):
            steps.pop()
        for length in range(len(steps) + 1, len(query) + 1):
            letter = query[length - 1]
            if steps:
                low = self._low
                left = [(line, end) for line, at in steps[-1][1] if (end := low[line].find(letter, at) + 1)]
            else:
                left = [(line, end) for line, low_line in enumerate(self._low) if (end := low_line.find(letter) + 1)]
            steps.append((query[:length], left))
        return steps[-1][1]

    def _pieces(self, query: str) -> Iterator[int]:
        """Lines with the query in one piece, those where it begins a name first; no more than are weighed."""
        count = 0
        for piece in (f"/{query}", f"_{query}", query):
            at = self._text.find(piece)
            while at >= 0 and count < WEIGHED // 3:
                line = self._line(at)
                yield line
                count += 1
                at = self._text.find(piece, at + 1)
            count = 0

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1


def weight(query: str, line: str) -> tuple[int, int, int, str]:
    """How far a line is from what was meant: the smaller the better."""
    low = line.lower()
    name = low.rpartition("/")[2]
    if name == query or low == query:
        kind = 0
    elif name.startswith(query):
        kind = 1
    elif query in name:
        kind = 2 if not name[name.index(query) - 1].isalnum() else 3
    elif query in low:
        kind = 4
    elif in_order(query, name):
        kind = 5
    else:
        kind = 6
    return kind, gaps(query, name if kind == 5 else low) if kind > 4 else 0, len(line), line


def in_order(query: str, text: str) -> bool:
    """Whether all letters of `query` stand in `text`, in this order."""
    at = 0
    for letter in query:
        at = text.find(letter, at) + 1
        if not at:
            return False
    return True


def gaps(query: str, text: str) -> int:
    """How scattered the letters stand; those that begin a word count for nothing."""
    at, total = -1, 0
    for letter in query:
        found = text.find(letter, at + 1)
        if found < 0:
            return 1000
        begins = found == 0 or not text[found - 1].isalnum()
        total += 0 if begins or found == at + 1 else min(9, found - at)
        at = found
    return total


def rank(query: str, items: Iterable[tuple[str, str, str]]) -> list[str]:
    """Keys of (key, text, more) with every word of `query` in either, or its letters in order in the text; the best
    first."""
    words = query.lower().split()
    found = []
    for place, (key, text, more) in enumerate(items):
        low = text.lower()
        whole = f"{low} {more.lower()}"
        if all(word in whole for word in words):
            begins = not words or low.startswith(words[0])
            named = all(word in low for word in words)
            found.append((0 if begins else 1 if named else 2, place, key))
        elif all(in_order(word, low) for word in words):
            found.append((3 + gaps("".join(words), low), place, key))
    return [key for _, _, key in sorted(found)]
