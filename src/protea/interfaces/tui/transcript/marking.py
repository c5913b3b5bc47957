"""Ranges over rows: what is selected, what is copied of it, where a search matches. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import get_character_cell_size

from protea.domain.blocks import Answer
from protea.interfaces.tui.transcript.entries import Entry
from protea.interfaces.tui.transcript.rows import Row

Place = tuple[int, int, int]
"""(number of the entry, row of it without the gap, character in the row)."""


def index_at(row: Row, cell: int) -> int:
    """The character of a row that a cell belongs to; behind the last one, its length."""
    drawn = row.drawn
    if drawn.isascii():
        return max(0, min(cell, len(drawn)))
    used = 0
    for index, character in enumerate(drawn):
        used += get_character_cell_size(character)
        if used > cell:
            return index
    return len(drawn)


def next_word(drawn: str, at: int, *, forward: bool) -> int | None:
    """Where the next word of a row begins, or the one before."""
    starts = [found.start() for found in re.finditer(r"\w+|[^\w\s]+", drawn)]
    wanted = [start for start in starts if (start > at if forward else start < at)]
    return None if not wanted else wanted[0] if forward else wanted[-1]


def selected_text(entries: Sequence[Entry], begin: Place, end: Place, width: int) -> str:
    """The text from `begin` to before `end`: the source where whole blocks or whole pieces of an answer are taken, else
    what is drawn, without what is drawn for orientation and with broken lines joined again."""
    parts = []
    for number in range(begin[0], min(end[0], len(entries) - 1) + 1):
        entry = entries[number]
        rows = entry.rows(width)
        first, start = (begin[1], begin[2]) if number == begin[0] else (0, 0)
        last, stop = (end[1], end[2]) if number == end[0] else (len(rows) - 1, 10**9)
        if not rows:
            continue
        last = min(last, len(rows) - 1)
        is_whole = first == 0 and start <= rows[0].lead and last == len(rows) - 1 and stop >= len(rows[-1].drawn)
        if is_whole:
            parts.append(entry.source)
        elif isinstance(entry.block, Answer):
            parts.append(_of_answer(entry, rows, first, start, last, stop))
        else:
            parts.append(_drawn(rows, first, start, last, stop))
    return "\n\n".join(part.strip("\n") for part in parts if part.strip("\n"))


def _of_answer(entry: Entry, rows: Sequence[Row], first: int, start: int, last: int, stop: int) -> str:
    parts: list[str] = []
    starts = [at for at, _ in entry.units]
    for number, (at, unit) in enumerate(entry.units):
        end = (starts[number + 1] if number + 1 < len(starts) else len(rows)) - 1
        while end > at and not rows[end].drawn.strip() and number + 1 < len(starts):
            end -= 1  # the blank row before the next unit
        if end < first or at > last:
            continue
        is_whole = (first < at or (first == at and start <= rows[at].lead)) and (
            last > end or (last == end and stop >= len(rows[end].drawn))
        )
        if is_whole:
            text = unit.code if unit.kind == "fence" and first == at and last == end else unit.source.strip("\n")
        else:
            text = _drawn(
                rows, max(first, at), start if first >= at else 0, min(last, end), stop if last <= end else 10**9
            )
        parts.append(("\n" if unit.spaced and parts else "") + text)
    return "\n".join(parts)


def _drawn(rows: Sequence[Row], first: int, start: int, last: int, stop: int) -> str:
    text = ""
    for number in range(first, last + 1):
        row = rows[number]
        drawn = row.drawn
        begin = max(row.lead, start) if number == first else row.lead
        end = min(stop, len(drawn)) if number == last else len(drawn)
        if number > first:
            text = text.rstrip(" ") + "\n" if row.joint is None else text + row.joint
        text += drawn[begin:end]
    return "\n".join(line.rstrip() for line in text.split("\n"))


def pattern_of(needle: str) -> re.Pattern[str]:
    """What a search looks for: the words as they stand, in either case unless a capital is typed."""
    words = r"\s+".join(re.escape(word) for word in needle.split())
    return re.compile(words, 0 if any(character.isupper() for character in needle) else re.IGNORECASE)


def matches(rows: Sequence[Row], pattern: re.Pattern[str]) -> Iterator[tuple[tuple[int, int, int], ...]]:
    """Each match as the parts of rows it covers: (row, begin, end)."""
    at = 0
    while at < len(rows):
        end = at + 1
        while end < len(rows) and rows[end].joint is not None:
            end += 1
        text, edges = "", []
        for number in range(at, end):
            if number > at:
                text += rows[number].joint or ""
            edges.append((number, len(text), rows[number].lead))
            text += rows[number].text
        for found in pattern.finditer(text):
            if found.end() == found.start():
                continue
            parts = []
            for number, offset, lead in edges:
                size = len(rows[number].text)
                begin, stop = max(found.start() - offset, 0), min(found.end() - offset, size)
                if begin < stop:
                    parts.append((number, begin + lead, stop + lead))
            if parts:
                yield tuple(parts)
        at = end


def may_match(entry: Entry, pattern: re.Pattern[str]) -> bool:
    """Whether it is worth laying a block out to look closer."""
    text = entry.source
    return bool(pattern.search(text) or pattern.search(re.sub(r"[*_`~\[\]]|\s+", _plainer, text)))


def _plainer(found: re.Match[str]) -> str:
    return " " if found[0].isspace() else ""
