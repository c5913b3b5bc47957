"""The nearest of known names to one that was misspelt. Pure."""

from __future__ import annotations

TYPE_CHECKING = False  # the first frame waits for this file: `collections` alone would cost more than all of it
if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(wanted: str, known: Iterable[str]) -> str | None:
    """The known name most like `wanted`, or None where none is close enough to be meant."""
    best: tuple[int, str] | None = None
    lowered = wanted.lower()
    for name in known:
        far = distance(lowered, name.lower())
        if best is None or far < best[0]:
            best = (far, name)
    if best is None or best[0] > max(1, min(len(wanted), len(best[1])) // 3):
        return None
    return best[1]


def distance(a: str, b: str) -> int:
    """Edits (insert, drop, replace, swap neighbours) from `a` to `b` (optimal string alignment)."""
    if len(a) > 64 or len(b) > 64:
        return max(len(a), len(b)) if a != b else 0
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, y in enumerate(b, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]
