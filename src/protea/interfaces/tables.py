"""Lists of sessions, the same for commands and the REPL."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from protea.domain.columns import ago as ago_at
from protea.domain.columns import table as table  # where faces have always found it
from protea.domain.session import SessionSummary
from protea.interfaces.terminal import one_line


def ago(at: str, now: float | None = None) -> str:
    """An RFC 3339 time as people say it: `3 min ago`, `yesterday`, `2024-11-02`."""
    return ago_at(at, datetime.fromtimestamp(time.time() if now is None else now, UTC).isoformat())


def session_rows(sessions: Iterable[SessionSummary], *, numbered: bool = False) -> list[list[str]]:
    """ID, when, title; with a number in front where one is to be chosen."""
    rows = [[each.id, ago(each.updated), one_line(each.title, 70) or "(empty)"] for each in sessions]
    return [[str(number), *row] for number, row in enumerate(rows, 1)] if numbered else rows
