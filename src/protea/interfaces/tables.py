"""Plain tables and times, the same for commands and the REPL."""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from protea.domain.session import SessionSummary
from protea.interfaces.terminal import one_line


def table(head: Sequence[str] | None, rows: Iterable[Sequence[str]]) -> str:
    """Aligned columns, two spaces between; the last is not padded. Ends with a newline; empty without rows."""
    body = [list(row) for row in rows]
    if not body:
        return ""
    lines = [list(head), *body] if head else body
    widths = [max(width_of(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "".join(
        "  ".join(_pad(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n" for line in lines
    )


def _pad(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """Columns a terminal needs for `text`: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def ago(at: str, now: float | None = None) -> str:
    """An RFC 3339 time as people say it: `3 min ago`, `yesterday`, `2024-11-02`."""
    try:
        then = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return at
    seconds = (time.time() if now is None else now) - then
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{int(seconds / 60)} min ago"
    if seconds < 24 * 3600:
        return f"{int(seconds / 3600)} h ago"
    if seconds < 48 * 3600:
        return "yesterday"
    if seconds < 14 * 24 * 3600:
        return f"{int(seconds / 86400)} days ago"
    return at[:10]


def session_rows(sessions: Iterable[SessionSummary], *, numbered: bool = False) -> list[list[str]]:
    """ID, when, title; with a number in front where one is to be chosen."""
    rows = [[each.id, ago(each.updated), one_line(each.title, 70) or "(empty)"] for each in sessions]
    return [[str(number), *row] for number, row in enumerate(rows, 1)] if numbered else rows
