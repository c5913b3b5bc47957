"""Finds what was meant among many paths or names, at the speed of typing. Pure.

Whatever has all letters of the query, in order, may be meant. Each letter narrows what the letters before it left, from
the place where they ended, and looks no further than until there is enough to choose from: so a key costs one short
search per line that is looked at, and taking a letter back costs nothing. Where that is not enough, the lines are gone
through piece by piece, so that whoever asks can do something else in between. Among many, those are weighed that have
the query in one piece.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

WEIGHED = 800
"""Lines that are weighed one by one."""
PIECE = 4000
"""Lines that are looked at in one go."""


class _Step:
    """What one letter left of what the letters before it left: as far as anybody wanted to know."""

    __slots__ = ("ends", "lines", "read")

    def __init__(self) -> None:
        self.lines: list[int] = []
        self.ends: list[int] = []
        """Where the letters so far end in each."""
        self.read = 0
        """How many of the step before were looked at."""

    def take(self, before: _Step, low: Sequence[str], letter: str) -> None:
        """Look at the next lines of the step before."""
        lines = before.lines[self.read : self.read + PIECE]
        ends = before.ends[self.read : self.read + PIECE]
        self.read += len(lines)
        # Three lists of what exists already: tuples would be new ones, and there are many lines.
        found = [low[line].find(letter, end) + 1 for line, end in zip(lines, ends, strict=True)]
        self.lines += [line for line, end in zip(lines, found, strict=True) if end]
        self.ends += [end for end in found if end]


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
        all_lines = _Step()
        all_lines.lines = list(range(len(self._low)))
        all_lines.ends = [0] * len(self._low)
        self._steps = [all_lines]
        self._query = ""
        """The letters that `_steps` stand for, one each behind the first."""

    def __len__(self) -> int:
        return len(self._items)

    def find(self, query: str, limit: int = 20) -> list[str]:
        """The best of what has all letters of `query` in order; without a query the first ones."""
        return deque(self.search(query, limit), maxlen=1)[0]

    def search(self, query: str, limit: int = 20) -> Iterator[list[str]]:
        """The same piece by piece: the best of what is known by then, and at last what `find` gives."""
        query = "".join(query.lower().split())
        if not query:
            yield self._items[:limit]
            return
        self._begin(query)
        pieces = [] if self._is_small(len(query) - 1) else list(self._pieces(query))
        found = self._best(query, pieces, limit)
        while self._look_at_more(len(query)):
            yield found
        yield self._best(query, pieces, limit)

    def _best(self, query: str, pieces: list[int], limit: int) -> list[str]:
        lines = dict.fromkeys([*pieces, *self._steps[len(query)].lines[:WEIGHED]])
        weighed = sorted((weight(query, self._items[line]), line) for line in lines)
        return [self._items[line] for _, line in weighed[:limit]]

    def _begin(self, query: str) -> None:
        """Keep the steps of what this query has in common with the last one."""
        same = 0
        while same < min(len(query), len(self._query)) and query[same] == self._query[same]:
            same += 1
        del self._steps[same + 1 :]
        self._steps += [_Step() for _ in query[same:]]
        self._query = query

    def _is_small(self, length: int) -> bool:
        """Whether all lines with the first `length` letters are known, and few enough to be weighed."""
        steps = self._steps[: length + 1]
        known = all(step.read == len(before.lines) for before, step in pairwise(steps))
        return known and len(steps[-1].lines) <= WEIGHED

    def _look_at_more(self, length: int) -> bool:
        """Take one piece of lines a letter further; False where there is enough to choose from, or nothing more."""
        steps = self._steps
        if len(steps[length].lines) >= WEIGHED:
            return False
        for at in range(length, 0, -1):
            before, step = steps[at - 1], steps[at]
            if step.read < len(before.lines):
                step.take(before, self._low, self._query[at - 1])
                return True
        return False

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
