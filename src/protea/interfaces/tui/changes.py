"""What a diff changes, as rows where there is little room: numbered, with the words that differ marked. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from protea.domain.diff import body
from protea.interfaces.terminal import revealed
from protea.interfaces.tui.line import Row
from protea.interfaces.tui.transcript.cells import cut
from protea.interfaces.tui.transcript.difference import beginning, diff_rows

LEAD = "    "
LOOKED_AT = 40
"""Lines that are looked at for each that may be shown: there is a change among so many."""
_HUNK = re.compile(r"^@@ -", re.MULTILINE)
_ROLES = {"add-word": "add_word", "del-word": "remove_word", "add": "add", "del": "remove", "file": "heading"}
"""Roles of the conversation's rows → those of a row here; others are no more than what stands around a change."""
_SIGNS = {"+": "add", "-": "remove", "@": "info"}


def change_rows(diff: str, width: int, most: int | None = None) -> list[Row]:
    """A row per line, longer ones broken. Of what is more than `most` the lines around the changes are left out first,
    then what comes last, and how much that is."""
    if most is None:
        return list(_rows(diff, width))
    shown, left = beginning(diff, LOOKED_AT * most)
    rows = _rows(shown, width)
    if len(rows) + left <= most:
        return list(rows)
    rows = tuple(row for row in rows if any(role != "dim" for _, role in row))
    if len(rows) + left <= most:
        return list(rows)
    kept = max(0, most - 1)
    return [*rows[:kept], [(f"{LEAD}… {len(rows) - kept + left} more lines (Ctrl+O shows all)", "warn")]]


@lru_cache(maxsize=4)  # while it stands there it is asked for at every key
def _rows(diff: str, width: int) -> tuple[Row, ...]:
    diff = revealed(diff)
    numbered = diff_rows(diff, width, [(LEAD, "", "")]) if _HUNK.search(diff) else []
    if not numbered:
        return _signed(diff, width)
    return tuple([(text, _role(roles)) for text, roles, _ in row.spans] for row in numbered)


def _role(roles: str) -> str:
    return "dim" if "number" in roles else next((_ROLES[each] for each in _ROLES if each in roles.split()), "dim")


def _signed(diff: str, width: int) -> tuple[Row, ...]:
    """What names no places: lines with a sign before them."""
    return tuple(
        [(LEAD + cut(line.removesuffix("\r").replace("\t", "    "), width - 5), _SIGNS.get(line[:1], "dim"))]
        for line in body(diff)
    )
