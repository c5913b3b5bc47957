"""Plain text in columns, and sizes, times and figures as people say them. For every face and every answer. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from protea.domain.usage import Usage


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


def ago(at: str, now: str) -> str:
    """An RFC 3339 time as people say it at another: `3 min ago`, `yesterday`, `2024-11-02`."""
    try:
        seconds = (datetime.fromisoformat(now) - datetime.fromisoformat(at)).total_seconds()
    except (ValueError, TypeError):
        return at
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


def usage_text(usage: Usage, cost_usd: float | None) -> str:
    """`12.3k in (80 % cached) · 450 out · $0.0123`; without dollars where no price is known or nothing was charged."""
    cached = f" ({round(100 * usage.cache_read / usage.input)} % cached)" if usage.cache_read and usage.input else ""
    cost = f" · ${cost_usd:.4f}" if cost_usd else ""
    return f"{short(usage.input)} in{cached} · {short(usage.output)} out{cost}"


def short(count: int) -> str:
    """`999`, `12.3k`, `1.2M`."""
    return str(count) if count < 1000 else f"{count / 1000:.1f}k" if count < 1_000_000 else f"{count / 1e6:.1f}M"
