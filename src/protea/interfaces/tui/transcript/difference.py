"""A unified diff as rows: numbered lines, changed words, one column or two. Pure."""

from __future__ import annotations

import re
from itertools import zip_longest

from protea.domain.diff import changes
from protea.interfaces.tui.transcript.cells import Span, clean, cut, flat, width_of, wrap
from protea.interfaces.tui.transcript.rows import Row, paragraph

SIDE_BY_SIDE = 140
"""Cells from which on the old and the new stand beside each other."""
_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@ ?(.*)$")
_WORDS = re.compile(r"\w+|\s+|.")

Line = tuple[str, int, int, list[Span]]
"""(sign, old number, new number, what stands there)."""


def diff_rows(diff: str, width: int, lead: list[Span]) -> list[Row]:
    """The rows of a diff of one or several files. A single file is not named: what stands above does that."""
    lines = diff.removesuffix("\n").split("\n")
    files = sum(line.startswith("+++ ") for line in lines)
    rows: list[Row] = []
    block: list[Line] = []
    old = new = 0
    in_head = True
    digits = len(
        str(max((int(n) for line in lines if (m := _HUNK.match(line)) for n in m.groups()[:2]), default=1) + 200)
    )

    def flush() -> None:
        marked = _with_words(block)
        if width - sum(width_of(span[0]) for span in lead) >= SIDE_BY_SIDE:
            rows.extend(_two_columns(marked, width, lead, digits))
        else:
            rows.extend(row for line in marked for row in _one_column(line, width, lead, digits))
        block.clear()

    for line in lines:
        if found := _HUNK.match(line):
            flush()
            if not in_head:
                rows.append(Row((*lead, ("⋯ ", "hunk", ""), (cut(flat(found[3]), max(0, width - 8)), "hunk", "")), 0))
            old, new, in_head = int(found[1]), int(found[2]), False
        elif in_head or line.startswith(("diff ", "--- ")):
            if not in_head:
                flush()
                in_head = True
            if line.startswith("+++ ") and files > 1:
                rows += paragraph([(flat(line[4:]), "file", "")], width, lead)
        elif line.startswith("+"):
            block.append(("+", 0, new, [(clean(line[1:].removesuffix("\r")), "add", "")]))
            new += 1
        elif line.startswith("-"):
            block.append(("-", old, 0, [(clean(line[1:].removesuffix("\r")), "del", "")]))
            old += 1
        elif line.startswith("\\"):
            block.append(("\\", 0, 0, [(clean(line[2:]), "hunk", "")]))
        else:
            block.append((" ", old, new, [(clean(line[1:].removesuffix("\r")), "same", "")]))
            old, new = old + 1, new + 1
    flush()
    return rows


def beginning(diff: str, lines: int) -> tuple[str, int]:
    """The first lines of a diff, and how many follow them: where few are shown, the others need not be looked at."""
    parts = diff.removesuffix("\n").split("\n", lines)
    return "\n".join(parts[:lines]), parts[lines].count("\n") + 1 if len(parts) > lines else 0


def _with_words(block: list[Line]) -> list[Line]:
    """The same lines, with what differs inside of lines that were changed told apart."""
    lines = list(block)
    at = 0
    while at < len(lines):
        if lines[at][0] != "-":
            at += 1
            continue
        middle = next((i for i in range(at, len(lines)) if lines[i][0] != "-"), len(lines))
        end = next((i for i in range(middle, len(lines)) if lines[i][0] != "+"), len(lines))
        for before, after in zip(range(at, middle), range(middle, end), strict=False):
            words = _words(lines[before][3][0][0], lines[after][3][0][0])
            if words is not None:
                lines[before] = (*lines[before][:3], words[0])
                lines[after] = (*lines[after][:3], words[1])
        at = max(end, at + 1)
    return lines


def _words(old: str, new: str) -> tuple[list[Span], list[Span]] | None:
    """Both lines with their own words marked; None where the two have little in common."""
    if len(old) > 2000 or len(new) > 2000 or "\n" in old or "\n" in new:
        return None
    a, b = _WORDS.findall(old), _WORDS.findall(new)
    found = changes(a, b)
    kept = len(old.strip()) - sum(len("".join(a[i:j]).strip()) for i, j, _, _ in found)
    if 3 * kept < max(len(old.strip()), len(new.strip())):
        return None
    left, right = [], []
    at_a = at_b = 0
    for i, j, k, m in [*found, (len(a), len(a), len(b), len(b))]:
        left += [("".join(a[at_a:i]), "del", ""), ("".join(a[i:j]), "del del-word", "")]
        right += [("".join(b[at_b:k]), "add", ""), ("".join(b[k:m]), "add add-word", "")]
        at_a, at_b = j, m
    return [span for span in left if span[0]], [span for span in right if span[0]]


_ROLES = {"+": "add", "-": "del", " ": "same", "\\": "hunk"}


def _one_column(line: Line, width: int, lead: list[Span], digits: int) -> list[Row]:
    sign, old, new, spans = line
    role = _ROLES[sign]
    number = str(new or old or "").rjust(digits)
    first = [*lead, (f"{number} ", f"{role} number", ""), (f"{sign} ", role, "")]
    rest = [*lead, (" " * (digits + 3), role, "")]
    return paragraph(spans, width, first, rest, fill=role if role in ("add", "del") else "")


def _two_columns(lines: list[Line], width: int, lead: list[Span], digits: int) -> list[Row]:
    left: list[Line | None] = []
    right: list[Line | None] = []

    def even() -> None:
        while len(left) < len(right):
            left.append(None)
        while len(right) < len(left):
            right.append(None)

    for line in lines:
        if line[0] == "-":
            left.append(line)
        elif line[0] == "+":
            right.append(line)
        else:
            even()
            left.append(line)
            right.append(line)
    even()
    room = width - sum(width_of(span[0]) for span in lead)
    half = (room - 3) // 2
    rows: list[Row] = []
    edge = sum(len(span[0]) for span in lead) + digits + 3
    for old, new in zip(left, right, strict=True):
        cells = (_cell(old, half, digits, old_side=True), _cell(new, half, digits, old_side=False))
        for a, b in zip_longest(*cells, fillvalue=[(" " * half, "", "")]):
            rows.append(Row((*lead, *a, (" │ ", "table-line", ""), *b), edge))
    return rows


def _cell(line: Line | None, width: int, digits: int, *, old_side: bool) -> list[list[Span]]:
    if line is None:
        return [[(" " * width, "absent", "")]]
    sign, old, new, spans = line
    role = _ROLES[sign]
    number = str((old if old_side else new) or "").rjust(digits)
    cells: list[list[Span]] = []
    size = width - digits - 3
    for part, _ in wrap(spans, size, size):
        head = f"{number} " if not cells else " " * (digits + 1)
        pad = size - sum(width_of(span[0]) for span in part)
        mark = f"{sign} " if not cells else "  "
        cells.append([(head, f"{role} number", ""), (mark, role, ""), *part, (" " * max(0, pad), role, "")])
    return cells
