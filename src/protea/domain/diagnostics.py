"""What language servers say of a file, before and after it was changed: what is new of it, and how it is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from protea.domain.plain import plain
from protea.domain.tools import Diagnostic

MOST = 12
"""Of them in a result's text."""
LONGEST = 400
"""Characters of one message in it."""


class Change(msgspec.Struct, frozen=True):
    """A file's text before and after; None where there is no such file."""

    path: str
    """Absolute, real."""
    before: str | None
    after: str | None


def fresh(before: Iterable[Diagnostic], after: Sequence[Diagnostic], changed: range | None = None) -> list[Diagnostic]:
    """Those of `after` that were not there `before`, errors first, then by line.

    They are told apart by what they say, not by where: lines move. Where the same is said more often than it was, those
    in the lines that were `changed` count as the new ones.
    """
    known = Counter(map(_said, before))
    found = []
    # The last in this order are those that were there: what lies in changed lines comes first.
    order = sorted(after, key=lambda each: changed is not None and each.line not in changed)
    said = Counter(map(_said, after))
    for each in order:
        key = _said(each)
        if said[key] > known[key]:
            found.append(each)
            said[key] -= 1
    return sorted(found, key=_weight)


def ranked(found: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Errors first, then file by file and line by line."""
    return sorted(found, key=_weight)


def touched(change: Change) -> range:
    """The lines of the new text from the first to the last that is different."""
    before, after = ((text or "").split("\n") for text in (change.before, change.after))
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return range(start + 1, len(after) - end + 1)


def told(found: Sequence[Diagnostic], shown: Callable[[str], str], most: int = MOST) -> str:
    """A line for each of the first `most`, and how many more there are; empty where there are none."""
    if not found:
        return ""
    lines = [line(each, shown) for each in found[:most]]
    more = len(found) - len(lines)
    rest = [f"… and {more} more"] if more > 0 else []
    return "\n".join(["New problems (told by language servers):", *lines, *rest])


def line(each: Diagnostic, shown: Callable[[str], str]) -> str:
    """`src/a.py:3:5 error: … [F821]`."""
    message = " ".join(each.message.split())
    message = message if len(message) <= LONGEST else f"{message[: LONGEST - 1]}…"
    code = f" [{each.code}]" if each.code and f"[{each.code}]" not in message else ""
    return plain(f"{shown(each.path)}:{each.line}:{each.column} {each.severity}: {message}{code}")


def _said(each: Diagnostic) -> tuple[str, ...]:
    return each.path, each.severity, each.source, each.code, each.message


def _weight(each: Diagnostic) -> tuple[bool, str, int, int]:
    return each.severity != "error", each.path, each.line, each.column
