"""Unified diffs of two texts. Pure.

Written here because `difflib` costs milliseconds to import and minutes on some large files: this one trims what is
equal at both ends, finds the shortest script in between (Myers' algorithm), and where the two have little in
common gives up and shows one block replaced by the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

PATIENCE = 400
"""Differences after which a shortest script is no longer looked for."""

_HUNK = re.compile(r"@@ -(\d+(?:,\d+)?) \+(\d+(?:,\d+)?) @@(.*)", re.DOTALL)

Change = tuple[int, int, int, int]
"""Lines [i, j) of the old become lines [k, l) of the new."""


def unified(old: str, new: str, path: str, *, context: int = 3, before: str | None = None) -> str:
    """The diff of two texts in the form `patch` and `git apply` read; empty where they are equal.

    `before` is the old path where it differs; `/dev/null` for a file that is new or removed.
    """
    if old == new:
        return ""
    a, b = _lines(old), _lines(new)
    source = before or path
    head = [
        f"--- {source if source == '/dev/null' else 'a/' + source.lstrip('/')}\n",
        f"+++ {path if path == '/dev/null' else 'b/' + path.lstrip('/')}\n",
    ]
    return "".join(head + [line for group in _groups(changes(a, b), context) for line in _hunk(a, b, group, context)])


def reversed_hunks(diff: str) -> list[str]:
    """The lines that lead back from what the diff of one file did: old and new exchanged; nothing names the file."""
    found: list[str] = []
    goes: list[str] = []
    comes: list[str] = []
    into = goes
    lines = diff.removesuffix("\n").split("\n")
    for line in lines[next((at for at, each in enumerate(lines) if each.startswith("@@")), len(lines)) :]:
        if line[:1] in ("+", "-"):
            into = goes if line[0] == "+" else comes
            into.append(("-" if line[0] == "+" else "+") + line[1:])
        elif line[:1] == "\\" and (goes or comes):
            into.append(line)  # what it says is about the line above it
        else:
            # What goes stands before what comes, this way round too.
            found += [*goes, *comes]
            goes.clear()
            comes.clear()
            head = _HUNK.match(line)
            found.append(f"@@ -{head[2]} +{head[1]} @@{head[3]}" if head else line)
    return [*found, *goes, *comes]


def counts(diff: str) -> tuple[int, int]:
    """Lines added and removed, in all files of a diff."""
    added = removed = left = 0
    for line in diff.split("\n"):
        if left <= 0:  # what stands between hunks names files: `--- a/x` removes nothing
            head = _HUNK.match(line)
            left = _long(head[1]) + _long(head[2]) if head else 0
        elif line[:1] == "+":
            added, left = added + 1, left - 1
        elif line[:1] == "-":
            removed, left = removed + 1, left - 1
        elif line[:1] != "\\":
            left -= 2
    return added, removed


def _long(span: str) -> int:
    """How many lines `12,3` or `12` are."""
    _, comma, count = span.partition(",")
    return int(count) if comma else 1


def body(diff: str) -> list[str]:
    """Its lines without the two that name the file, where one is shown by itself and its name stands elsewhere."""
    # Only a newline ends a line here: what else `splitlines` takes for an end may stand inside one.
    lines = diff.removesuffix("\n").split("\n") if diff else []
    named = len(lines) > 1 and lines[0].startswith("--- ") and lines[1].startswith("+++ ")
    return lines[2:] if named else lines


def changes(a: Sequence[str], b: Sequence[str]) -> list[Change]:
    """What turns the lines of `a` into those of `b`, in order."""
    start = 0
    shorter = min(len(a), len(b))
    while start < shorter and a[start] == b[start]:
        start += 1
    end = 0
    while end < shorter - start and a[-1 - end] == b[-1 - end]:
        end += 1
    middle_a, middle_b = a[start : len(a) - end], b[start : len(b) - end]
    if not middle_a and not middle_b:
        return []
    inner = _myers(middle_a, middle_b) if middle_a and middle_b else [(0, len(middle_a), 0, len(middle_b))]
    return [(i + start, j + start, k + start, m + start) for i, j, k, m in inner]


def _myers(a: Sequence[str], b: Sequence[str]) -> list[Change]:
    n, m = len(a), len(b)
    furthest = {1: 0}
    trail: list[dict[int, int]] = []
    for d in range(min(n + m, PATIENCE) + 1):
        trail.append(dict(furthest))
        for k in range(-d, d + 1, 2):
            down = k == -d or (k != d and furthest[k - 1] < furthest[k + 1])
            x = furthest[k + 1] if down else furthest[k - 1] + 1
            y = x - k
            while x < n and y < m and a[x] == b[y]:
                x, y = x + 1, y + 1
            furthest[k] = x
            if x >= n and y >= m:
                return _retrace(trail, n, m)
    return [(0, n, 0, m)]


def _retrace(trail: Sequence[dict[int, int]], x: int, y: int) -> list[Change]:
    steps: list[Change] = []
    for d in range(len(trail) - 1, 0, -1):
        furthest, k = trail[d], x - y
        down = k == -d or (k != d and furthest[k - 1] < furthest[k + 1])
        before = k + 1 if down else k - 1
        x, y = furthest[before], furthest[before] - before
        steps.append((x, x, y, y + 1) if down else (x, x + 1, y, y))
    merged: list[Change] = []
    for i, j, k, m in reversed(steps):
        if merged and merged[-1][1] == i and merged[-1][3] == k:
            merged[-1] = (merged[-1][0], j, merged[-1][2], m)
        else:
            merged.append((i, j, k, m))
    return merged


def _groups(found: Sequence[Change], context: int) -> Iterator[list[Change]]:
    group: list[Change] = []
    for change in found:
        if group and change[0] - group[-1][1] > 2 * context:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(a: Sequence[str], b: Sequence[str], group: Sequence[Change], context: int) -> Iterator[str]:
    i, k = max(0, group[0][0] - context), max(0, group[0][2] - context)
    i = max(i, group[0][0] - (group[0][2] - k))
    k = group[0][2] - (group[0][0] - i)
    j, m = min(len(a), group[-1][1] + context), min(len(b), group[-1][3] + context)
    yield f"@@ -{_range(i, j)} +{_range(k, m)} @@\n"
    at = i
    for first, last, new_first, new_last in group:
        yield from (_row(" ", line) for line in a[at:first])
        yield from (_row("-", line) for line in a[first:last])
        yield from (_row("+", line) for line in b[new_first:new_last])
        at = last
    yield from (_row(" ", line) for line in a[at:j])


def _row(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"


def _range(first: int, last: int) -> str:
    size = last - first
    return f"{first + 1}" if size == 1 else f"{first + 1 if size else first},{size}"


def _lines(text: str) -> list[str]:
    """Split after line feeds only: `splitlines` would also split at form feeds and U+2028."""
    lines = text.split("\n")
    last = lines.pop()
    return [line + "\n" for line in lines] + ([last] if last else [])
